"""Verdicts worked by hand: probability, threshold, the best window, the words without a match."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from plugin_server import Bundle, Encoded, Manifest, Outcome
from plugin_server.bundle import LONG, Profile
from plugin_server.errors import UnknownChoice
from plugin_server.verdict import judge, probability, unmatched_words, unverified
from plugin_server.verifier import Reading


def reading(pairs: float, passages: float = 0.0, best: tuple[float, ...] = (1, 1)) -> Reading:
    return Reading([pairs, passages], best, 9)


def query_of(*words: tuple[int, int] | None) -> Encoded:
    """A query with these words; its vectors and windows are not looked at."""
    return Encoded(np.zeros((1, 1), np.float32), (np.ones((len(words), 1), np.int8),), words)


@pytest.fixture
def manifest(tiny: Bundle) -> Manifest:
    profiles = {"pairs": Profile(0.5), "passages": Profile(0.75, scale=2.0, bias=1.0)}
    return replace(tiny.manifest, profiles=profiles, match_threshold=0.5)


@pytest.mark.parametrize(
    ("logit", "profile", "chance", "remark"),
    [
        (0.0, Profile(0.5), 0.5, "neither"),
        (math.log(3), Profile(0.5), 0.75, "three to one"),
        (-math.log(3), Profile(0.5), 0.25, "one to three"),
        (1.0, Profile(0.5, scale=2.0, bias=-2.0), 0.5, "the calibration moves it"),
        (1.0, Profile(0.5, scale=-math.log(3)), 0.25, "a scale below 0"),
        (5.0, Profile(0.5, scale=0.0), 0.5, "a scale of 0 knows nothing"),
        (1e6, Profile(0.5), 1.0, "no overflow above"),
        (-1e6, Profile(0.5), 0.0, "nor below"),
        (math.inf, Profile(0.5), 1.0, "without end"),
        (-math.inf, Profile(0.5), 0.0, "nor below"),
    ],
)
def test_probability(logit: float, profile: Profile, chance: float, remark: str) -> None:
    assert probability(logit, profile) == pytest.approx(chance), remark


@pytest.mark.parametrize(
    ("logits", "profile", "outcome", "chance", "window", "remark"),
    [
        ([(0.0, 0.0)], "pairs", "accepted", 0.5, 0, "the threshold itself is enough"),
        ([(-1e-3, 9.0)], "pairs", "rejected", 0.49975, 0, "just below; the other profile's logit does not count"),
        ([(-9.0, 0.1)], "passages", "accepted", 0.76852, 0, "1.2 after calibration, above 0.75"),
        ([(9.0, 0.0)], "passages", "rejected", 0.73106, 0, "1 after calibration, below 0.75"),
        ([(-2.0, 0), (1.0, 0), (-3.0, 0)], "pairs", "accepted", 0.73106, 1, "the best window counts"),
        ([(-2.0, 0), (-1.0, 0)], "pairs", "rejected", 0.26894, 1, "even the best is not good enough"),
        ([(1.0, 0), (1.0, 0)], "pairs", "accepted", 0.73106, 0, "the first of equals"),
        ([(1.0, -3.0), (0.5, 3.0)], "passages", "accepted", 0.99909, 1, "each profile has its own best window"),
    ],
)
def test_judge(
    manifest: Manifest,
    logits: list[tuple[float, float]],
    profile: str,
    outcome: str,
    chance: float,
    window: int,
    remark: str,
) -> None:
    readings = [reading(*pair, best=(0.25 * number, 0.5)) for number, pair in enumerate(logits)]
    verdict = judge("a b", query_of((0, 1), (2, 3)), readings, manifest, profile)
    assert (verdict.outcome.value, verdict.window, verdict.profile) == (outcome, window, profile), remark
    assert verdict.probability == pytest.approx(chance, abs=1e-5)
    assert verdict.threshold == manifest.profiles[profile].threshold
    assert verdict.accepted is (outcome == "accepted")
    assert verdict.maxsim == pytest.approx((0.25 * window + 0.5) / 2), "of the window that counted"
    assert verdict.reason == ""


@pytest.mark.parametrize("place", [0, 1])
def test_a_logit_that_is_no_number_is_unverified(manifest: Manifest, place: int) -> None:
    readings = [reading(5.0), reading(-5.0)]
    readings.insert(place, reading(math.nan))
    verdict = judge("a b", query_of((0, 1), (2, 3)), readings, manifest, "pairs")
    assert verdict.outcome is Outcome.UNVERIFIED
    assert verdict.probability is None
    assert "no number" in verdict.reason
    other = judge("a b", query_of((0, 1), (2, 3)), readings, manifest, "passages")
    assert other.outcome is Outcome.REJECTED, "the other profile's logits are numbers"


def test_unverified(manifest: Manifest) -> None:
    verdict = unverified("blob: of another bundle", manifest, "passages")
    assert (verdict.outcome, verdict.probability, verdict.maxsim) == (Outcome.UNVERIFIED, None, None)
    assert (verdict.threshold, verdict.reason, verdict.accepted) == (0.75, "blob: of another bundle", False)
    with pytest.raises(UnknownChoice):
        unverified("", manifest, "pear")


@pytest.mark.parametrize(
    ("text", "words", "best", "unmatched", "remark"),
    [
        ("red car", [(0, 3), (4, 7)], [0.9, 0.9], (), "both are matched"),
        ("red car", [(0, 3), (4, 7)], [0.2, 0.9], ("red",), "one is not"),
        ("red car", [(0, 3), (4, 7)], [0.5, 0.49], ("car",), "the threshold itself is a match"),
        ("red car", [None, (0, 3), (4, 7), None], [-1, 0.9, 0.9, -1], (), "the marks of the text are no words"),
        ("unred car", [(0, 5), (0, 5), (6, 9)], [0.1, 0.9, 0.9], (), "one piece that matches is enough"),
        ("unred car", [(0, 5), (0, 5), (6, 9)], [0.1, 0.2, 0.9], ("unred",), "no piece does"),
        ("car car", [(0, 3), (4, 7)], [0.1, 0.2], ("car",), "each word once"),
        ("b a", [(0, 1), (2, 3)], [0.1, 0.1], ("b", "a"), "in the query's order"),
        ("red , 7", [(0, 3), (4, 5), (6, 7)], [0.9, 0.1, 0.1], ("7",), "a comma is no word, a number is"),
        ("red car", [(0, 3), (4, 7)], [-0.9, -0.8], ("red", "car"), "cosines below 0"),
        ("Red CAR", [(0, 3), (4, 7)], [0.1, 0.9], ("Red",), "as they were written"),
    ],
)
def test_unmatched_words(
    text: str, words: list[tuple[int, int] | None], best: list[float], unmatched: tuple[str, ...], remark: str
) -> None:
    assert unmatched_words(text, query_of(*words), reading(0, best=tuple(best)), 0.5) == unmatched, remark


def test_threshold_is_that_of_the_whole_document(manifest: Manifest) -> None:
    changed = replace(manifest, profiles=manifest.profiles | {"pairs": Profile(0.2, short_threshold=0.9)})
    short = reading(0.0, best=(1,))
    for windows, threshold in (([short], 0.9), ([short, replace(short, tokens=LONG)], 0.2)):
        verdict = judge("a", query_of((0, 1)), windows, changed, "pairs")
        assert verdict.threshold == threshold
        assert verdict.accepted is (threshold == 0.2)
