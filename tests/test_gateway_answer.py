"""Pure parts of the gateway: responses, totals, aggregations over kept hits, parameters, headers, lines."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from plugin_server import Candidate, Hit, Outcome, Policy, Ranking, Verdict, strict
from plugin_server.engines.stars import matches
from plugin_server.errors import EngineError, InvalidField, SimgateError, TooLarge
from plugin_server.gateway import multi
from plugin_server.gateway.answer import answer, total_of
from plugin_server.gateway.ask import Ask, ask
from plugin_server.gateway.content import decoded
from plugin_server.gateway.context import Context
from plugin_server.gateway.fault import fault
from plugin_server.gateway.forward import end_to_end
from plugin_server.gateway.options import Search
from plugin_server.gateway.params import Params
from plugin_server.gateway.recount import PARAMS, merged, recount, recount_params
from plugin_server.gateway.settings import GatewaySettings

SETTINGS = GatewaySettings("http://localhost:9200")
FETCHED = [
    {"_index": "a", "_id": str(number), "_score": 1 - number / 10, "fields": {"text": ["x"], "simgate_blob": ["b"]}}
    for number in range(4)
]
HITS = {"total": {"value": 4, "relation": "eq"}, "max_score": 1.0, "hits": FETCHED}
RESPONSE = {"took": 1, "timed_out": False, "_shards": {"failed": 0}, "hits": HITS, "suggest": {"s": []}}


def asked(body: dict[str, Any] | None = None, **knobs: Any) -> Ask:
    whole = {"ext": {"rerank": {"query_context": {}}}} | (body or {})
    return ask(Search(whole, Params(), Context("a hill", **knobs)), SETTINGS)


def hit(place: int, outcome: Outcome, score: float, engine: float | None = 0.5) -> Hit:
    verdict = Verdict(outcome, 0.25, 0.5, "passages", unmatched=("hill",))
    return Hit(Candidate("x", str(place), engine), verdict, score, place)


#: Hit 1 was dropped, and hit 3 is now the best.
RANKING = Ranking(
    (hit(3, Outcome.ACCEPTED, 0.9), hit(0, Outcome.ACCEPTED, 0.8), hit(2, Outcome.UNVERIFIED, 0.1)),
    (hit(1, Outcome.REJECTED, 0.05),),
)


def ids(response: dict[str, Any]) -> list[str]:
    return [item["_id"] for item in response["hits"]["hits"]]


def test_filter_worked_by_hand() -> None:
    made = answer(asked({"from": 1, "size": 1}), RESPONSE, RANKING, SETTINGS)
    mark = {
        "verdict": "accepted",
        "probability": 0.25,
        "threshold": 0.5,
        "profile": "passages",
        "calibration": "",
        "recall_score": 0.5,
        "unmatched": ["hill"],
        "reason": "",
    }
    only = {"_index": "a", "_id": "0", "_score": 0.8, "fields": {"simgate": [mark]}}
    hits = {"total": {"value": 3, "relation": "eq"}, "max_score": 0.9, "hits": [only]}
    assert made == RESPONSE | {"hits": hits}
    assert FETCHED[0]["_score"] == 1.0 and len(HITS["hits"]) == 4  # type: ignore[arg-type]


def test_order_total_and_scores_of_the_engine() -> None:
    ordered = answer(asked({"sort": ["n"]}), RESPONSE, RANKING, SETTINGS)
    assert ids(ordered) == ["0", "2", "3"] and ordered["hits"]["max_score"] == 0.9
    unscored = [item | {"_score": None} for item in FETCHED]
    bare = answer(asked({"sort": ["n"]}), {"hits": HITS | {"hits": unscored, "max_score": None}}, RANKING, SETTINGS)
    assert {item["_score"] for item in bare["hits"]["hits"]} == {None} and bare["hits"]["max_score"] is None
    for policy in (Policy.DEMOTE, Policy.ANNOTATE):
        assert answer(asked(policy=policy), RESPONSE, RANKING, SETTINGS)["hits"]["total"] == HITS["total"]
    failed = answer(asked(), RESPONSE, RANKING, SETTINGS, failed=True)["hits"]
    assert failed["total"] == HITS["total"] and failed["max_score"] == 1.0 and failed["hits"][0]["_score"] == 0.7
    none = answer(asked(), RESPONSE, Ranking((), RANKING.dropped), SETTINGS)["hits"]
    assert none == {"total": {"value": 0, "relation": "eq"}, "max_score": None, "hits": []}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, set()),
        ({"fields": ["*"]}, {"text", "simgate_blob"}),
        ({"fields": ["simgate*"]}, {"simgate_blob"}),
        ({"docvalue_fields": [{"field": "text"}]}, {"text"}),
    ],
)
def test_values_that_simgate_asked_for_are_taken_out(body: dict[str, Any], fields: set[str]) -> None:
    made = answer(asked(body), RESPONSE, RANKING, SETTINGS)["hits"]["hits"][0]
    assert set(made["fields"]) == fields | {"simgate"}


@pytest.mark.parametrize(
    ("total", "expected", "remark"),
    [
        ({"value": 5, "relation": "eq"}, {"value": 2, "relation": "eq"}, "all were fetched"),
        ({"value": 6, "relation": "eq"}, {"value": 2, "relation": "gte"}, "one was not"),
        ({"value": 5, "relation": "gte"}, {"value": 2, "relation": "gte"}, "perhaps more"),
        ({}, {"value": 2, "relation": "gte"}, "odd"),
        (5, 2, "rest_total_hits_as_int"),
        (-1, -1, "and without a total"),
        (None, None, "none"),
    ],
)
def test_total(total: Any, expected: Any, remark: str) -> None:
    assert total_of(total, 5, 2) == expected, remark


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("text", "text", True),
        ("text", "tex", False),
        ("text", "*", True),
        ("text", "t*t", True),
        ("t", "t*t", False),
        ("abcabc", "a*c*c", True),
        ("abab", "*ab*abab", False),
        ("a.b[0]", "a.b[?]", False),
        ("text", "**", True),
        ("text", "*e*t*", True),
        ("text", "*x*e*", False),
    ],
)
def test_patterns(name: str, pattern: str, expected: bool) -> None:
    assert matches(name, [pattern]) is expected


def test_recount_groups_ids_by_index() -> None:
    kept = [{"_index": "a", "_id": "1"}, {"_index": "b", "_id": "1"}, {"_index": "a", "_id": "2"}]
    aggs = {"n": {"avg": {"field": "n"}}}
    body = {"aggs": aggs, "pit": {"id": "p"}, "knn": {}, "min_score": 1, "runtime_mappings": {"r": {}}, "size": 3}
    made = recount(asked(body), kept)
    should = made.pop("query")["bool"]["filter"][0]["bool"]["should"]
    found = [
        (part["bool"]["filter"][0]["term"]["_index"], part["bool"]["filter"][1]["ids"]["values"]) for part in should
    ]
    assert found == [("a", ["1", "2"]), ("b", ["1"])]
    more = {"size": 0, "track_total_hits": True}
    assert made == {"aggs": aggs, "pit": {"id": "p"}, "runtime_mappings": {"r": {}}} | more
    assert recount(asked(body), [])["query"] == {"match_none": {}}
    every = Params("&".join(f"{name}=1" for name in PARAMS))
    assert recount_params(every) == every and "project_routing" in PARAMS and "q" not in PARAMS
    params = Params("q=x&routing=a%2Cb&search_pipeline=p&sort=n&typed_keys&terminate_after=1")
    assert recount_params(params).raw == "routing=a%2Cb&typed_keys&search_pipeline=_none"


def test_merged() -> None:
    second: dict[str, Any] = {
        "timed_out": False,
        "_shards": {"failed": 0},
        "hits": {"total": 3},
        "aggregations": {"n": 1},
    }
    assert merged(RESPONSE, second, 3) == RESPONSE | {"aggregations": {"n": 1}}
    with pytest.raises(EngineError, match="the engine found 3 of the 4 kept hits again"):
        merged(RESPONSE, second, 4)
    failed = second | {"_shards": {"failed": 1}}
    assert merged(RESPONSE, failed, 4)["_shards"] == {"failed": 1}
    first = RESPONSE | {"_shards": {"failed": 2}}
    assert merged(first, failed, 4)["_shards"] == {"failed": 2}
    for wrong in ({}, [], None, second | {"hits": {}}, {"hits": {"total": 3}, "timed_out": False, "_shards": {}}):
        with pytest.raises(EngineError, match="cannot be read"):
            merged(RESPONSE, wrong, 3)


def test_headers_of_one_connection_are_dropped() -> None:
    given = [
        (b"Connection", b"keep-alive, X-One"),
        (b"Keep-Alive", b"timeout=5"),
        (b"Proxy-Connection", b"keep-alive"),
        (b"TE", b"trailers"),
        (b"Trailer", b"X-Sum"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Upgrade", b"h2c"),
        (b"X-One", b"1"),
        (b"Set-Cookie", b"a=1"),
        (b"Set-Cookie", b"b=2"),
        (b"Warning", "299 é".encode("latin-1")),
        (b"Host", b"x"),
    ]
    expected = [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("warning", "299 é")]
    assert end_to_end(given, ["host"]) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", []),
        (b"{}\n{}\n", [(b"{}", b"{}")]),
        (b"{}\r\n{}\r\n{}\n", [(b"{}\r", b"{}\r")]),
        (b"{}\n\n\n{}\n", [(b"{}", b""), (b"", b"{}")]),
        (b"{}\n{}\n  ", [(b"{}", b"{}")]),
    ],
)
def test_lines(body: bytes, expected: list[Any]) -> None:
    assert multi.split(body) == expected


def test_lines_that_engines_refuse_or_read_in_different_ways() -> None:
    with pytest.raises(ValueError, match="the last line does not end"):
        multi.split(b"{}\n{}")
    with pytest.raises(InvalidField, match="body: the first line is empty"):
        multi.split(b"\n{}\n")
    for header in (b'{"search_pipeline":', b'["search_pipeline"]', b'{"search_pipeline":' + b"[" * 100_000):
        assert multi.index_of(header, "b") == "b"
        with pytest.raises(InvalidField, match="body: the header of a search is no JSON object"):
            multi.without_pipeline(header)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b'{"a": -Infinity}', "-Infinity is no JSON number"),
        (b'{"a": 1e999}', "1e999 is out of range"),
        (b'{"a": {"b": 1, "b": 2}}', "the key 'b' occurs twice"),
        (b"{'a': 1}", "Expecting property name"),
        (b'{"a": 1,}', "."),
        (b"\xff\xfe\xfd", "."),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * 101 + b"]" * 101, "nested too deeply"),
    ],
)
def test_what_is_not_strict_json(raw: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        strict.parse(raw)


def test_bodies_are_uncompressed_up_to_a_limit() -> None:
    packed = gzip.compress(b"x" * 100)
    assert decoded(packed, "GZip", 100) == b"x" * 100
    with pytest.raises(TooLarge):
        decoded(packed, "gzip", 99)
    assert decoded(packed[:-1], "gzip", 100) is None
    assert decoded(packed + b"y", "gzip", 100) is None
    assert decoded(b"x", "gzip", 100) is None


def test_an_error_that_is_not_simgate_s_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    said = fault(KeyError("secret"))
    assert said["status"] == 500 and said["error"]["type"] == "simgate_internal_error"
    assert "secret" not in str(said) and "secret" in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "localhost:9200"},
        {"url": "ftp://localhost"},
        {"url": "http://"},
        {"url": "http://a:b@localhost:9200"},
        {"url": "http://localhost?x=1"},
        {"text_field": ""},
        {"url": "http://[::1"},
        {"url": "http://[::1]x[::1]"},
        {"url": "http://localhost:99999"},
        {"url": "http://localhost:0"},
        {"url": "http://local host"},
        {"url": "http://a..b"},
        {"url": "http://a\0"},
        {"timeout": 0},
        {"timeout": float("inf")},
        {"timeout": float("nan")},
        {"verify_timeout": -1},
        {"max_body_bytes": 0},
        {"fail": "ajar"},
    ],
)
def test_settings_that_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SimgateError, match=rf"^{next(iter(wrong))}: "):
        GatewaySettings(**{"url": "http://localhost:9200"} | wrong)
