"""Every option of a search that is known, and what becomes of it when hits are verified: the tables specify it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from plugin_server.choices import Policy
from plugin_server.errors import InvalidField
from plugin_server.gateway.context import Context
from plugin_server.gateway.params import Params

#: Aggregations whose result depends on scores, which a second request over the kept hits does not have.
SCORED = ("top_hits", "sampler", "diversified_sampler")


class Fate(StrEnum):
    """What happens to an option: the engine reads it as it is, simgate reads it, or the search is refused."""

    HONOURED = "honoured"
    HANDLED = "handled"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Search:
    """A search with a rerank context, as the caller sent it."""

    body: Mapping[str, Any]
    params: Params
    context: Context

    def recounts(self) -> bool:
        """Whether aggregations are to be computed over the kept hits."""
        asked = self.body.get("aggs") or self.body.get("aggregations")
        return bool(asked) and self.context.policy is Policy.FILTER and self.context.aggregations == "kept"

    def ordered(self) -> bool:
        """Whether the hits' order is the caller's: a sort by anything but falling scores."""
        given = self.body.get("sort", [])
        entries = [*given] if isinstance(given, list) else [given]
        entries += [part for part in (self.params.get("sort") or "").split(",") if part]  # engines add them
        return not all(entry in FALLING for entry in entries)


FALLING: tuple[Any, ...] = (
    "_score",
    "_score:desc",
    {"_score": "desc"},
    {"_score": {}},
    {"_score": {"order": "desc"}},
)


@dataclass(frozen=True, slots=True)
class Option:
    """A row of the table.

    Attributes:
        fate: what happens to it.
        remark: what that means; for one that is refused, or for the searches in which it is, why.
        clashes: whether this search must be refused because of it.
    """

    fate: Fate
    remark: str
    clashes: Callable[[Search], bool] = lambda search: False


def _honoured(remark: str, clashes: Callable[[Search], bool] = lambda search: False) -> Option:
    return Option(Fate.HONOURED, remark, clashes)


def _handled(remark: str, clashes: Callable[[Search], bool] = lambda search: False) -> Option:
    return Option(Fate.HANDLED, remark, clashes)


def _refused(remark: str, clashes: Callable[[Search], bool] = lambda search: True) -> Option:
    return Option(Fate.REFUSED, remark, clashes)


def _scored_aggregations(search: Search) -> bool:
    return search.recounts() and _depends_on_scores([search.body.get("aggs"), search.body.get("aggregations")])


def _depends_on_scores(value: Any, key: str = "") -> bool:
    """Whether something in an aggregation reads `_score`, or keeps the best-scored hits."""
    if isinstance(value, dict):
        if key == "top_hits" and "sort" in value:
            value = {"sort": value["sort"]}
        elif key in SCORED:
            return True
        return any(_depends_on_scores(inner, name) for name, inner in value.items()) or "_score" in value
    if isinstance(value, list):
        return any(_depends_on_scores(inner) for inner in value)
    return isinstance(value, str) and re.search(r"(?<!\w)_score(?!\w)", value) is not None


def _no_order(search: Search) -> bool:
    return not search.ordered()


def _demotes(search: Search) -> bool:
    return search.context.policy is Policy.DEMOTE and search.ordered()


#: Keys of a search body. One that is not here goes to the engine, which refuses what it does not know.
BODY: dict[str, Option] = {
    "query": _honoured("the recall"),
    "knn": _honoured("the recall; a k that is not given follows size, which is ext.simgate.k"),
    "retriever": _honoured("the recall; the engine wants a rank_window_size of at least ext.simgate.k"),
    "rank": _honoured("the recall"),
    "sub_searches": _honoured("the recall"),
    "from": _handled("the page is cut after ranking"),
    "size": _handled("the page is cut after ranking; with 0 nothing is verified unless aggregations need it"),
    "sort": _handled(
        "the engine's order is kept: filter drops hits from it, annotate marks them; demote contradicts it", _demotes
    ),
    "search_after": _handled(
        "goes on behind the last hit shown, which needs an order of the engine's: give sort by a field", _no_order
    ),
    "fields": _handled("the blob and the text are asked for besides, and taken out again"),
    "_source": _honoured("as it is; when no option says which source to send, it comes without simgate's own fields"),
    "ext": _handled("rerank and simgate are taken out, the rest stays"),
    "aggs": _handled(
        "under filter over the kept hits, in a second request; that has no scores, which these aggregations read: "
        "give top_hits a sort, or set ext.simgate.aggregations to recall",
        _scored_aggregations,
    ),
    "aggregations": _handled(
        "under filter over the kept hits, in a second request; that has no scores, which these aggregations read: "
        "give top_hits a sort, or set ext.simgate.aggregations to recall",
        _scored_aggregations,
    ),
    "post_filter": _honoured(
        "aggregations are to count what it takes from the hits, but under filter count the kept hits alone: "
        "set ext.simgate.aggregations to recall",
        Search.recounts,
    ),
    "track_total_hits": _honoured("under filter the total is what was kept, a lower bound beyond ext.simgate.k"),
    "track_scores": _honoured("with sort: hits have scores, which are simgate's"),
    "min_score": _honoured("holds for the engine's own scores"),
    "collapse": _honoured("a group is its best hit for the engine: that hit is verified, and the group goes with it"),
    "rescore": _honoured("the rescored scores count as recall"),
    "highlight": _honoured("of every hit that is verified, so that it costs more"),
    "explain": _honoured("explains the engine's score, which is fields.simgate.recall_score"),
    "profile": _honoured("of the engine's work"),
    "suggest": _honoured("does not depend on hits"),
    "stored_fields": _honoured(
        "without ids nothing can be verified: leave out _none_",
        lambda search: search.body["stored_fields"] in ("_none_", ["_none_"]),
    ),
    "docvalue_fields": _honoured("as it is"),
    "script_fields": _honoured("as it is; the engine sends no source with them unless asked"),
    "runtime_mappings": _honoured("as it is, for aggregations too"),
    "derived": _honoured("as it is, for aggregations too"),
    "pit": _honoured("as it is, for aggregations too"),
    "slice": _honoured("each slice is verified by itself"),
    "timeout": _honoured("of the engine's work; timed_out stays visible"),
    "terminate_after": _honoured("of the engine's work"),
    "version": _honoured("as it is"),
    "seq_no_primary_term": _honoured("as it is"),
    "indices_boost": _honoured("changes scores: ext.simgate.scores may have to be raw"),
    "include_named_queries_score": _honoured("as it is"),
    "stats": _honoured("as it is"),
    "search_pipeline": _honoured("runs in the engine before verification; a rerank processor in it lacks its ext"),
    "verbose_pipeline": _refused(
        "would show the hits before verification", lambda search: bool(search.body["verbose_pipeline"])
    ),
}
#: URL parameters of a search that change what its hits or its response are; all others go to the engine.
PARAMS: dict[str, Option] = {
    "from": _handled("as in the body, and wins over it"),
    "size": _handled("as in the body, and wins over it"),
    "sort": _handled("adds to the body's: filter drops hits from that order; demote contradicts it", _demotes),
    "source": _handled("the body, in the URL: goes on as a body"),
    "source_content_type": _handled("goes with source"),
    "rest_total_hits_as_int": _honoured("the total is a number"),
    "typed_keys": _honoured("for aggregations over the kept hits too"),
    "pretty": _honoured("indents"),
    "human": _honoured("as it is"),
    "q": _honoured("the recall: its scores are raw"),
    "_source": _honoured("as in the body"),
    "_source_includes": _honoured("as in the body"),
    "_source_excludes": _honoured("as in the body"),
    "stored_fields": _honoured(
        "without ids nothing can be verified: leave out _none_",
        lambda search: search.params.get("stored_fields") == "_none_",
    ),
    "docvalue_fields": _honoured("as it is"),
    "track_total_hits": _honoured("as in the body"),
    "track_scores": _honoured("as in the body"),
    "terminate_after": _honoured("as in the body"),
    "timeout": _honoured("as in the body"),
    "explain": _honoured("as in the body"),
    "version": _honoured("as in the body"),
    "seq_no_primary_term": _honoured("as in the body"),
    "routing": _honoured("for aggregations over the kept hits too"),
    "preference": _honoured("for aggregations over the kept hits too"),
    "search_pipeline": _honoured("as in the body"),
    "search_type": _honoured("as it is"),
    "request_cache": _honoured("as it is"),
    "format": _refused(
        "hits are verified in JSON only: leave it out", lambda search: search.params.get("format") not in ("", "json")
    ),
    "filter_path": _refused("may take away the fields that verification reads and writes: use _source and fields"),
    "scroll": _refused("later pages would come unverified from the engine: use sort and search_after, with a pit"),
    "verbose_pipeline": _refused(
        "would show the hits before verification", lambda search: search.params.flag("verbose_pipeline")
    ),
}


def check(search: Search) -> None:
    """Nothing, if the search can be verified as it is.

    Raises:
        InvalidField: an option cannot be right once hits are verified; the message names it and says why.

    Example:
        >>> check(Search({}, Params("scroll=1m"), Context("red car")))
        Traceback (most recent call last):
        ...
        plugin_server.errors.InvalidField: scroll: cannot be combined with a rerank context in this search: later ...
    """
    given = [(name, BODY.get(name)) for name in search.body] + [
        (name, PARAMS.get(name)) for name in dict.fromkeys(search.params.names())
    ]
    for name, option in given:
        if option and option.clashes(search):
            raise InvalidField(f"{name}: cannot be combined with a rerank context in this search: {option.remark}")
