"""Hits of the engine in, their ranking out: each is read from its blob or its text, and marked if it has neither."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from plugin_server.candidate import Candidate
from plugin_server.encoder import Encoded
from plugin_server.errors import EngineError
from plugin_server.gateway.context import Context
from plugin_server.gateway.recall import recall_of
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.ranking import Ranking
from plugin_server.reranker import Reranker


def candidates_of(hits: Sequence[dict[str, Any]], settings: GatewaySettings) -> list[Candidate]:
    """A candidate for each hit, its place among them as the id, the engine's score as it is.

    Raises:
        EngineError: a score is not finite.

    Example:
        >>> hits = [{"_id": "7", "_score": 0.9, "fields": {"text": ["a red", "car"]}}]
        >>> candidates_of(hits, GatewaySettings("http://localhost:9200"))
        [Candidate(text='a red car', id='0', score=0.9, blob='')]
    """
    result = []
    for place, hit in enumerate(hits):
        texts, blobs = _texts(hit, settings.text_field), _texts(hit, settings.blob_field)
        result.append(Candidate(" ".join(texts), str(place), _score(hit), blobs[0] if blobs else ""))
    return result


def verify(
    reranker: Reranker, context: Context, candidates: Sequence[Candidate], query: Encoded, wanted: int = 0
) -> Ranking:
    """The ranking of the candidates; one that cannot be read is unverified, with the reason, and harms no other.

    Without a score for every candidate, as in a search that is sorted, the verdicts alone make the order.

    Args:
        wanted: accepted hits after which a cascade ends; 0 for all.

    Raises:
        InvalidRequest: the scores are not of the kind that the context says.
        BlobOfOtherBundle: with `Settings.on_mismatch` ``refuse``.
    """
    if not candidates:
        return Ranking((), ())
    whole = all(candidate.score is not None for candidate in candidates)
    recall = [recall_of(item.score or 0.0, context.scores) if whole else 0.0 for item in candidates]
    listed = [replace(item, score=score) for item, score in zip(candidates, recall, strict=True)]
    ranking = reranker.rerank(
        context.query, listed, context.profile, context.policy, query, lenient=True, field="hits",
        calibration=context.calibration, verification=context.verification, wanted=wanted or len(candidates),
    )  # fmt: skip
    hits, dropped = (
        tuple(replace(hit, candidate=candidates[hit.position]) for hit in some)
        for some in (ranking.hits, ranking.dropped)
    )
    return Ranking(hits, dropped)


def unread(reranker: Reranker, context: Context, candidates: Sequence[Candidate], reason: str) -> Ranking:
    """The candidates in the order given, with their own scores, each unverified for the reason."""
    return reranker.unverified(candidates, context.profile, reason, context.calibration, context.policy)


def _score(hit: dict[str, Any]) -> float | None:
    """A hit's score, if it has one."""
    score = hit.get("_score")
    if not isinstance(score, int | float) or isinstance(score, bool):
        return None
    if not abs(score) <= sys.float_info.max:
        raise EngineError("the engine's answer is no search response: a hit's _score is not a finite number")
    return float(score)


def _texts(hit: dict[str, Any], field: str) -> list[str]:
    """The texts among a field's values."""
    fields = hit.get("fields")
    values = fields.get(field) if isinstance(fields, dict) else None
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
