"""Relevance by its properties: bounds, the cut at 0.5, the order, and numbers that any parser takes for a double."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import numpy as np
import pytest

from plugin_server import Candidate, Hit, Outcome, Policy, Verdict
from plugin_server.relevance import relevance, relevant, rounded, squash

#: From the most negative float to the largest, and densely where cosines and engines' scores are.
SCORES = sorted(
    [
        *np.linspace(-3, 3, 601).tolist(),
        *(sign * 10.0**power for sign in (-1, 1) for power in (-300, -30, -9, -3, 1, 2, 3, 8, 9, 30, 300)),
        *(12.5, 37.25, -1.7976931348623157e308, 1.7976931348623157e308),
    ]
)
KEPT = [Outcome.ACCEPTED, Outcome.UNVERIFIED]
CASES = [
    (0.0, "accepted", "demote", 0.75, "in the middle of the upper half"),
    (0.0, "rejected", "demote", 0.25, "and of the lower"),
    (0.0, "unverified", "demote", 0.75, "what could not be read is not rejected"),
    (0.0, "rejected", "annotate", 0.5, "no cut: the score alone"),
    (1.0, "accepted", "filter", 0.875, "0.5 + 0.75 / 2"),
    (2.0, "rejected", "filter", 0.41666667, "(5 / 6) / 2 in 8 digits"),
    (1e300, "rejected", "demote", 0.4999999, "the largest is still below the cut"),
    (-1e300, "accepted", "demote", 0.5, "the smallest is on it"),
    (1e300, "accepted", "demote", 0.9999999, "never 1"),
    (-1e300, "rejected", "demote", 2.5e-301, "never 0"),
]


def hit(position: int, score: float, outcome: str) -> Hit:
    return Hit(Candidate(str(position)), Verdict(Outcome(outcome), None, 0.5, "passages"), score, position)


@pytest.mark.parametrize(("score", "outcome", "policy", "expected", "remark"), CASES, ids=[case[4] for case in CASES])
def test_relevance_by_hand(score: float, outcome: str, policy: str, expected: float, remark: str) -> None:
    assert relevance(score, Outcome(outcome), Policy(policy)) == expected, remark


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("outcome", Outcome)
def test_a_relevance_is_between_0_and_1_and_keeps_the_order(outcome: Outcome, policy: Policy) -> None:
    found = [relevance(score, outcome, policy) for score in SCORES]
    assert all(0 < value < 1 for value in found)
    assert found == sorted(found)
    assert len(set(found)) > 600, "scores that differ have relevances that differ"


@pytest.mark.parametrize("policy", [Policy.FILTER, Policy.DEMOTE])
def test_half_is_the_cut_whatever_the_scores(policy: Policy) -> None:
    assert max(relevance(score, Outcome.REJECTED, policy) for score in SCORES) < 0.5
    assert min(relevance(score, outcome, policy) for score in SCORES for outcome in KEPT) == 0.5


def test_a_relevance_is_written_as_a_double_of_8_digits() -> None:
    for score in SCORES:
        for outcome in Outcome:
            for policy in Policy:
                written = json.dumps(relevance(score, outcome, policy))
                mantissa = re.fullmatch(r"(\d(?:\.\d+)?)(?:e-\d+)?", written)
                assert mantissa, written
                assert "." in written or "e" in written
                assert len(mantissa[1].replace(".", "").lstrip("0")) <= 8


def test_squash_rises_strictly() -> None:
    found = [squash(score) for score in np.linspace(-1000, 1000, 20_001).tolist()]
    assert all(low < high for low, high in pairwise(found))
    assert [squash(score) + squash(-score) for score in (0.0, 0.3, 7.0)] == pytest.approx([1.0] * 3)


def test_rounding_never_turns_an_order_round() -> None:
    numbers = np.sort(np.random.default_rng(0).uniform(0.49999990, 0.5, 1000)).tolist()
    assert [rounded(number) for number in numbers] == sorted(map(rounded, numbers))


@pytest.mark.parametrize(
    ("hits", "policy", "expected", "remark"),
    [
        ([(0.1, "accepted"), (0.3, "accepted")], "demote", "10", "by score"),
        ([(9.0, "rejected"), (-9.0, "accepted")], "demote", "10", "a rejected one is last, whatever its score"),
        ([(9.0, "rejected"), (-9.0, "unverified")], "demote", "10", "also behind an unverified one"),
        ([(9.0, "rejected"), (-9.0, "accepted")], "filter", "1", "and left out"),
        ([(9.0, "rejected"), (-9.0, "accepted")], "annotate", "01", "or where its score puts it"),
        ([(0.2, "accepted"), (0.2 + 1e-12, "accepted")], "demote", "01", "equal in 8 digits: the order sent"),
        ([(1e20, "rejected"), (1e25, "rejected")], "demote", "01", "too large to tell apart: the order sent"),
        ([], "demote", "", "none"),
    ],
)
def test_relevant(hits: list[tuple[float, str]], policy: str, expected: str, remark: str) -> None:
    given = [hit(number, score, outcome) for number, (score, outcome) in enumerate(hits)]
    for order in (given, given[::-1]):
        assert "".join(str(item.hit.position) for item in relevant(order, Policy(policy))) == expected, remark
