"""Hits of the engine in, their ranking out: each is read from its blob or its text, and marked if it has neither."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from plugin_server.candidate import Candidate
from plugin_server.errors import BlobOfOtherBundle, InvalidRequest
from plugin_server.gateway.context import HERE, Context
from plugin_server.gateway.recall import recall_of
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.ranking import Hit, Ranking, rank
from plugin_server.reranker import Reranker
from plugin_server.verdict import Verdict, unverified

Read = Callable[[Sequence[Candidate]], dict[str, Verdict]]


def candidates_of(hits: Sequence[dict[str, Any]], settings: GatewaySettings) -> list[Candidate]:
    """A candidate for each hit, its place among them as the id, the engine's score as it is.

    Example:
        >>> hits = [{"_id": "7", "_score": 0.9, "fields": {"text": ["a red", "car"]}}]
        >>> candidates_of(hits, GatewaySettings("http://localhost:9200"))
        [Candidate(text='a red car', id='0', score=0.9, blob='')]
    """
    result = []
    for place, hit in enumerate(hits):
        texts, blobs = _texts(hit, settings.text_field), _texts(hit, settings.blob_field)
        score = hit.get("_score")
        number = float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None
        result.append(Candidate(" ".join(texts), str(place), number, blobs[0] if blobs else ""))
    return result


def verify(reranker: Reranker, context: Context, candidates: Sequence[Candidate]) -> Ranking:
    """The ranking of the candidates; one that cannot be read is unverified, with the reason, and harms no other.

    Without a score for every candidate, as in a search that is sorted, the verdicts alone make the order.

    Raises:
        InvalidRequest: the query cannot be used, or the scores are not of the kind that the context says.
        BlobOfOtherBundle: with `Settings.on_mismatch` ``refuse``.
    """
    query = reranker.encoder.query(context.query, f"{HERE}.query_text")
    scores = [candidate.score for candidate in candidates if candidate.score is not None]
    whole = len(scores) == len(candidates)
    recall = [recall_of(score, context.scores) for score in scores] if whole else [0.0] * len(candidates)
    manifest = reranker.manifest

    def read(some: Sequence[Candidate]) -> dict[str, Verdict]:
        ranking = reranker.rerank(context.query, some, context.profile, "annotate", query)
        return {hit.candidate.id: hit.verdict for hit in ranking.hits}

    def mark(reason: str) -> Verdict:
        return unverified(reason, manifest, context.profile)

    refuses = reranker.settings.on_mismatch == "refuse"
    verdicts = _each(read, mark, [item for item in candidates if item.text or item.blob], refuses)
    empty = mark("the hit has neither a token blob nor a text: index it with one of them")
    listed = [verdicts.get(candidate.id, empty) for candidate in candidates]
    if not candidates:
        return Ranking((), ())
    return rank(candidates, listed, recall, manifest.profile(context.profile), context.policy)


def unread(reranker: Reranker, context: Context, candidates: Sequence[Candidate], reason: str) -> Ranking:
    """The candidates in the order given, with their own scores, each unverified for the reason."""
    verdict = unverified(reason, reranker.manifest, context.profile)
    hits = [Hit(item, verdict, item.score or 0.0, place) for place, item in enumerate(candidates)]
    return Ranking(tuple(hits), ())


def _each(
    read: Read, mark: Callable[[str], Verdict], candidates: Sequence[Candidate], refuses: bool
) -> dict[str, Verdict]:
    """A verdict for each candidate by its id; where reading several fails, the halves are read by themselves."""
    if not candidates:
        return {}
    try:
        return read(candidates)
    except InvalidRequest as error:
        if refuses and isinstance(error, BlobOfOtherBundle):
            raise
        if len(candidates) > 1:
            middle = len(candidates) // 2
            first = _each(read, mark, candidates[:middle], refuses)
            return first | _each(read, mark, candidates[middle:], refuses)
        only = candidates[0]
        if only.blob and only.text:
            return _each(read, mark, [Candidate(only.text, only.id, only.score)], refuses)
        return {only.id: mark(str(error).partition(": ")[2])}


def _texts(hit: dict[str, Any], field: str) -> list[str]:
    """The texts among a field's values."""
    fields = hit.get("fields")
    values = fields.get(field) if isinstance(fields, dict) else None
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
