"""How much the verifier may change a dense order: weight and threshold of ``passages``, fitted on held-out passages.

The dense top hits of held-out queries are verified, in a collection of all held-out passages. Where a bundle will be
used is not known, so what counts is the held-out source that fares worst.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onnx_export.evaluation.retrieval import store
from onnx_export.evaluation.scores import silent
from onnx_export.pair import Pair
from onnx_export.sources import Collection
from plugin_server.bundle import PROFILES
from plugin_server.reranker import Reranker

#: Sources of queries with the passages that answer them or are about them.
RETRIEVAL = ("squadshifts", "qed_nq", "topics")
CATEGORIES = ("retrieval", "topic")
#: Queries of a source, and hits of the dense search that are verified.
QUERIES, DEPTH = 300, 100
#: Weights of the log-odds beside the recall cosine that are tried.
WEIGHTS = (0.0, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.07, 0.1)

Orders = Mapping[str, Sequence["Hits"]]


@dataclass(frozen=True, slots=True)
class Hits:
    """The dense hits of one query, best first.

    Attributes:
        cosines, logits: (k,) recall cosine and logit of ``passages``, each of the document's best window.
        relevant: place of the query's passage among the hits; None if dense search did not find it.
    """

    cosines: NDArray[np.float64]
    logits: NDArray[np.float64]
    relevant: int | None

    def ndcg(self, scores: NDArray[np.float64]) -> float:
        """nDCG@10 by other scores; a hit at minus infinity is dropped. Equal scores keep the dense order.

        One document is relevant, so it is 1 / log2(1 + its rank).

        Example:
            >>> Hits(np.array([0.9, 0.8]), np.zeros(2), relevant=1).ndcg(np.array([0.9, 0.8]))
            0.6309297535714575
        """
        if self.relevant is None or scores[self.relevant] == -np.inf:
            return 0.0
        own = scores[self.relevant]
        before = np.count_nonzero(scores > own) + np.count_nonzero(scores[: self.relevant] == own)
        return float(1 / np.log2(2 + before)) if before < 10 else 0.0


def dense_hits(reranker: Reranker, rows: Sequence[Pair]) -> dict[str, list[Hits]]:
    """For each source of `RETRIEVAL` that the rows hold, the verified dense hits of its queries."""
    rows = [row for row in rows if row.source in RETRIEVAL and row.category in CATEGORIES]
    texts = sorted({row.document for row in rows})
    found: dict[str, list[Hits]] = {}
    if not texts:
        return found
    place = {text: number for number, text in enumerate(texts)}
    stored = store(reranker, Collection("heldout", {text: text for text in texts}, {}, {}), None, silent)
    windows = stored.windows()
    for source in RETRIEVAL:
        asked = [row for row in rows if row.source == source and row.passages == 1]
        for row in asked[:: max(1, -(-len(asked) // QUERIES))]:
            (query,) = reranker.encode([row.query])
            cosines = stored.cosines(query.vectors[0])
            top = np.argsort(-cosines, kind="stable")[:DEPTH]
            pairs = [(query.windows[0], window) for number in top for window in windows[number]]
            readings = iter(reranker.verifier.read(pairs))
            column = PROFILES.index("passages")
            logits = [max(next(readings).logits[column] for _ in windows[number]) for number in top]
            seen = np.flatnonzero(top == place[row.document])
            hits = Hits(cosines[top].astype(float), np.array(logits, float), int(seen[0]) if len(seen) else None)
            found.setdefault(source, []).append(hits)
    return found


def best_weight(orders: Orders, scale: float, bias: float) -> float:
    """The weight of the log-odds whose smallest gain in nDCG@10 over the sources is largest; 0 without sources."""
    if not orders:
        return 0.0
    return max(WEIGHTS, key=lambda weight: min(gains(orders, scale, bias, weight, -np.inf)))


def highest_threshold(orders: Orders, scale: float, bias: float, weight: float) -> float:
    """The highest probability up to which dropping hits leaves no source with a lower nDCG@10 than the dense order.

    What is tried are the probabilities of the relevant documents, from the lowest on: between two of them a filter only
    gains.
    """
    found = [item.logits[item.relevant] for hits in orders.values() for item in hits if item.relevant is not None]
    highest = -np.inf
    for limit in sorted(scale * float(logit) + bias for logit in found):
        if min(gains(orders, scale, bias, weight, limit)) < 0:
            break
        highest = limit
    return float(1 / (1 + np.exp(-highest)))


def gains(orders: Orders, scale: float, bias: float, weight: float, limit: float) -> list[float]:
    """For each source the mean nDCG@10 above that of the dense order, hits with log-odds below `limit` dropped."""
    result = []
    for hits in orders.values():
        odds = [scale * item.logits + bias for item in hits]
        scores = [
            np.where(values >= limit, item.cosines + weight * values, -np.inf)
            for item, values in zip(hits, odds, strict=True)
        ]
        result.append(mean(hits, scores) - mean(hits, [item.cosines for item in hits]))
    return result


def mean(hits: Sequence[Hits], scores: Sequence[NDArray[np.float64]]) -> float:
    """The mean nDCG@10 of the queries by those scores."""
    return float(np.mean([item.ndcg(values) for item, values in zip(hits, scores, strict=True)]))
