"""The gateway with a limit on indices: what is passed on, what is refused and never reaches the engine."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from serving import serving
from test_gateway_app import BODY, RESPONSE, Engine

from plugin_server import Reranker
from plugin_server.core import Core
from plugin_server.engines.reach import Reach
from plugin_server.errors import IndexDenied, InvalidField
from plugin_server.gateway.app import Gateway
from plugin_server.gateway.guard import Body, Guard
from plugin_server.gateway.params import Params
from plugin_server.gateway.settings import GatewaySettings

INDICES = "products-*,articles"
GUARD = Guard(Reach.of(INDICES))
LOOKUP = {"terms": {"f": {"index": "stock", "id": "1", "path": "x"}}}

PASSED: list[tuple[str, str, Body, str, str]] = [
    ("GET", "/", Body.DATA, "", "which product it is"),
    ("HEAD", "/", Body.DATA, "", "whether it is there"),
    ("POST", "/articles/_search", Body.QUERY, "articles", "a search"),
    ("POST", "/articles/_search/", Body.QUERY, "articles", "a slash at the end"),
    ("GET", "/products-*,-products-old/_count", Body.QUERY, "products-*,-products-old", "an expression"),
    ("GET", "/products%2D1%2Carticles/_count", Body.QUERY, "products-1,articles", "encoded"),
    ("GET", "/articles/_search?size=1&q=index:stock", Body.QUERY, "articles", "words of a query name nothing"),
    ("PUT", "/articles", Body.QUERY, "articles", "an index is made"),
    ("PUT", "/articles/_doc/a%2Fb", Body.DATA, "articles", "a document, a slash in its id"),
    ("PUT", "/articles/_doc/_1", Body.DATA, "articles", "an underscore in its id"),
    ("GET", "/articles/_mapping/field/*", Body.QUERY, "articles", "its fields"),
    ("POST", "/articles/_cache/clear", Body.DATA, "articles", "its cache"),
    ("PUT", "/products-1/_alias/articles", Body.QUERY, "products-1", "an alias that is allowed"),
    ("POST", "/articles/_msearch", Body.SEARCHES, "articles", "searches"),
    ("POST", "/_msearch", Body.SEARCHES, "", "its headers name the indices"),
    ("POST", "/_bulk", Body.WRITES, "", "its actions do"),
    ("POST", "/_mget", Body.QUERY, "", "its documents do"),
]


@pytest.mark.parametrize(("method", "target", "kind", "indices", "remark"), PASSED, ids=[row[4] for row in PASSED])
def test_targets_within_reach(method: str, target: str, kind: Body, indices: str, remark: str) -> None:
    path, _, query = target.partition("?")
    assert GUARD.target(method, path, Params(query)) == (kind, indices)


REFUSED: list[tuple[str, str, str]] = [
    ("/stock/_search", "'stock' is outside", "another index"),
    ("/articles,stock/_search", "'stock' is outside", "one of a list"),
    ("/articles%2Cstock/_search", "'stock' is outside", "one of a list, encoded"),
    ("/art%69cles%2c%73tock/_search", "'stock' is outside", "letters encoded"),
    ("/Articles/_search", "outside", "capitals"),
    ("/*/_search", "outside", "every index"),
    ("/%2A/_search", "outside", "every index, encoded"),
    ("/_all/_search", "begins with no index", "every index"),
    ("/%5Fall/_search", "in disguise", "every index, encoded"),
    ("/,/_search", "is empty", "every index, by two empty names"),
    ("/_search", "begins with no index", "every index, named by nothing"),
    ("/%5Fsearch", "in disguise", "an endpoint, encoded"),
    ("/_search/scroll", "begins with no index", "an id with its own indices"),
    ("/_search/template", "begins with no index", "a query as a text"),
    ("/_msearch/template", "begins with no index", "queries as texts"),
    ("/_bulk/stream", "begins with no index", "another endpoint"),
    ("/_cat/indices", "begins with no index", "the cluster"),
    ("/_cat/indices/articles", "begins with no index", "the cluster's view of an index"),
    ("/_aliases", "begins with no index", "aliases of any index"),
    ("/_reindex", "begins with no index", "copies any index, from other hosts too"),
    ("/_pit", "begins with no index", "a point in time"),
    ("/_sql", "begins with no index", "indices in a text"),
    ("/_plugins/_security/api/roles", "begins with no index", "the engine's users"),
    ("/_async_search/aWQ=", "begins with no index", "an id with its own indices"),
    ("/articles/_search/template", "may reach further", "a query as a text"),
    ("/articles/_search/point_in_time", "may reach further", "a point in time"),
    ("/articles/_pit", "may reach further", "a point in time"),
    ("/articles/_async_search", "may reach further", "goes on by an id"),
    ("/articles/_rank_eval", "may reach further", "queries as texts"),
    ("/articles/_clone/stock", "may reach further", "names a second index"),
    ("/articles/_ccr/follow", "may reach further", "another cluster"),
    ("/articles/_anything", "may reach further", "what is not known"),
    ("/articles/type/_search", "may reach further", "types of old engines"),
    ("/articles/_doc/_search", "may reach further", "the same"),
    ("/articles/_alias/stock", "'stock' is outside", "an alias outside"),
    ("/articles/%5Fsearch", "in disguise", "an endpoint, encoded"),
    ("/articles/../stock/_search", "in disguise", "a step up"),
    ("/articles/%2e%2e/stock/_search", "in disguise", "a step up, encoded"),
    ("/articles/_doc/%2e%2e%2f%2e%2e%2fstock", "in disguise", "steps up inside of an id"),
    ("/articles/./_search", "in disguise", "a step nowhere"),
    ("/articles%2F..%2Fstock/_search", "in disguise", "a step up inside of a name"),
    ("/articles%2Fx/_search", "no name", "a slash inside of a name"),
    ("/articles%252Fx/_search", "no name", "a slash, encoded twice"),
    ("//articles/_search", "in disguise", "a host for some readers"),
    ("//", "in disguise", "no root"),
    ("//stock/_search", "in disguise", "the same"),
    ("/articles//_search", "in disguise", "an empty part"),
    ("/articles/_search//", "in disguise", "two slashes at the end"),
    ("/articles;x=/_search", "different ways", "a parameter of the path"),
    ("/articles%3Bx/_search", "no name", "the same, encoded"),
    ("/articles#/_search", "different ways", "cut off by some readers"),
    ("/articles\\..\\stock/_search", "different ways", "a slash for some readers"),
    ("/articles%5C..%5Cstock/_search", "in disguise", "the same, encoded"),
    ("/articles%00/_search", "no name", "an end for some readers"),
    ("/articles%/_search", "different ways", "a broken code"),
    ("/articles%zz/_search", "different ways", "a broken code"),
    ("/artícles/_search", "different ways", "letters that are not encoded"),
    ("/%3Cproducts-%7Bnow%2Fd%7D%3E/_search", "date math", "date math"),
    ("/<products-1>/_search", "date math", "the same, as it is"),
    ("/other:articles/_search", "remote cluster", "another cluster"),
    ("/.kibana/_search", "is hidden", "a hidden index"),
    ("/_mget?index=stock", "parameter index: is not read", "engines take it for the path's"),
    ("/articles/_search?%69ndex=stock", "parameter index: is not read", "the same, encoded"),
    ("/articles/_search?a;index=stock", "parameter index: is not read", "behind the other separator"),
    ("/articles/_search?source=%7B%7D&source_content_type=application/json", "parameter source", "a body in the URL"),
]


@pytest.mark.parametrize(("target", "words", "remark"), REFUSED, ids=[row[2] + ": " + row[0] for row in REFUSED])
def test_targets_beyond_reach(target: str, words: str, remark: str) -> None:
    path, _, query = target.partition("?")
    with pytest.raises(IndexDenied) as caught:
        GUARD.target("GET", path, Params(query))
    assert words in str(caught.value), remark
    assert str(caught.value).endswith("what may be reached is products-*, articles (SIMGATE_ENGINE_INDICES)")


def test_only_reading_is_allowed_at_the_root() -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        with pytest.raises(IndexDenied):
            GUARD.target(method, "/", Params())


def lines(*parts: Any) -> bytes:
    return b"".join((part if isinstance(part, bytes) else json.dumps(part).encode()) + b"\n" for part in parts)


TAKEN: list[tuple[Body, str, bytes, str]] = [
    (Body.QUERY, "articles", b"", "none"),
    (Body.QUERY, "articles", b'{"query": {"match": {"index": "stock"}}}', "a field called so"),
    (Body.QUERY, "articles", lines(BODY), "a rerank context"),
    (Body.QUERY, "", lines({"docs": [{"_index": "articles", "_id": "1"}]}), "multi-get"),
    (Body.QUERY, "articles", lines({"ids": ["1"]}), "multi-get of the path's index"),
    (Body.SEARCHES, "articles", lines({}, {"size": 1}, b"", {"size": 1}), "the path's index"),
    (Body.SEARCHES, "", lines({"index": ["articles", "products-1"]}, {}, {"indices": "articles"}, {}), "a list"),
    (Body.WRITES, "articles", lines({"index": {}}, {"index": "stock", "id": 1}), "documents are not read"),
    (Body.WRITES, "", lines({"delete": {"_index": "articles"}}, {"create": {"_index": "articles"}}, b"!"), "no path"),
    (Body.DATA, "articles", b"\xff", "not read"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "indices", "raw", "remark"), TAKEN)
def test_bodies_within_reach(kind: Body, indices: str, raw: bytes, remark: str) -> None:
    for content_type in ("application/json", "application/x-ndjson; charset=UTF-8"):
        GUARD.body(kind, indices, content_type, raw)
    GUARD.body(kind, indices, "application/vnd.elasticsearch+json; compatible-with=9", raw)


STOPPED: list[tuple[Body, str, Any, type[Exception], str, str]] = [
    (Body.QUERY, "articles", lines({"query": LOOKUP}), IndexDenied, "body.query.terms.f.index: 'stock'", "a lookup"),
    (Body.QUERY, "", lines({"docs": [{"_index": "stock", "_id": "1"}]}), IndexDenied, "docs[0]._index", "multi-get"),
    (Body.QUERY, "articles", lines({"pit": {"id": "x"}}), IndexDenied, "body.pit: carries indices", "a point in time"),
    (Body.QUERY, "articles", lines({"aliases": {"a": {"filter": LOOKUP}}}), IndexDenied, "stock", "an alias's filter"),
    (Body.QUERY, "articles", lines(LOOKUP).replace(b"index", b"in\\u0064ex"), IndexDenied, "'stock'", "an escaped key"),
    (Body.QUERY, "articles", b'{"a":1,"a":2}', InvalidField, "occurs twice", "two meanings"),
    (Body.QUERY, "articles", b'{"a":/*x*/1}', InvalidField, "cannot be read", "comments, which engines take"),
    (Body.QUERY, "articles", b"a: 1", InvalidField, "cannot be read", "no JSON"),
    (Body.QUERY, "articles", b"\xef\xbb\xbf{}", InvalidField, "cannot be read", "a mark before it"),
    (Body.QUERY, "articles", '{"a": 1}'.encode("utf-16"), InvalidField, "cannot be read", "another encoding"),
    (Body.QUERY, "articles", b"[" * 200_000, InvalidField, "nested too deeply", "beyond any stack"),
    (Body.QUERY, "articles", None, InvalidField, "cannot be read", "compressed in an unknown way"),
    (Body.SEARCHES, "", lines({}, {}), IndexDenied, "body[0].index: '' is empty", "every index"),
    (Body.SEARCHES, "articles", lines({"index": "stock"}, {}), IndexDenied, "'stock'", "the header wins over the path"),
    (Body.SEARCHES, "articles", lines({"indices": ["stock"]}, {}), IndexDenied, "'stock'", "its other name"),
    (Body.SEARCHES, "articles", lines({"index": []}, {}), IndexDenied, "is empty", "every index, by an empty list"),
    (Body.SEARCHES, "articles", lines({"index": None}, {}), IndexDenied, "is empty", "every index, by null"),
    (Body.SEARCHES, "articles", lines({}, {}, {"index": "*"}, {}), IndexDenied, "body[1].index: '*'", "in the second"),
    (Body.SEARCHES, "articles", lines({}, {"query": LOOKUP}), IndexDenied, "body[0].query.terms", "a lookup"),
    (Body.SEARCHES, "articles", lines([], {}), InvalidField, "the header is no object", "no header"),
    (Body.SEARCHES, "articles", b'\n{"index":"stock"}\n{}\n', InvalidField, "first line is empty", "read in two ways"),
    (Body.SEARCHES, "articles", b'{"index":"articles"}\n{}', InvalidField, "cannot be read", "an end that is missing"),
    (Body.WRITES, "", lines({"index": {}}, {}), IndexDenied, "line 1._index: '' is empty", "no index"),
    (Body.WRITES, "articles", lines({"index": {"_index": "stock"}}, {}), IndexDenied, "'stock'", "the action wins"),
    (Body.WRITES, "articles", lines({"index": {}}, {}, b"", {"delete": {"_index": "stock"}}), IndexDenied, "4", "3rd"),
    (Body.WRITES, "articles", lines({"delete": {}}, {"index": {"_index": "stock"}}, {}), IndexDenied, "line 2", "2nd"),
    (Body.WRITES, "articles", lines({"index": {"_index": None}}, {}), IndexDenied, "is empty", "null"),
    (Body.WRITES, "articles", lines({"reindex": {}}), InvalidField, "line 1 is none of the actions", "no action"),
    (Body.WRITES, "articles", lines({"index": {}, "delete": {}}), InvalidField, "line 1 is none", "two actions"),
    (Body.WRITES, "articles", lines({"index": []}), InvalidField, "line 1 is none", "no object"),
    (Body.WRITES, "articles", lines({"index": {}}, b"!", b"!"), InvalidField, "cannot be read", "no JSON"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "indices", "raw", "error", "words", "remark"), STOPPED, ids=[f"{row[0]} {row[5]}" for row in STOPPED]
)
def test_bodies_beyond_reach(
    kind: Body, indices: str, raw: bytes | None, error: type[Exception], words: str, remark: str
) -> None:
    with pytest.raises(error) as caught:
        GUARD.body(kind, indices, "application/json", raw)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/yaml",
        "application/cbor",
        "application/json, application/yaml",
        "application/smile",
    ],
)
def test_bodies_that_engines_may_read_as_something_else(content_type: str) -> None:
    with pytest.raises(InvalidField, match="send JSON, with its content-type"):
        GUARD.body(Body.QUERY, "articles", content_type, b"{}")


@pytest.fixture
def behind(reranker: Reranker) -> Iterator[tuple[str, Engine]]:
    """A gateway with a limit, and the engine behind it."""
    engine = Engine(RESPONSE)
    with serving(engine) as address, serving(Gateway(Core(reranker), GatewaySettings(address, indices=INDICES))) as url:
        yield url, engine


def send(url: str, method: str, target: str, raw: bytes | None = None, **headers: str) -> tuple[int, Any]:
    """The status and the parsed answer to a request that is sent as it is."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request(method, target, raw, {"Content-Type": "application/json"} | headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_what_is_within_reach_reaches_the_engine_as_it_came(behind: tuple[str, Engine]) -> None:
    url, engine = behind
    packed = gzip.compress(b'{"size": 1}')
    sent = [
        ("GET", "/", None),
        ("PUT", "/articles/_doc/1", b'{"index": "stock", "id": 1}'),
        ("POST", "/_bulk", lines({"index": {"_index": "articles"}}, {"a": 1})),
        ("POST", "/articles/_count", b'{"query" : {"match_all" : {}}}'),
        ("POST", "/articles/_search?routing=b%2Fc", b'{"size":  1}'),
    ]
    for method, target, raw in sent:
        assert send(url, method, target, raw) == (200, RESPONSE)
    assert send(url, "POST", "/products-1/_search", packed, **{"Content-Encoding": "gzip"}) == (200, RESPONSE)
    seen = [(item["method"], item["target"], item["body"]) for item in engine.requests]
    assert seen == [(method, target, raw or b"") for method, target, raw in sent] + [
        ("POST", "/products-1/_search", packed)
    ]


def test_searches_are_verified_behind_the_guard(behind: tuple[str, Engine]) -> None:
    url, engine = behind
    status, found = send(url, "POST", "/articles/_search", json.dumps(BODY).encode())
    assert status == 200 and found["hits"]["hits"][0]["fields"]["simgate"][0]["verdict"] == "accepted"
    engine.answers = [{"took": 1, "responses": [RESPONSE]}]
    status, found = send(url, "POST", "/_msearch", lines({"index": "articles"}, BODY))
    assert status == 200 and found["responses"][0]["hits"]["hits"][0]["fields"]["simgate"]
    asked = len(engine.requests)
    assert send(url, "POST", "/stock/_search", json.dumps(BODY).encode())[0] == 403
    assert send(url, "POST", "/_msearch", lines({"index": "stock"}, BODY))[0] == 403
    assert len(engine.requests) == asked


def test_nothing_that_is_refused_reaches_the_engine(behind: tuple[str, Engine]) -> None:
    url, engine = behind
    for target, words, _ in REFUSED:
        if target.isascii():
            status, found = send(url, "GET", target)
            assert status in (400, 403), target
            if status == 403:
                assert (found["status"], found["error"]["type"]) == (403, "simgate_index_denied")
                assert words in found["error"]["root_cause"][0]["reason"]
    bomb = gzip.compress(b" " * 80_000_000)
    assert send(url, "POST", "/articles/_search", bomb, **{"Content-Encoding": "gzip"})[0] == 413
    for raw, headers in ((b"{}", {"Content-Encoding": "br"}), (b"a: 1", {"Content-Type": "application/yaml"})):
        status, found = send(url, "POST", "/articles/_search", raw, **headers)
        assert (status, found["error"]["type"]) == (400, "simgate_invalid_request")
    assert engine.requests == []


def test_without_a_limit_everything_passes(reranker: Reranker) -> None:
    engine = Engine(RESPONSE)
    with serving(engine) as address, serving(Gateway(Core(reranker), GatewaySettings(address))) as url:
        for target in ("/stock/_search", "/_search/scroll", "/.kibana/_doc/1", "/_cat/indices"):
            assert send(url, "GET", target) == (200, RESPONSE)
    assert len(engine.requests) == 4
