"""Every figure of a bundle, measured through the graphs that are served."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from onnx_export import sources
from onnx_export.evaluation import PARTS
from onnx_export.evaluation.graphs import PAIRS, PARITY_TEXTS, batch_invariance, recall_parity, spread
from onnx_export.evaluation.pairs import evaluate_sets, read_triples
from onnx_export.evaluation.report import markdown
from onnx_export.evaluation.retrieval import evaluate_collection
from onnx_export.evaluation.scores import Progress, silent
from onnx_export.evaluation.speed import speed
from onnx_export.pair import Pair
from plugin_server.bundle import Bundle
from plugin_server.reranker import Reranker
from plugin_server.settings import Settings

__all__ = ["evaluate", "markdown"]

Item = TypeVar("Item")


def evaluate(
    bundle: Bundle,
    data: Path,
    progress: Progress = silent,
    *,
    triples: Path | None = None,
    cache: Path | None = None,
    only: Collection[str] = PARTS,
    sample: int = 0,
    threads: int = 2,
) -> dict[str, Any]:
    """The report: a key for each part measured, the bundle, and the seconds each part took.

    Args:
        data: folder of the data sets.
        progress: told how much of how much is done, and of what.
        triples: a JSON-lines file of anchor, paraphrase, near_miss and category, reported as set ``triples``.
        cache: folder for encoded collections; the next evaluation with the same encoder reads them.
        only: names in `PARTS`.
        sample: at most this many rows a set and queries a collection, evenly drawn; 0 for all.
        threads: of onnxruntime.

    Raises:
        DataMissing: a data set is not in `data`.
        ValueError: `only` names an unknown part.
    """
    if unknown := set(only) - set(PARTS):
        raise ValueError(f"only: {', '.join(sorted(unknown))}: the parts are {', '.join(PARTS)}")
    reranker = Reranker(bundle, Settings(threads=threads))
    sets: dict[str, list[Pair]] = {}
    if {"pairs", "parity", "invariance"} & set(only):
        sets = {name: every(rows, sample) for name, rows in sources.report_pairs(data).items()}

    def pairs() -> dict[str, Any]:
        return evaluate_sets(reranker, sets | ({"triples": read_triples(triples)} if triples else {}), progress)

    def retrieval() -> dict[str, Any]:
        collections = [some_queries(load(data), sample) for load in (sources.scifact, sources.cranfield)]
        return {item.name: evaluate_collection(reranker, item, cache, progress) for item in collections}

    def parity() -> dict[str, Any]:
        texts = [text for rows in sets.values() for row in rows for text in (row.query, row.document)]
        abstracts = list(sources.scifact(data).documents.values())
        words = sorted({word for text in texts for word in text.split() if word.isalpha()})
        count = min(PARITY_TEXTS, sample or PARITY_TEXTS)
        shares = ((texts, count // 2), (abstracts, count // 4), (words, count - count // 2 - count // 4))
        return recall_parity(reranker, [text for pool, part in shares for text in spread(pool, part)], progress)

    def invariance() -> dict[str, Any]:
        rows = [row for named in sets.values() for row in named]
        return batch_invariance(reranker, every(rows, PAIRS), progress)

    tasks: dict[str, Callable[[], dict[str, Any]]] = {
        "pairs": pairs,
        "retrieval": retrieval,
        "parity": parity,
        "invariance": invariance,
        "speed": lambda: speed(bundle, threads),
    }
    manifest = bundle.manifest
    report: dict[str, Any] = {
        "bundle": {"name": manifest.name, "fingerprint": manifest.fingerprint, "files": manifest.files},
        "sample": sample,
        "threads": threads,
        "seconds": {},
    }
    for name in PARTS:
        if name in only:
            started = time.monotonic()
            report[name] = tasks[name]()
            report["seconds"][name] = round(time.monotonic() - started, 1)
    return report


def every(rows: Sequence[Item], count: int) -> list[Item]:
    """At most `count` rows, evenly drawn in their order; all of them for 0.

    Example:
        >>> every("abcdef", 3), every("abc", 0)
        (['a', 'c', 'e'], ['a', 'b', 'c'])
    """
    if not 0 < count < len(rows):
        return list(rows)
    return [rows[number * len(rows) // count] for number in range(count)]


def some_queries(collection: sources.Collection, count: int) -> sources.Collection:
    """The collection with at most `count` of its queries, all documents kept; all queries for 0."""
    names = every(list(collection.queries), count)
    queries, qrels = ({name: part[name] for name in names} for part in (collection.queries, collection.qrels))
    return replace(collection, queries=queries, qrels=qrels)  # type: ignore[arg-type]
