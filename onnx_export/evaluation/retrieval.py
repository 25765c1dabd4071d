"""Retrieval through the served graphs: the recall order of a collection, and what reranking makes of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import RR, nDCG
from numpy.typing import NDArray

from onnx_export.evaluation.scores import Progress, encode_texts
from onnx_export.sources import Collection
from plugin_server.blob import TokenMatrix
from plugin_server.candidate import Candidate
from plugin_server.choices import Policy
from plugin_server.ranking import rank
from plugin_server.reranker import Reranker
from plugin_server.verdict import Outcome, Verdict, judge

#: Hits of the dense search that are reranked.
DEPTH = 100
PROFILE = "passages"
MEASURES = {"ndcg@10": nDCG @ 10, "mrr@10": RR @ 10}


@dataclass(frozen=True, slots=True)
class Stored:
    """An encoded collection, as an index would hold it.

    Attributes:
        names: of the documents, d of them.
        vectors: (w, recall_dimension), a row for each window, document after document.
        tokens: (t, token_dimension) int8, the windows' rows one after another.
        lengths: (w,) rows of each window.
        counts: (d,) windows of each document.
    """

    names: list[str]
    vectors: NDArray[np.float32]
    tokens: TokenMatrix
    lengths: NDArray[np.int64]
    counts: NDArray[np.int64]

    def cosines(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """(d,) cosine of the query's recall vector with each document's best window."""
        first = np.cumsum(self.counts) - self.counts
        best: NDArray[np.float32] = np.maximum.reduceat(self.vectors @ query, first)
        return best

    def windows(self) -> list[list[TokenMatrix]]:
        """The token matrices of each document's windows."""
        flat = iter(np.split(self.tokens, np.cumsum(self.lengths)[:-1]))
        return [[next(flat) for _ in range(count)] for count in self.counts]


def store(reranker: Reranker, collection: Collection, cache: Path | None, progress: Progress) -> Stored:
    """The collection encoded, or read from `cache`, where it lies by the encoder's fingerprint and the texts."""
    names = list(collection.documents)
    digest = hashlib.sha256("\0".join(collection.documents.values()).encode()).hexdigest()[:8]
    path = cache / f"{reranker.manifest.fingerprint}-{collection.name}-{digest}.npz" if cache else None
    if path and path.exists():
        with np.load(path) as kept:
            return Stored(names, **kept)
    encoded = encode_texts(reranker, list(collection.documents.values()), progress, collection.name)
    windows = [window for item in encoded for window in item.windows]
    parts: dict[str, Any] = {
        "vectors": np.concatenate([item.vectors for item in encoded]),
        "tokens": np.concatenate(windows),
        "lengths": np.array([len(window) for window in windows], np.int64),
        "counts": np.array([len(item.windows) for item in encoded], np.int64),
    }
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **parts)
    return Stored(names, **parts)


def evaluate_collection(
    reranker: Reranker, collection: Collection, cache: Path | None, progress: Progress
) -> dict[str, Any]:
    """nDCG@10 and MRR@10 by order, each with its difference from the recall order, and what was rejected.

    Orders: ``recall``, each policy at the shipped threshold and blend, and for comparison ``maxsim`` and
    ``probability``, the same hits by either score alone. Dropped documents are absent from the ranking.
    """
    stored = store(reranker, collection, cache, progress)
    windows = stored.windows()
    runs: dict[str, dict[str, dict[str, float]]] = {}
    counts = dict.fromkeys(("relevant", "relevant_rejected", "other", "other_rejected"), 0)
    for done, (name, text) in enumerate(collection.queries.items(), 1):
        query = reranker.encoder.query(text)
        cosines = stored.cosines(query.vectors[0])
        top = np.argsort(-cosines, kind="stable")[:DEPTH]
        readings = iter(
            reranker.verifier.read([(query.windows[0], window) for place in top for window in windows[place]])
        )
        verdicts = [
            judge(text, query, [next(readings) for _ in windows[place]], reranker.manifest, PROFILE) for place in top
        ]
        candidates = [Candidate(id=stored.names[place]) for place in top]
        for order, ranked in _orders(reranker, candidates, verdicts, [float(cosines[place]) for place in top]).items():
            runs.setdefault(order, {})[name] = {document: -float(place) for place, document in enumerate(ranked)}
        for candidate, verdict in zip(candidates, verdicts, strict=True):
            kind = "relevant" if candidate.id in collection.qrels[name] else "other"
            counts[kind] += 1
            counts[f"{kind}_rejected"] += verdict.outcome is Outcome.REJECTED
        progress(done, len(collection.queries), f"{collection.name}: queries")
    knobs = reranker.manifest.profile(PROFILE)
    return {
        "documents": len(stored.names),
        "queries": len(collection.queries),
        "depth": DEPTH,
        "threshold": knobs.threshold,
        "blend": knobs.blend,
        "orders": _figures(runs, collection.qrels),
        "rejected": {
            **counts,
            "share_of_relevant": counts["relevant_rejected"] / max(1, counts["relevant"]),
            "share_of_other": counts["other_rejected"] / max(1, counts["other"]),
        },
    }


def _orders(
    reranker: Reranker, candidates: list[Candidate], verdicts: list[Verdict], recall: list[float]
) -> dict[str, list[str]]:
    """Document names best first, by order."""
    knobs = reranker.manifest.profile(PROFILE)
    orders = {"recall": [candidate.id for candidate in candidates]}
    for policy in Policy:
        hits = rank(candidates, verdicts, recall, knobs, policy).hits
        orders[policy.value] = [hit.candidate.id for hit in hits]
    for name in ("maxsim", "probability"):
        scores = [getattr(verdict, name) for verdict in verdicts]
        orders[name] = [candidates[place].id for place in np.argsort(np.negative(scores), kind="stable")]
    return orders


def _figures(runs: dict[str, dict[str, dict[str, float]]], qrels: dict[str, dict[str, int]]) -> dict[str, Any]:
    """By order and measure: the mean, the difference from ``recall`` and its 95 % interval."""
    values = {order: _by_query(run, qrels) for order, run in runs.items()}
    return {
        order: {
            measure: {
                "mean": float(found.mean()),
                "difference": float((found - values["recall"][measure]).mean()),
                "interval": paired_interval(found - values["recall"][measure]),
            }
            for measure, found in named.items()
        }
        for order, named in values.items()
    }


def _by_query(run: dict[str, dict[str, float]], qrels: dict[str, dict[str, int]]) -> dict[str, NDArray[np.float64]]:
    """Each measure's value for every judged query; 0 where the run is empty."""
    found = {
        (str(row.measure), row.query_id): row.value for row in ir_measures.iter_calc(MEASURES.values(), qrels, run)
    }
    return {
        name: np.array([found.get((str(measure), query), 0.0) for query in qrels]) for name, measure in MEASURES.items()
    }


def paired_interval(differences: NDArray[np.float64], rounds: int = 2000, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval (low, high) of the mean difference, queries drawn with replacement.

    Example:
        >>> paired_interval(np.array([0.25, 0.25, 0.25]))
        (0.25, 0.25)
    """
    drawn = np.random.default_rng(seed).integers(len(differences), size=(rounds, len(differences)))
    low, high = np.quantile(differences[drawn].mean(1), (0.025, 0.975))
    return float(low), float(high)
