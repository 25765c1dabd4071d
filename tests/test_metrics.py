"""The metrics against a slow, plain count of the same thing."""

from __future__ import annotations

import numpy as np
import pytest

from onnx_export.evaluation import metrics


def sample(seed: int, rows: int = 60) -> tuple[list[int], list[float]]:
    """Labels and coarse scores (so that some are equal), both labels present."""
    generator = np.random.default_rng(seed)
    labels = [0, 1, *generator.integers(0, 2, rows - 2).tolist()]
    return labels, [round(float(generator.normal(label)), 1) for label in labels]


@pytest.mark.parametrize("seed", range(5))
def test_auroc_is_the_share_of_ordered_pairs(seed: int) -> None:
    labels, scores = sample(seed)
    good = [score for label, score in zip(labels, scores, strict=True) if label]
    bad = [score for label, score in zip(labels, scores, strict=True) if not label]
    wins = sum((g > b) + 0.5 * (g == b) for g in good for b in bad)
    assert metrics.auroc(labels, scores) == pytest.approx(wins / len(good) / len(bad))


@pytest.mark.parametrize("seed", range(5))
def test_best_accuracy_is_the_best_of_every_threshold(seed: int) -> None:
    labels, scores = sample(seed)
    every = [metrics.accuracy_at(labels, scores, threshold) for threshold in [*scores, max(scores) + 1]]
    assert metrics.best_accuracy(labels, scores) == pytest.approx(max(every))


@pytest.mark.parametrize("share", [0.0, 0.05, 0.1, 0.29, 1.0])
def test_shares_lost_and_accepted_stay_within_their_limits(share: float) -> None:
    labels, scores = sample(7, rows=400)
    good = sorted(score for label, score in zip(labels, scores, strict=True) if label)
    bad = [score for label, score in zip(labels, scores, strict=True) if not label]
    best = max(sum(b < t for b in bad) / len(bad) for t in good if sum(g < t for g in good) <= share * len(good) + 1e-9)
    assert metrics.near_misses_rejected(labels, scores, lost=share) == pytest.approx(best)
    allowed = [t for t in [*scores, max(scores) + 1] if sum(b >= t for b in bad) <= share * len(bad) + 1e-9]
    most = max(sum(g >= t for g in good) / len(good) for t in allowed)
    assert metrics.accepted_at(labels, scores, false_accepts=share) == pytest.approx(most)


@pytest.mark.parametrize(
    ("labels", "scores", "remark"),
    [([1, 1], [0.1, 0.2], "both 1 and 0"), ([1, 0], [0.1], "one length"), ([1, 2], [0.1, 0.2], "nothing else")],
)
def test_unusable_rows_are_refused(labels: list[int], scores: list[float], remark: str) -> None:
    with pytest.raises(ValueError, match=remark):
        metrics.auroc(labels, scores)


def test_ndcg_by_hand() -> None:
    run = {"q": {"a": 3.0, "b": 2.0, "c": 1.0}}
    gain = 1 / np.log2(2) + 1 / np.log2(4)
    ideal = 1 / np.log2(2) + 1 / np.log2(3)
    assert metrics.ndcg(run, {"q": {"a": 1, "c": 1}}) == pytest.approx(gain / ideal)
    assert metrics.ndcg(run, {"q": {"c": 1}}, cutoff=2) == 0


def test_a_query_without_a_ranking_counts_zero() -> None:
    run, qrels = {"q": {"a": 1.0}}, {"q": {"a": 1}, "r": {"b": 1}}
    assert metrics.ndcg(run, qrels) == 0.5
    assert metrics.mrr(run, qrels) == 0.5


def test_interval_repeats_and_widens_with_groups() -> None:
    labels, scores = sample(3, rows=200)
    alone = metrics.bootstrap_interval(metrics.auroc, labels, scores, rounds=200)
    assert alone == metrics.bootstrap_interval(metrics.auroc, labels, scores, rounds=200)
    # Every row four times: the rows alone look like four times the evidence, the groups do not.
    names = [str(i) for i in range(200)] * 4
    fourfold = metrics.bootstrap_interval(metrics.auroc, labels * 4, scores * 4, rounds=200)
    grouped = metrics.bootstrap_interval(metrics.auroc, labels * 4, scores * 4, groups=names, rounds=200)
    assert grouped[1] - grouped[0] > 1.5 * (fourfold[1] - fourfold[0])
