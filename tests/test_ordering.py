"""Weight and threshold of the verifier beside the dense order, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from onnx_export.ordering import DEPTH, WEIGHTS, Hits, best_weight, dense_hits, gains, highest_threshold
from onnx_export.pair import Pair
from plugin_server import Reranker


def hits(cosines: list[float], logits: list[float], relevant: int | None) -> Hits:
    return Hits(np.array(cosines), np.array(logits), relevant)


@pytest.mark.parametrize(
    ("scores", "relevant", "value", "remark"),
    [
        ([3, 2, 1], 0, 1, "first"),
        ([3, 2, 1], 2, 0.5, "third: 1 / log2(4)"),
        ([1, 2, 3], 0, 0.5, "the order of the scores, not of the hits"),
        ([1, 1, 1], 1, 1 / np.log2(3), "equal scores keep the dense order"),
        ([-np.inf, 2, 1], 0, 0, "dropped"),
        ([-np.inf, 2, 1], 2, 1 / np.log2(3), "what is dropped makes room"),
        ([3, 2, 1], None, 0, "dense search did not find it"),
        ([*range(20, 10, -1), 1], 10, 0, "eleventh"),
    ],
)
def test_ndcg(scores: list[float], relevant: int | None, value: float, remark: str) -> None:
    item = hits([0.0] * len(scores), [0.0] * len(scores), relevant)
    assert item.ndcg(np.array(scores, float)) == pytest.approx(value), remark


def test_the_source_that_fares_worst_decides() -> None:
    helped = [hits([0.5, 0.4], [-1, 9], 1)]  # from a weight of 0.015 on the right one is first
    hurt = [hits([0.5, 0.46], [-1, 1], 0)]  # from 0.02 on it is not
    assert best_weight({"helped": helped}, 1, 0) == 0.015
    assert best_weight({"hurt": hurt}, 1, 0) == 0.0, "the smallest of equal weights"
    both = {"helped": helped, "hurt": hurt}
    assert gains(both, 1, 0, 0.015, -np.inf) == pytest.approx([1 - 1 / np.log2(3), 0])
    assert best_weight({"helped": helped, "hurt": hurt}, 1, 0) == 0.0, "no weight gains for both"
    assert best_weight({"one": helped, "other": [hits([0.5, 0.4], [-1, 5], 1)]}, 1, 0) == 0.02, "until both gain"
    assert best_weight({}, 1, 0) == 0
    assert WEIGHTS[0] == 0


def test_threshold_stops_before_a_source_loses() -> None:
    # relevant documents at log-odds -3, -2 and 0; the first is dropped at no gain, the second pays for itself
    orders = {"a": [hits([0.9, 0.8], [-3, -5], 0), hits([0.9, 0.8], [0, -1], 0)], "b": [hits([0.9, 0.8], [-4, -2], 1)]}
    assert highest_threshold(orders, 1, 0, 0) == pytest.approx(1 / (1 + np.exp(3)))
    assert highest_threshold(orders, 2, 1, 0) == pytest.approx(1 / (1 + np.exp(5))), "of the scaled logit"
    alone = {"a": [hits([0.9, 0.8], [-3, -2], 1)]}
    assert highest_threshold(alone, 1, 0, 0) == pytest.approx(1 / (1 + np.exp(2))), "nothing relevant is below"
    paid = {"a": [hits([0.9, 0.8], [-3, -9], 0), *[hits([0.9, 0.8], [-2.5, -2], 1)] * 5]}
    assert highest_threshold(paid, 1, 0, 0) == pytest.approx(1 / (1 + np.exp(2))), "five gains outweigh a loss"
    assert highest_threshold({"a": [hits([0.9], [1], None)]}, 1, 0, 0) == 0, "nothing tells"


def test_dense_hits_are_what_is_served(tiny_reranker: Reranker) -> None:
    texts = [f"the {a} leaves the {b} at {c}" for a in ("bus", "train") for b in ("station", "hill") for c in range(20)]
    long = "the shop sells bread " * 200
    rows = [Pair("the bus leaves", text, None, 1, "retrieval", "squadshifts", "1") for text in texts]
    rows += [
        Pair("bread in the shop", long, None, 1, "topic", "topics", "2"),
        Pair("a", "b", 1, 1, "general", "snli", "3"),
        Pair("who sells hats?", texts[0], 0, 0, "retrieval", "qed_nq", "4"),
    ]
    found = dense_hits(tiny_reranker, rows)
    assert set(found) == {"squadshifts", "topics"}, "sources with an answered query"
    assert len(found["squadshifts"]) == len(texts)
    for item in found["squadshifts"] + found["topics"]:
        assert len(item.cosines) == len(item.logits) == len(texts) + 1 <= DEPTH
        assert (np.diff(item.cosines) <= 0).all()
    (item,) = found["topics"]
    assert item.relevant is not None
    verdict = tiny_reranker.verify("bread in the shop", long, "passages")
    assert 1 / (1 + np.exp(-item.logits[item.relevant])) == pytest.approx(verdict.probability, abs=1e-5)
    assert dense_hits(tiny_reranker, []) == {}
