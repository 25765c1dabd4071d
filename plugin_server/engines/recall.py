"""What to ask an engine for the dense hits of a query, and its hits as documents with cosines and blobs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plugin_server.engines.connection import Engine, reason, shaped
from plugin_server.engines.document import documented, numbers
from plugin_server.engines.layout import BLOB, BUNDLE, DIGEST, WINDOWS, WINDOWS_PATTERN, Layout, Mapped
from plugin_server.engines.target import path
from plugin_server.index import Found
from plugin_server.search import Question


def body(
    question: Question, engine: str, vector: NDArray[np.float32], layout: Layout, mapped: Mapped
) -> dict[str, Any]:
    """The search's body.

    Args:
        engine: ``opensearch`` or ``elasticsearch``.
        vector: of the query.
    """
    asked: dict[str, Any] = {"size": question.k, "_source": {"excludes": [WINDOWS_PATTERN, BUNDLE, DIGEST]}}
    if question.recall_query is not None:
        return asked | {"query": _filtered(question.recall_query, question.filter)}
    words = _filtered({"match": {layout.text: question.query}}, question.filter)
    limited = {"filter": question.filter} if question.filter else {}
    listed = numbers(vector, mapped)
    if engine == "elasticsearch":
        near: dict[str, Any] = {
            "field": layout.vector,
            "query_vector": listed,
            "k": question.k,
            "num_candidates": _candidates(question.k),
        }
        return asked | {"knn": near | limited} | ({"query": words} if question.hybrid else {})
    close = {"knn": {layout.vector: {"vector": listed, "k": question.k} | limited}}
    nested = {"nested": {"path": WINDOWS, "score_mode": "max", "query": close}}
    return asked | {"query": {"hybrid": {"queries": [words, nested]}} if question.hybrid else nested}


def founds(answer: Any, question: Question, layout: Layout, mapped: Mapped) -> tuple[Found, ...]:
    """The hits of an engine's answer, nearest first.

    Raises:
        EngineError: the answer is not that of a search.
    """
    with shaped("a search"):
        hits: Sequence[dict[str, Any]] = answer["hits"]["hits"]
        return tuple(
            _found(hit, identity, question, layout, mapped) for hit, identity in zip(hits, _ids(hits), strict=True)
        )


def _ids(hits: Sequence[dict[str, Any]]) -> list[str]:
    """An id for each hit that no other has.

    Example:
        >>> _ids([{"_index": "a", "_id": "1"}, {"_index": "b", "_id": "1"}, {"_index": "b", "_id": "2"}])
        ['a/1', 'b/1', '2']
        >>> _ids([{"_index": "a", "_id": "1"}, {"_index": "a", "_id": "1", "_routing": "x"}])
        ['a/1', 'a/1/x']
    """
    ids = Counter(hit["_id"] for hit in hits)
    ambiguous = [ids[hit["_id"]] > 1 for hit in hits]
    full = [
        f"{hit['_index']}/{hit['_id']}" if again else hit["_id"] for hit, again in zip(hits, ambiguous, strict=True)
    ]
    # routing may put documents of one id side by side, each in a shard of its own
    known = Counter(full)
    return [
        f"{name}/{hit['_routing']}" if known[name] > 1 and "_routing" in hit else name
        for hit, name in zip(hits, full, strict=True)
    ]


def _found(hit: dict[str, Any], identity: str, question: Question, layout: Layout, mapped: Mapped) -> Found:
    fields = hit.get("_source", {})
    score = float(hit["_score"] or 0.0)
    if not math.isfinite(score):
        raise ValueError(f"_score {score}")
    blob = fields.get(BLOB, "")
    document = documented(identity, fields, layout)
    return Found(document, mapped.cosine(score) if question.dense else score, blob if isinstance(blob, str) else "")


def _filtered(query: dict[str, Any], condition: dict[str, Any] | None) -> dict[str, Any]:
    return {"bool": {"must": [query], "filter": [condition]}} if condition else query


def _candidates(k: int) -> int:
    """How many neighbours of each shard are looked at: half as many again as are wanted, at most what is allowed."""
    return min(10_000, k + k // 2)


def incomplete(answer: Any) -> str:
    """Why hits may be missing from an engine's answer, else empty.

    Example:
        >>> incomplete({"_shards": {"total": 2, "failed": 1, "failures": [{"reason": {"reason": "x"}}]}})
        '1 of 2 shards failed: error: x'
        >>> incomplete({"timed_out": True, "_shards": {"total": 2, "failed": 0}})
        'the engine ran out of time'
    """
    shards = answer.get("_shards", {}) if isinstance(answer, dict) else {}
    if shards.get("failed"):
        first: dict[str, Any] = next(iter(shards.get("failures", [])), {})
        said = f"{shards['failed']} of {shards['total']} shards failed: {reason({'error': first.get('reason', {})})}"
        return said.encode("utf-8", "replace").decode()
    return "the engine ran out of time" if isinstance(answer, dict) and answer.get("timed_out") else ""


async def find(
    engine: Engine, question: Question, vector: NDArray[np.float32], mapped: Mapped
) -> tuple[tuple[Found, ...], str]:
    """The hits of a query, nearest first, and why some may be missing.

    Raises:
        EngineError: the engine cannot be asked, or refuses the query.
    """
    asked = body(question, engine.kind, vector, engine.layout, mapped)
    piped = question.hybrid and engine.kind == "opensearch"
    params = {"search_pipeline": engine.settings.hybrid_pipeline} if piped else None
    answer = await engine.request("POST", f"/{path(question.index)}/_search", asked, params)
    found = founds(answer, question, engine.layout, mapped)
    with shaped("a search"):
        return found, incomplete(answer)
