"""Bounds against scipy's distributions and against draws whose true shares are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, binom, norm

from plugin_server.bundle import Profile
from plugin_server.thresholds.bounds import allowed, binomial_cdf, interval, needed, upper_bound
from plugin_server.thresholds.fit import threshold_above
from plugin_server.thresholds.labelled import probabilities

CONFIDENCE = 0.95


@pytest.mark.parametrize("n", [1, 7, 149, 5000, 200_000])
@pytest.mark.parametrize("share", [1e-6, 0.02, 0.5, 0.999])
def test_the_binomial_distribution_is_scipys(n: int, share: float) -> None:
    for k in {0, 1, n // 50, n // 2, n - 1, n} & set(range(n + 1)):
        assert binomial_cdf(k, n, share) == pytest.approx(binom.cdf(k, n, share), rel=1e-6, abs=1e-12), k


@pytest.mark.parametrize(("k", "n"), [(0, 1), (0, 149), (1, 236), (3, 400), (149, 150), (40, 90), (7, 20_000)])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_clopper_and_pearson_are_quantiles_of_the_beta_distribution(k: int, n: int, confidence: float) -> None:
    assert upper_bound(k, n, confidence) == pytest.approx(beta.ppf(confidence, k + 1, n - k), rel=1e-7)
    side = (1 - confidence) / 2
    low, high = interval(k, n, confidence)
    assert high == pytest.approx(beta.ppf(1 - side, k + 1, n - k), rel=1e-7)
    assert low == pytest.approx(beta.ppf(side, k, n - k + 1) if k else 0, rel=1e-7)


@pytest.mark.parametrize(
    ("share", "confidence", "least"), [(0.02, 0.95, 149), (0.01, 0.95, 299), (0.05, 0.95, 59), (0.001, 0.99, 4603)]
)
def test_needed_is_the_least_number_of_near_misses(share: float, confidence: float, least: int) -> None:
    assert needed(share, confidence) == least
    assert allowed(least, share, confidence) == 0
    assert allowed(least - 1, share, confidence) is None


@pytest.mark.parametrize("n", [0, 1, 149, 235, 236, 1000, 20_000])
def test_what_is_allowed_keeps_the_bound_and_one_more_would_not(n: int) -> None:
    k = allowed(n, 0.02, CONFIDENCE)
    if k is None:
        assert upper_bound(0, n, CONFIDENCE) > 0.02
    else:
        assert upper_bound(k, n, CONFIDENCE) <= 0.02 < upper_bound(k + 1, n, CONFIDENCE)


@pytest.mark.parametrize("n", [149, 236, 400])
@pytest.mark.parametrize("step", [0.0, 0.25], ids=["continuous", "many equal scores"])
def test_the_threshold_keeps_its_word_in_as_many_draws_as_it_says(n: int, step: float) -> None:
    generator, draws, share = np.random.default_rng(n), 4000, 0.02
    k = allowed(n, share, CONFIDENCE)
    assert k is not None
    broken = 0
    for _ in range(draws):
        drawn = generator.normal(size=n)
        scores = np.ceil(drawn / step) * step if step else drawn
        above = np.sort(scores)[::-1][k]  # accepted is what lies above
        accepted = norm.sf(above)  # rounding up, so that a score above means a draw above
        broken += accepted > share
    error = 3 * np.sqrt(0.05 * 0.95 / draws)
    assert broken / draws <= 1 - CONFIDENCE + error
    if not step:  # and no more pairs would be asked for than are needed: it is exact
        assert broken / draws == pytest.approx(binom.cdf(k, n, share), abs=error)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_the_served_probability_accepts_no_more_near_misses_than_are_allowed(count: int) -> None:
    generator = np.random.default_rng(count)
    for scale in (0.01, 0.5, 3.0):
        logits = generator.normal(scale=4, size=200).round(2)
        threshold = threshold_above(logits, count, Profile(0.5, scale, -1.0))
        accepted = (probabilities(logits, scale, -1.0) >= threshold).sum()
        assert accepted <= count
        assert threshold < probabilities(np.sort(logits)[::-1], scale, -1.0)[count] * 1.01, "and it is not higher"
