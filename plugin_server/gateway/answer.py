"""The engine's response in, the caller's out: hits in their new order, marked, and the page cut."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from plugin_server.choices import Policy
from plugin_server.engines.stars import matches
from plugin_server.errors import EngineError
from plugin_server.gateway.ask import Ask
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.ranking import Hit, Ranking

#: The field of a hit that holds its verdict.
FIELD = "simgate"


def hits_of(response: Any) -> list[dict[str, Any]]:
    """The hits of a search response.

    Raises:
        EngineError: it is none.

    Example:
        >>> hits_of({"took": 1, "hits": {"hits": [{"_id": "7"}]}})
        [{'_id': '7'}]
    """
    hits = response.get("hits") if isinstance(response, dict) else None
    listed = hits.get("hits") if isinstance(hits, dict) else None
    if not isinstance(listed, list) or not all(isinstance(hit, dict) for hit in listed):
        raise EngineError("the engine's answer is no search response: hits.hits is not a list of objects")
    return listed


def answer(
    ask: Ask, response: dict[str, Any], ranking: Ranking, settings: GatewaySettings, failed: bool = False
) -> dict[str, Any]:
    """The caller's response: the engine's, with its hits verified.

    Args:
        ask: what was asked.
        response: the engine's, whose hits are `hits_of` it.
        ranking: of all these hits.
        failed: verification failed as a whole, so that the engine's scores and total stay.
    """
    fetched = hits_of(response)
    listed = sorted(ranking.hits, key=lambda hit: hit.position) if ask.search.ordered() else list(ranking.hits)
    page = listed[ask.start : ask.start + ask.size]
    hidden = [name for name in (settings.blob_field, settings.text_field) if not matches(name, ask.shown)]
    hits = dict(response["hits"])
    hits["hits"] = [_marked(fetched[hit.position], hit, hidden, failed) for hit in page]
    if ask.context.policy is Policy.FILTER and not failed and "total" in hits:
        hits["total"] = total_of(hits["total"], len(fetched), len(listed))
    if not failed and hits.get("max_score") is not None:
        hits["max_score"] = max((hit.score for hit in listed), default=None)
    return response | {"hits": hits}


def total_of(total: Any, fetched: int, kept: int) -> Any:
    """The number of hits under filter: exact if the engine had no more than were fetched, else a lower bound.

    Args:
        total: the engine's, an object or a number; anything but a number of hits stays as it is.
        fetched: hits that were verified.
        kept: those of them that were kept.

    Example:
        >>> total_of({"value": 30, "relation": "eq"}, 30, 12), total_of({"value": 31, "relation": "eq"}, 30, 12)
        ({'value': 12, 'relation': 'eq'}, {'value': 12, 'relation': 'gte'})
        >>> total_of(30, 30, 12), total_of(-1, 30, 12), total_of(None, 30, 12)
        (12, -1, None)
    """
    if isinstance(total, dict):
        whole = total.get("relation") == "eq" and isinstance(total.get("value"), int) and total["value"] <= fetched
        return {"value": kept, "relation": "eq" if whole else "gte"}
    return kept if isinstance(total, int) and total >= 0 else total


def kept_of(response: Any, ranking: Ranking) -> Sequence[dict[str, Any]]:
    """The engine's hits that were kept."""
    fetched = hits_of(response)
    return [fetched[hit.position] for hit in ranking.hits]


def _marked(given: dict[str, Any], hit: Hit, hidden: Collection[str], failed: bool) -> dict[str, Any]:
    """A hit with its score and its verdict, without the values that simgate alone asked for."""
    fields = given.get("fields")
    shown = {name: value for name, value in fields.items() if name not in hidden} if isinstance(fields, dict) else {}
    verdict = hit.verdict
    mark = {
        "verdict": verdict.outcome.value,
        "probability": verdict.probability,
        "threshold": verdict.threshold,
        "profile": verdict.profile,
        "calibration": verdict.calibration,
        "recall_score": hit.candidate.score,
        "unmatched": list(verdict.unmatched),
        "reason": verdict.reason,
    }
    result = given | {"fields": shown | {FIELD: [mark]}}
    if not failed and given.get("_score") is not None:
        result["_score"] = hit.score
    return result
