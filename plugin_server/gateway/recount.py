"""Aggregations over the hits that were kept: a second request to the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from plugin_server.errors import EngineError
from plugin_server.gateway.ask import Ask
from plugin_server.gateway.params import Params

NAMES = ("aggs", "aggregations")
#: Options of the search that decide where and on what aggregations run.
BODY = (*NAMES, "runtime_mappings", "derived", "pit", "timeout")
PARAMS = (
    *("routing", "preference", "ignore_unavailable", "allow_no_indices", "expand_wildcards", "ignore_throttled"),
    *("allow_partial_search_results", "ccs_minimize_roundtrips", "max_concurrent_shard_requests", "project_routing"),
    *("timeout", "cancel_after_time_interval", "rest_total_hits_as_int", "typed_keys", "human", "error_trace"),
)


def recount(ask: Ask, kept: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The body of a search whose aggregations are over the kept hits alone.

    Hits are found again by their index and id, and counted, so that `merged` notices if one is not.

    Raises:
        EngineError: a hit has no index or id.
    """
    ids: dict[str, list[str]] = defaultdict(list)
    for hit in kept:
        index, identity = hit.get("_index"), hit.get("_id")
        if not isinstance(index, str) or not isinstance(identity, str):
            raise EngineError("aggregations: the engine's answer has a hit without _index or _id")
        ids[index].append(identity)
    groups = [
        {"bool": {"filter": [{"term": {"_index": index}}, {"ids": {"values": values}}]}}
        for index, values in ids.items()
    ]
    query = {"bool": {"filter": [{"bool": {"should": groups}}]}} if groups else {"match_none": {}}
    body = {name: value for name, value in ask.search.body.items() if name in BODY}
    if "search_pipeline" in ask.search.body:
        body["search_pipeline"] = "_none"
    return body | {"size": 0, "query": query, "track_total_hits": True}


def recount_params(params: Params) -> Params:
    """The URL parameters of that search, from the first one's."""
    kept = params.only(PARAMS).raw
    none = "search_pipeline=_none" if params.get("search_pipeline") is not None else ""
    return Params("&".join(part for part in (kept, none) if part))


def merged(response: dict[str, Any], second: Any, kept: int) -> dict[str, Any]:
    """The response with the second one's aggregations, and with its failures if it has any.

    Raises:
        EngineError: the second response cannot be read, or is not over the kept hits.
    """
    try:
        total = second["hits"]["total"]
        found = total if isinstance(total, int) else total["value"]
        late, shards = second["timed_out"], second["_shards"]
        partial = bool(late or shards["failed"])
        aggregations = second["aggregations"]
    except (KeyError, TypeError):
        raise EngineError("aggregations: the engine's answer for the kept hits cannot be read") from None
    if found != kept and not partial:
        raise EngineError(
            f"aggregations: the engine found {found} of the {kept} kept hits again: documents were changed meanwhile, "
            "send the search again; or set ext.simgate.aggregations to recall"
        )
    result = response | {"aggregations": aggregations}
    if partial:
        result["timed_out"] = response.get("timed_out") or late
        first = response.get("_shards")
        if not (isinstance(first, dict) and first.get("failed")):
            result["_shards"] = shards
    return result
