"""Every option of a search: what the engine is asked when hits are verified, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from plugin_server.choices import Policy
from plugin_server.errors import InvalidField
from plugin_server.gateway.ask import Ask, ask
from plugin_server.gateway.context import Context
from plugin_server.gateway.options import BODY, PARAMS, Fate, Search, check
from plugin_server.gateway.params import Params
from plugin_server.gateway.settings import GatewaySettings

SETTINGS = GatewaySettings("http://localhost:9200")
QUERY = {"match": {"text": "hill"}}
AGGS = {"groups": {"terms": {"field": "group"}}}
TOP = {"best": {"top_hits": {"size": 1}}}
ANNOTATE, DEMOTE = {"policy": Policy.ANNOTATE}, {"policy": Policy.DEMOTE}
RECALL = {"aggregations": "recall"}

#: Key, value, other options, knobs; the engine gets the value as it is.
HONOURED: list[tuple[str, Any, dict[str, Any], dict[str, Any], str]] = [
    ("query", QUERY, {}, {}, "the recall"),
    ("knn", {"field": "v", "query_vector": [1], "k": 5}, {}, {}, "Elasticsearch's"),
    ("retriever", {"standard": {"query": QUERY}}, {}, {}, "Elasticsearch's"),
    ("rank", {"rrf": {}}, {}, {}, "Elasticsearch's"),
    ("sub_searches", [{"query": QUERY}], {}, {}, "Elasticsearch's"),
    ("_source", False, {}, {}, "no source"),
    ("_source", ["title"], {}, {}, "some of it"),
    ("_source", {"includes": ["*"]}, {}, {}, "all of it, with the blob"),
    ("post_filter", QUERY, {}, {}, "without aggregations"),
    ("post_filter", QUERY, {"aggs": AGGS}, ANNOTATE, "the engine's own aggregations"),
    ("post_filter", QUERY, {"aggs": AGGS}, RECALL, "the engine's own aggregations"),
    ("track_total_hits", False, {}, {}, "no total"),
    ("track_total_hits", 20, {}, {}, "a total up to 20"),
    ("track_scores", True, {"sort": ["n"]}, {}, "scores beside a sort"),
    ("min_score", 0.5, {}, {}, "of the engine's score"),
    ("collapse", {"field": "group"}, {}, {}, "a group is its best hit"),
    ("rescore", {"query": {"rescore_query": QUERY}}, {}, {}, "has its own window"),
    ("highlight", {"fields": {"text": {}}}, {}, {}, "of each hit"),
    ("explain", True, {}, {}, "of the engine's score"),
    ("profile", True, {}, {}, "of the engine's work"),
    ("suggest", {"s": {"text": "hil", "term": {"field": "text"}}}, {}, {}, "no hits"),
    ("stored_fields", ["title"], {}, {}, "as it is"),
    ("docvalue_fields", ["n"], {}, {}, "as it is"),
    ("script_fields", {"x": {"script": "1"}}, {}, {}, "as it is"),
    ("runtime_mappings", {"r": {"type": "long"}}, {}, {}, "Elasticsearch's"),
    ("derived", {"d": {"type": "long", "script": "emit(1)"}}, {}, {}, "OpenSearch's"),
    ("pit", {"id": "abc"}, {}, {}, "a point in time"),
    ("slice", {"id": 0, "max": 2}, {"pit": {"id": "abc"}}, {}, "of a point in time"),
    ("timeout", "1s", {}, {}, "of the engine's work"),
    ("terminate_after", 10, {}, {}, "of the engine's work"),
    ("version", True, {}, {}, "of each hit"),
    ("seq_no_primary_term", True, {}, {}, "of each hit"),
    ("indices_boost", [{"hills": 2}], {}, {}, "changes scores"),
    ("include_named_queries_score", True, {}, {}, "OpenSearch's"),
    ("stats", ["group"], {}, {}, "for the engine's statistics"),
    ("search_pipeline", "normalise", {}, {}, "OpenSearch's"),
]
#: Key, value, other options, knobs, what the engine gets for it.
HANDLED: list[tuple[str, Any, dict[str, Any], dict[str, Any], Any, str]] = [
    ("from", 5, {}, {}, 0, "the page is cut after ranking"),
    ("size", 5, {}, {}, 100, "all of ext.simgate.k"),
    ("size", "5", {}, {}, 100, "engines read numbers in texts"),
    ("size", 5, {}, {"k": 7}, 7, "all of ext.simgate.k"),
    ("size", 0, {}, {}, 0, "nothing to verify"),
    ("size", 0, {"aggs": AGGS}, {}, 100, "aggregations need the kept hits"),
    ("size", 0, {"aggs": AGGS}, ANNOTATE, 0, "the engine's own aggregations"),
    ("sort", [{"n": "asc"}], {}, {}, [{"n": "asc"}], "the engine's order"),
    ("sort", ["_score"], {}, DEMOTE, ["_score"], "no order of its own"),
    ("search_after", [3], {"sort": ["n"]}, {}, [3], "behind the last hit shown"),
    ("fields", ["title"], {}, {}, ["title", "simgate_blob", "text"], "ours besides"),
    ("fields", ["text", {"field": "n"}], {}, {}, ["text", {"field": "n"}, "simgate_blob"], "none twice"),
    ("fields", "title", {}, {}, "title", "the engine refuses what is no list"),
    ("ext", {"rerank": {}, "simgate": {}}, {}, {}, None, "none is left"),
    ("ext", {"rerank": {}, "other": {"a": 1}}, {}, {}, {"other": {"a": 1}}, "others' stay"),
    ("aggs", AGGS, {}, {}, AGGS, "the second request is another"),
    ("aggregations", AGGS, {}, {}, AGGS, "the second request is another"),
    ("aggs", TOP, {}, ANNOTATE, TOP, "the engine's own aggregations"),
    ("aggs", {"b": {"top_hits": {"sort": [{"n": "asc"}]}}}, {}, {}, {"b": {"top_hits": {"sort": [{"n": "asc"}]}}}, "n"),
]
#: Options, URL parameters, knobs, words of the refusal.
REFUSED: list[tuple[dict[str, Any], str, dict[str, Any], str, str]] = [
    ({"sort": ["n"]}, "", DEMOTE, "sort: cannot", "two orders"),
    ({}, "sort=n:asc", DEMOTE, "sort: cannot", "two orders"),
    ({"search_after": [1]}, "", {}, "search_after: cannot", "no order of the engine's"),
    ({"search_after": [1], "sort": ["_score"]}, "", {}, "search_after: cannot", "scores are simgate's"),
    ({"search_after": [1], "sort": ["n"], "from": 1}, "", {}, "from: must be 0", "as engines do"),
    ({"size": 101}, "", {}, "ext.simgate.k: from 0 and size 101 reach beyond the 100", "beyond what is verified"),
    ({"from": 95}, "size=6", {}, "ext.simgate.k: from 95 and size 6 reach", "beyond what is verified"),
    ({"size": -1}, "", {}, "size: -1 is not", "as engines do"),
    ({"size": None}, "", {}, "size: None is not", "as engines do"),
    ({"size": True}, "", {}, "size: True is not", "as engines do"),
    ({}, "from=x", {}, "from: 'x' is not", "as engines do"),
    ({"post_filter": QUERY, "aggs": AGGS}, "", {}, "post_filter: cannot", "aggregations are to see more than hits"),
    ({"aggs": TOP}, "", {}, "aggs: cannot", "the best hits by score"),
    ({"aggregations": {"g": {"terms": {"field": "g"}, "aggs": TOP}}}, "", {}, "aggregations: cannot", "deep inside"),
    ({"aggs": {"s": {"sampler": {"shard_size": 9}, "aggs": AGGS}}}, "", {}, "aggs: cannot", "the best hits by score"),
    ({"aggs": {"m": {"max": {"script": "_score * 2"}}}}, "", {}, "aggs: cannot", "a script reads scores"),
    ({"aggs": {"b": {"top_hits": {"sort": ["_score"]}}}}, "", {}, "aggs: cannot", "sorted by score"),
    ({"aggs": {"b": {"top_metrics": {"sort": {"_score": "desc"}}}}}, "", {}, "aggs: cannot", "sorted by score"),
    ({"stored_fields": "_none_"}, "", {}, "stored_fields: cannot", "hits have no ids"),
    ({}, "stored_fields=_none_", {}, "stored_fields: cannot", "hits have no ids"),
    ({"verbose_pipeline": True}, "", {}, "verbose_pipeline: cannot", "an echo of all hits"),
    ({}, "verbose_pipeline", {}, "verbose_pipeline: cannot", "an echo of all hits"),
    ({}, "scroll=1m", {}, "scroll: cannot", "later pages would be unverified"),
    ({}, "filter_path=hits", {}, "filter_path: cannot", "fields that are needed would be missing"),
    ({}, "format=yaml", {}, "format: cannot", "JSON only"),
]
#: URL parameters, and what the engine gets of them.
URL: list[tuple[str, str, str]] = [
    ("from=1", "", "in the body"),
    ("size=3", "", "in the body"),
    ("sort=n:asc", "sort=n:asc", "the engine's order"),
    ("source=%7B%7D&source_content_type=application/json", "", "in the body"),
    ("rest_total_hits_as_int=true", "rest_total_hits_as_int=true", "a number"),
    ("typed_keys", "typed_keys", "without a value"),
    ("pretty&human=true", "pretty&human=true", "indented"),
    ("q=text%3Ahill+top", "q=text%3Ahill+top", "as it was written"),
    ("_source=a,b&_source_includes=c&_source_excludes=d", "_source=a,b&_source_includes=c&_source_excludes=d", "seen"),
    ("stored_fields=title&docvalue_fields=n", "stored_fields=title&docvalue_fields=n", "as it is"),
    ("track_total_hits=false&track_scores=true", "track_total_hits=false&track_scores=true", "as in the body"),
    ("terminate_after=5&timeout=1s", "terminate_after=5&timeout=1s", "as in the body"),
    ("explain=true&version=true&seq_no_primary_term=true", "explain=true&version=true&seq_no_primary_term=true", "ok"),
    ("routing=a&preference=_local", "routing=a&preference=_local", "which shards"),
    ("search_pipeline=p;size=3", "search_pipeline=p", "parted by a semicolon"),
    ("search_type=dfs_query_then_fetch&request_cache=true", "search_type=dfs_query_then_fetch&request_cache=true", ""),
    ("format=json", "format=json", "what is verified anyway"),
    ("verbose_pipeline=false", "verbose_pipeline=false", "switched off"),
    ("nosuch=1", "nosuch=1", "the engine refuses it"),
]


def asked(body: dict[str, Any], params: str, knobs: dict[str, Any]) -> Ask:
    whole = {"ext": {"rerank": {"query_context": {}}}} | body
    return ask(Search(whole, Params(params), Context("a hill", **knobs)), SETTINGS)


@pytest.mark.parametrize(("key", "value", "others", "knobs", "remark"), HONOURED)
def test_honoured(key: str, value: Any, others: dict[str, Any], knobs: dict[str, Any], remark: str) -> None:
    assert BODY[key].fate is Fate.HONOURED
    made = asked({key: value} | others, "", knobs).body
    assert made[key] == value, remark
    ours = {"from", "size", "fields", "_source"} - ({"_source"} if key in ("stored_fields", "script_fields") else set())
    assert set(made) == {key, *others} | ours


@pytest.mark.parametrize(("key", "value", "others", "knobs", "expected", "remark"), HANDLED)
def test_handled(
    key: str, value: Any, others: dict[str, Any], knobs: dict[str, Any], expected: Any, remark: str
) -> None:
    assert BODY[key].fate is Fate.HANDLED
    assert asked({key: value} | others, "", knobs).body.get(key) == expected, remark


@pytest.mark.parametrize(("body", "params", "knobs", "words", "remark"), REFUSED)
def test_refused(body: dict[str, Any], params: str, knobs: dict[str, Any], words: str, remark: str) -> None:
    with pytest.raises(InvalidField) as caught:
        asked(body, params, knobs)
    assert str(caught.value).startswith(words), remark


@pytest.mark.parametrize(("params", "expected", "remark"), URL)
def test_url(params: str, expected: str, remark: str) -> None:
    assert asked({}, params, {}).params.raw == expected, remark


def test_a_parameter_is_looked_at_once_however_often_it_is_given() -> None:
    search = Search({}, Params("format=json&" * 20_000), Context("a hill"))
    check(search)  # would take minutes


def test_every_row_has_a_case() -> None:
    refused = {name for case in REFUSED for name in (*case[0], *Params(case[1]).names())}
    keys = {case[0] for case in HONOURED} | {case[0] for case in HANDLED}
    assert keys == {name for name, option in BODY.items() if option.fate is not Fate.REFUSED}
    assert {name for name, option in BODY.items() if option.fate is Fate.REFUSED} <= refused
    shown = {name for case in URL for name in Params(case[0]).names()}
    assert {name for name, option in PARAMS.items() if option.fate is not Fate.REFUSED} <= shown
    assert {name for name, option in PARAMS.items() if option.fate is Fate.REFUSED} <= refused
    assert all(option.remark for option in (*BODY.values(), *PARAMS.values()))


def test_unknown_keys_are_left_to_the_engine() -> None:
    assert asked({"nosuch": 1}, "", {}).body["nosuch"] == 1


@pytest.mark.parametrize(
    ("body", "params", "given"),
    [
        ({}, "", False),
        ({"_source": True}, "", True),
        ({}, "_source_includes=a", True),
        ({"stored_fields": ["a"]}, "", True),
        ({"script_fields": {}}, "", True),
        ({}, "stored_fields=a", True),
    ],
)
def test_source_comes_without_ours_unless_the_caller_said_which(body: dict[str, Any], params: str, given: bool) -> None:
    source = asked(body, params, {}).body.get("_source")
    assert source == (body.get("_source") if given else {"excludes": ["simgate_blob", "simgate_windows*"]})


@pytest.mark.parametrize(
    ("body", "params", "shown"),
    [
        ({}, "", ()),
        ({"fields": ["a*", {"field": "b", "format": "x"}, 3]}, "", ("a*", "b")),
        ({"docvalue_fields": [{"field": "c"}], "stored_fields": "d"}, "docvalue_fields=e,f", ("c", "e", "f", "d")),
        ({"script_fields": {"text": {}}, "collapse": {"field": "g"}}, "", ("text", "g")),
    ],
)
def test_fields_that_the_caller_asked_for(body: dict[str, Any], params: str, shown: tuple[str, ...]) -> None:
    assert asked(body, params, {}).shown == shown


@pytest.mark.parametrize(
    ("sort", "params", "ordered"),
    [
        ("_score", "", False),
        (["_score"], "sort=_score:desc,_score", False),
        ({"_score": {"order": "desc"}}, "", False),
        ([], "", False),
        (["_score", "n"], "", True),
        (["_score"], "sort=n", True),
        ([{"_score": "asc"}], "", True),
        ({"n": "asc"}, "", True),
        ("n", "", True),
    ],
)
def test_ordered(sort: Any, params: str, ordered: bool) -> None:
    assert asked({"sort": sort}, params, {}).search.ordered() is ordered


def test_names_of_the_fields_are_settings() -> None:
    settings = GatewaySettings("http://localhost:9200", text_field="t", blob_field="b", windows_field="w")
    body = {"ext": {"rerank": {"query_context": {}}}}
    made = ask(Search(body, Params(), Context("a hill")), settings).body
    assert (made["fields"], made["_source"]) == (["b", "t"], {"excludes": ["b", "w*"]})
