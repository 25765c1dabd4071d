"""Policies of reranking, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from onnx_export.lab.policies import blended, choose, penalty, worst_gain
from onnx_export.ordering import Hits


def hits(cosines: list[float], odds: list[float], relevant: int | None) -> Hits:
    return Hits(np.array(cosines), np.array(odds), relevant)


@pytest.mark.parametrize(
    ("cosine", "odds", "expected", "remark"),
    [
        (0.9, 50.0, 0.9, "verified: nothing is taken"),
        (0.9, -50.0, 0.9 - 0.4 / (1 + np.exp(-6)), "a near hit that is rejected pays"),
        (0.2, -50.0, 0.2 - 0.4 / (1 + np.exp(8)), "a far one hardly does"),
        (0.6, 0.0, 0.6 - 0.4 * 0.5 * 0.5, "at the onset, in doubt: a quarter of the strength"),
    ],
)
def test_penalty_by_hand(cosine: float, odds: float, expected: float, remark: str) -> None:
    found = penalty(0.4, tau=0.6)(np.array([cosine]), np.array([odds]))
    assert found[0] == pytest.approx(expected), remark


def test_blended_drops_below_its_limit() -> None:
    found = blended(0.1, limit=-1.0)(np.array([0.5, 0.6]), np.array([2.0, -2.0]))
    assert found[0] == pytest.approx(0.7)
    assert found[1] == -np.inf


def test_knobs_are_those_that_help_the_source_that_fares_worst() -> None:
    # a near-miss is first in both sources; the verifier knows it
    orders = {name: [hits([0.9, 0.85, 0.2], [-4.0, 4.0, -4.0], relevant=1)] * 3 for name in ("one", "two")}
    chosen = choose(orders)
    assert set(chosen) == {"score alone", "blend", "blend, filtered", "penalty"}
    for policy in chosen.values():
        assert worst_gain(orders, policy.score) == pytest.approx(1 - 1 / np.log2(3))
    # a source where the verifier is wrong: best is to leave the order
    orders["three"] = [hits([0.9, 0.89], [-4.0, 4.0], relevant=0)] * 3
    chosen = choose(orders)
    assert chosen["blend"].knobs["weight"] == 0
    assert worst_gain(orders, chosen["penalty"].score) == 0
