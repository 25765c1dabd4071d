"""The gateway over real HTTP, in front of small engines that behave as they are told."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from serving import serving

from plugin_server import Reranker
from plugin_server.blob import TokenBlob
from plugin_server.core import Core
from plugin_server.gateway.app import Gateway
from plugin_server.gateway.settings import GatewaySettings

QUERY = {"query_context": {"query_text": "The station stands on a hill."}}
BODY = {"size": 2, "ext": {"rerank": QUERY}}
TEXTS = ["The shop sells bread.", "The station is on a hill.", "The hill is on a station."]
HITS = [
    {"_index": "a", "_id": str(number), "_score": 0.9 - number / 10, "fields": {"text": [text]}}
    for number, text in enumerate(TEXTS)
]
RESPONSE = {
    "took": 3,
    "timed_out": False,
    "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
    "hits": {"total": {"value": 3, "relation": "eq"}, "max_score": 0.9, "hits": HITS},
}
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Engine:
    """An engine that notes what it is asked and gives the answers it was told to, the last one again and again."""

    def __init__(self, *answers: Any, status: int = 200, headers: dict[str, str] | None = None, wait: float = 0):
        self.answers = list(answers)
        self.status, self.headers, self.wait = status, headers or {}, wait
        self.requests: list[dict[str, Any]] = []
        self.cancelled = threading.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        target = scope["raw_path"].decode() + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        headers = [(name.decode(), value.decode()) for name, value in scope["headers"]]
        self.requests.append({"method": scope["method"], "target": target, "headers": headers, "body": body})
        if self.wait:
            gone = asyncio.create_task(receive())
            done, _ = await asyncio.wait([gone], timeout=self.wait)
            gone.cancel()
            if done:
                self.cancelled.set()
                return
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        given = {"content-type": "application/json"} | self.headers
        listed = [(name.encode(), value.encode()) for name, value in given.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": listed})
        await send({"type": "http.response.body", "body": raw})


@contextmanager
def gateway(app: Any, reranker: Reranker, **settings: Any) -> Iterator[str]:
    with serving(app) as engine, serving(Gateway(Core(reranker), GatewaySettings(engine, **settings))) as url:
        yield url


def call(base: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        raw = json.dumps(body).encode() if isinstance(body, dict) else body
        connection.request(method, path, raw, {"Content-Type": "application/json"} | (headers or {}))
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def search(base: str, body: Any = BODY, path: str = "/a/_search", **headers: str) -> tuple[int, Any]:
    status, _, raw = call(base, "POST", path, body, headers)
    return status, json.loads(raw)


def test_only_the_caller_s_headers_reach_the_engine(reranker: Reranker) -> None:
    engine = Engine(RESPONSE, headers={"x-of-the-engine": "1", "connection": "x-hop", "x-hop": "2"})
    sent = {
        "Authorization": "Basic eDp5",
        "X-Opaque-Id": "7",
        "Connection": "keep-alive, X-Mine",
        "X-Mine": "hop",
        "TE": "trailers",
        "Accept-Encoding": "gzip",
    }
    with gateway(engine, reranker) as url:
        for path, body in (("/_cat/health?v=%20", b"abc"), ("/a/_search?routing=b%2Fc", BODY)):
            status, headers, _ = call(url, "POST", path, body, sent)
            assert status == 200 and headers["x-of-the-engine"] == "1" and "x-hop" not in headers
    passed, verified = (dict(request["headers"]) for request in engine.requests)
    upstream = {"host": passed["host"], "content-type": "application/json", "x-opaque-id": "7"}
    upstream |= {"authorization": "Basic eDp5"}
    assert passed == upstream | {"content-length": "3", "accept-encoding": "gzip"}
    assert verified == upstream | {"content-length": verified["content-length"]}
    assert passed["host"] not in url and engine.requests[0]["target"] == "/_cat/health?v=%20"
    assert engine.requests[1]["target"] == "/a/_search?routing=b%2Fc"
    assert json.loads(engine.requests[1]["body"])["size"] == 100


@pytest.mark.parametrize("path", ["/_search", "/a/_search", "/a,b/_search/", "/*/_search", "/%3Ca%3E/_search"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_searches_are_verified(reranker: Reranker, path: str, method: str) -> None:
    engine = Engine(RESPONSE)
    with gateway(engine, reranker) as url:
        status, _, raw = call(url, method, path, BODY)
    (hit,) = json.loads(raw)["hits"]["hits"]
    assert (status, hit["_id"], hit["fields"]["simgate"][0]["verdict"]) == (200, "1", "accepted")
    assert [(request["method"], request["target"]) for request in engine.requests] == [(method, path)]


OTHERS = ["/a/_search/template", "/_search/scroll", "/a/_count", "/a/_async_search", "/a/b/_search", "//_search", "/"]


@pytest.mark.parametrize("path", OTHERS)
def test_other_requests_are_not_read(reranker: Reranker, path: str) -> None:
    engine = Engine(RESPONSE)
    raw = json.dumps(BODY).encode()
    with gateway(engine, reranker) as url:
        assert json.loads(call(url, "POST", path, raw)[2]) == RESPONSE
        assert json.loads(call(url, "PUT", "/a/_search", raw)[2]) == RESPONSE
    assert [request["body"] for request in engine.requests] == [raw, raw]


def test_escaped_keys_and_compressed_bodies_are_read(reranker: Reranker) -> None:
    engine = Engine(RESPONSE)
    escaped = json.dumps(BODY).replace("query_context", "query\\u005fcontext").encode()
    wide = json.dumps(BODY).encode("utf-16-le")
    packed = {"Content-Encoding": "gzip"}
    with gateway(engine, reranker) as url:
        for body, headers in ((escaped, {}), (wide, {}), (gzip.compress(escaped), packed)):
            status, found = search(url, body, **headers)
            assert status == 200 and found["hits"]["hits"][0]["fields"]["simgate"]
        plain = gzip.compress(b'{"size": 1}')
        assert call(url, "POST", "/a/_search", plain, packed)[0] == 200
        broken = gzip.compress(escaped)[:-9]
        assert call(url, "POST", "/a/_search", broken, packed)[0] == 200
    assert "content-encoding" not in dict(engine.requests[2]["headers"])
    assert [request["body"] for request in engine.requests[3:]] == [plain, broken]


def test_large_bodies_are_refused(reranker: Reranker) -> None:
    engine = Engine(RESPONSE)
    with gateway(engine, reranker, max_body_bytes=10_000) as url:
        bomb = gzip.compress(json.dumps(BODY).encode() + b" " * 20_000)
        for body, headers in ((b" " * 10_001, {}), (bomb, {"Content-Encoding": "gzip"})):
            status, found = search(url, body, **headers)
            assert (status, found["error"]["type"]) == (413, "simgate_body_too_large")
        assert call(url, "POST", "/_bulk", b" " * 20_000)[0] == 200
    assert len(engine.requests) == 1


@pytest.mark.parametrize(
    ("body", "headers", "words"),
    [
        (
            b"ext:\n  rerank:\n    query_context:\n",
            {"Content-Type": "application/yaml"},
            "content-type: application/yaml",
        ),
        (b"\xa1cextqquery_context", {"Content-Type": "application/cbor"}, "content-type: application/cbor"),
        (b"query_context", {"Content-Type": "application/vnd.elasticsearch+smile"}, "content-type: application/vnd"),
        (BODY, {"Accept": "application/yaml"}, "accept: application/yaml cannot"),
        (BODY | {"ext": {"simgate": {}}}, {}, "ext.simgate: is given without"),
        (BODY | {"ext": {"rerank": {"query_context": {"query_text": " "}}}}, {}, "ext.rerank.query_context.query_text"),
        (BODY | {"ext": {"rerank": {"query_context": {"query_text": "hill " * 400}}}}, {}, "ext.rerank.query_context"),
        (b'{"size": 1} // query_context', {}, "body: may hold a rerank context, but is not strict JSON"),
        (b'{"size": 1e999, "query_context": 1}', {}, "body: may hold a rerank context, but is not strict JSON"),
    ],
)
def test_refused(reranker: Reranker, body: Any, headers: dict[str, str], words: str) -> None:
    with gateway(Engine(RESPONSE, headers={"X-elastic-product": "Elasticsearch"}), reranker) as url:
        assert call(url, "GET", "/")[0] == 200
        status, given, raw = call(url, "POST", "/a/_search", body, headers)
    error = json.loads(raw)["error"]
    assert (status, error["type"], error["root_cause"][0]["type"]) == (400, *["simgate_invalid_request"] * 2)
    assert error["reason"].startswith(words)
    assert given["x-elastic-product"] == "Elasticsearch"


@pytest.mark.parametrize("target", [b"@other.example/x", b"http://other.example/x", b"*", b":1/x"])
def test_no_proxy_for_other_hosts(reranker: Reranker, target: bytes) -> None:
    engine = Engine(RESPONSE)
    with gateway(engine, reranker) as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as client:
            client.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 400 ")
    assert engine.requests == []


MALFORMED = [
    (b'{"hits": {"hits": [{"_source": {"x": 1e999}}]}}', "the engine's answer cannot be written again"),
    (b"<html>", "the engine's answer is not JSON"),
    (b"", "the engine's answer is not JSON"),
    ([], "the engine's answer is no search response"),
    ({"took": 1}, "the engine's answer is no search response"),
    ({"hits": {"hits": {}}}, "the engine's answer is no search response"),
    ({"hits": {"hits": [1]}}, "the engine's answer is no search response"),
    ({"hits": {"hits": [{"_score": 10**400}]}}, "the engine's answer is no search response: a hit's _score is not"),
    (b'{"hits": {"hits": [{"_score": NaN}]}}', "the engine's answer is no search response: a hit's _score is not"),
    (b"[" * 100_000, "the engine's answer is not JSON"),
]


@pytest.mark.parametrize(("answer", "words"), MALFORMED)
def test_malformed_answers_of_the_engine(reranker: Reranker, answer: Any, words: str) -> None:
    with gateway(Engine(answer), reranker) as url:
        status, found = search(url)
        assert (status, found["error"]["type"]) == (502, "simgate_engine_error")
        assert found["error"]["reason"].startswith(words)
        status, raw = call(url, "POST", "/a/_search", {"size": 1})[::2]
        assert (status, raw) == (200, answer if isinstance(answer, bytes) else json.dumps(answer).encode())
        lines = b"{}\n" + json.dumps(BODY).encode() + b"\n"
        assert search(url, lines, "/_msearch")[0] == 502


@pytest.mark.parametrize(
    "fields", [None, [], {}, {"text": "x"}, {"text": [3]}, {"simgate_blob": [None]}, {"text": [" "]}]
)
def test_hits_without_anything_usable_are_unverified(reranker: Reranker, fields: Any) -> None:
    odd = {"_index": "a", "_id": "9", "_score": 0.5} | ({} if fields is None else {"fields": fields})
    hits = {"hits": [*HITS, odd], "total": {"value": 4, "relation": "eq"}}
    with gateway(Engine(RESPONSE | {"hits": hits}), reranker) as url:
        status, found = search(url, BODY | {"size": 9})
    marks = {hit["_id"]: hit["fields"]["simgate"][0] for hit in found["hits"]["hits"]}
    assert status == 200 and marks["9"]["verdict"] == "unverified" and marks["9"]["reason"]
    assert marks["1"]["verdict"] == "accepted"


def test_blob_that_cannot_be_read_gives_way_to_the_text(reranker: Reranker) -> None:
    hits = [HITS[0], HITS[1] | {"fields": {"text": [TEXTS[1]], "simgate_blob": ["sgb1:AAAA"]}}]
    with serving(Engine(RESPONSE | {"hits": {"hits": hits}})) as engine:
        app = Gateway(Core(reranker), GatewaySettings(engine))
        with serving(app) as url:
            (hit,) = search(url)[1]["hits"]["hits"]
    assert (hit["_id"], hit["fields"]["simgate"][0]["verdict"]) == ("1", "accepted")
    assert app.counts == {"verified": 1, "accepted": 1, "rejected": 1}


def test_blob_of_another_bundle_refuses_the_search_if_so_set(reranker: Reranker) -> None:
    foreign = TokenBlob("00" * 8, reranker.encode(TEXTS[:1])[0].windows).text()
    hits = [HITS[0], HITS[1] | {"fields": {"text": [TEXTS[1]], "simgate_blob": [foreign]}}]
    strict = Reranker(reranker.bundle, replace(reranker.settings, on_mismatch="refuse"))
    with gateway(Engine(RESPONSE | {"hits": {"hits": hits}}), strict) as url:
        status, found = search(url)
    assert status == 409 and "was made by bundle 0000000000000000" in found["error"]["reason"]


def test_body_beside_one_in_the_url_counts(reranker: Reranker) -> None:
    engine = Engine(RESPONSE)
    with gateway(engine, reranker) as url:
        path = "/a/_search?source_content_type=application/yaml&source=query_context"
        assert search(url, {"size": 1}, path) == (200, RESPONSE)  # an engine refuses both together
    assert (engine.requests[0]["target"], engine.requests[0]["body"]) == (path, b'{"size": 1}')


def test_engine_that_is_down(reranker: Reranker) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
        with serving(Gateway(Core(reranker), GatewaySettings(nobody))) as url:
            for method, path, body in (("POST", "/a/_search", BODY), ("GET", "/_cat/health", None)):
                status, _, raw = call(url, method, path, body)
                assert status == 502
                assert json.loads(raw)["error"]["type"] == "simgate_engine_unavailable"


def test_engine_that_is_slow(reranker: Reranker) -> None:
    engine = Engine(RESPONSE, wait=30)
    with gateway(engine, reranker, timeout=0.3) as url:
        status, found = search(url)
        assert (status, found["status"], found["error"]["type"]) == (504, 504, "simgate_engine_timeout")
        assert engine.cancelled.wait(10)


def test_engine_forgets_what_its_caller_gave_up(reranker: Reranker) -> None:
    for path in ("/a/_search", "/a/_count"):
        engine = Engine(RESPONSE, wait=30)
        with gateway(engine, reranker) as url:
            parts = urlsplit(url)
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=0.5)
            connection.request("POST", path, json.dumps(BODY), {"Content-Type": "application/json"})
            with pytest.raises(TimeoutError):
                connection.getresponse()
            connection.close()
            assert engine.cancelled.wait(10), path


def test_engine_s_errors_pass(reranker: Reranker) -> None:
    said = b'{"error" : "no",  "status":429}'
    with gateway(Engine(said, status=429, headers={"retry-after": "3"}), reranker) as url:
        for path, body in (("/a/_search", BODY), ("/_msearch", b"{}\n" + json.dumps(BODY).encode() + b"\n")):
            status, headers, raw = call(url, "POST", path, body)
            assert (status, headers["retry-after"], raw) == (429, "3", said)


def test_bodies_stream_both_ways(reranker: Reranker) -> None:
    release, second = threading.Event(), threading.Event()

    async def engine(scope: dict[str, Any], receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            return
        assert (await receive())["body"] == b"first"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        assert (await receive())["body"] == b"then"
        second.set()
        await asyncio.to_thread(release.wait, 30)
        await send({"type": "http.response.body", "body": b"two"})

    with gateway(engine, reranker) as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as client:
            head = b"POST /_bulk HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            client.sendall(head + b"5\r\nfirst\r\n")
            seen = b""
            while b"one" not in seen:
                seen += client.recv(1000)
            client.sendall(b"4\r\nthen\r\n0\r\n\r\n")
            assert second.wait(30) and b"two" not in seen
            release.set()
            while chunk := client.recv(1000):
                seen += chunk
    assert b"two" in seen and seen.endswith(b"0\r\n\r\n")


def test_verification_that_fails_is_open_or_closed(reranker: Reranker, caplog: pytest.LogCaptureFixture) -> None:
    broken = Reranker(reranker.bundle, reranker.settings)
    del broken.verifier._session
    cases = [
        (broken, {}, "verification failed: the server's log has the traceback"),
        (reranker, {"verify_timeout": 1e-6}, "verification took longer than 1e-06 s"),
    ]
    for chosen, settings, reason in cases:
        with serving(Engine(RESPONSE)) as engine:
            app = Gateway(Core(chosen), GatewaySettings(engine, **settings))
            with serving(app) as url:
                status, found = search(url, BODY | {"aggs": {"x": {}}}, "/a/_search?from=1")
                marks = [hit["fields"]["simgate"][0] for hit in found["hits"]["hits"]]
                assert status == 200 and [hit["_id"] for hit in found["hits"]["hits"]] == ["1", "2"]
                assert [hit["_score"] for hit in found["hits"]["hits"]] == [0.8, 0.7]
                assert [(mark["verdict"], mark["reason"]) for mark in marks] == [("unverified", reason)] * 2
                assert found["hits"]["total"] == {"value": 3, "relation": "eq"}
                assert found["hits"]["max_score"] == 0.9
                assert app.counts["failed"] == 1 and app.counts["verified"] == 0
            closed = Gateway(Core(chosen), GatewaySettings(engine, fail="closed", **settings))
            with serving(closed) as url:
                status, found = search(url)
                assert (status, found["error"]["type"]) == (503, "simgate_verification_failed")
                assert found["error"]["reason"] == f"the hits could not be verified: {reason}"
    assert "AttributeError" in caplog.text


def test_parts_of_a_multi_search(reranker: Reranker) -> None:
    none = BODY | {"size": 0}
    lines = b"".join(b'{"index":"a"}\n' + json.dumps(body).encode() + b"\n" for body in (BODY, none))
    engine = Engine({"took": 5, "responses": [RESPONSE, RESPONSE]})
    with gateway(engine, reranker) as url:
        status, found = search(url, lines, "/_msearch")
        assert status == 200 and found["took"] >= found["responses"][0]["took"] > 3
        assert found["responses"][1] == RESPONSE
        status, refused = search(url, lines, "/_msearch", Accept="application/yaml")
        assert (status, refused["error"]["reason"][:24]) == (400, "accept: application/yaml")
    assert [json.loads(line).get("size") for line in engine.requests[0]["body"].splitlines()] == [None, 100, None, 0]


def test_failures_in_a_multi_search_harm_no_other(reranker: Reranker) -> None:
    wrong = {"hits": {"hits": [HITS[0] | {"_score": 7.0}]}, "status": 200}
    answer = {"took": 5, "responses": [RESPONSE, {"hits": 3}, wrong, {"error": {"type": "x"}, "status": 404}, RESPONSE]}
    line = b"{}\n" + json.dumps(BODY).encode() + b"\n"
    with gateway(Engine(answer), reranker) as url:
        status, found = search(url, line * 4 + b'{}\n{"size":1}\n', "/_msearch")
    first, malformed, misread, missing, plain = found["responses"]
    assert status == 200 and [hit["_id"] for hit in first["hits"]["hits"]] == ["1"]
    assert (malformed["status"], malformed["error"]["type"]) == (502, "simgate_engine_error")
    assert (misread["status"], misread["error"]["type"]) == (400, "simgate_invalid_request")
    assert missing == answer["responses"][3]  # type: ignore[index]
    assert plain == RESPONSE


AGGS = {"aggs": {"n": {"avg": {"field": "n"}}}}
SECOND = RESPONSE | {"hits": {"total": {"value": 1, "relation": "eq"}, "hits": []}, "aggregations": {"n": {"value": 2}}}


@pytest.mark.parametrize(
    ("second", "status", "words", "remark"),
    [
        (SECOND, 200, "", "the one kept hit"),
        (SECOND | {"hits": {"total": 1}}, 200, "", "a number"),
        (SECOND | {"hits": {"total": {"value": 0}}}, 502, "aggregations: the engine found 0 of the 1 kept", "gone"),
        (SECOND | {"hits": {"total": {"value": 3}}}, 502, "aggregations: the engine found 3 of the 1 kept", "pipeline"),
        ({"hits": {}}, 502, "aggregations: the engine's answer for the kept hits cannot be read", "malformed"),
        (b"?", 502, "the engine's answer is not JSON", "malformed"),
        (SECOND | {"_shards": [1]}, 502, "aggregations: the engine's answer for the kept hits cannot", "malformed"),
        (
            {name: value for name, value in SECOND.items() if name != "_shards"} | {"timed_out": True},
            502,
            "aggregations: the engine's answer for the kept hits cannot",
            "out of time, and no word of its shards",
        ),
        (
            {name: value for name, value in SECOND.items() if name != "timed_out"} | {"_shards": {"failed": 1}},
            502,
            "aggregations: the engine's answer for the kept hits cannot",
            "a shard failed, and no word of the time",
        ),
    ],
)
def test_aggregations_over_the_kept_hits(reranker: Reranker, second: Any, status: int, words: str, remark: str) -> None:
    engine = Engine(RESPONSE | {"aggregations": {"n": {"value": 7}}}, second)
    body = BODY | AGGS | {"query": {"match_all": {}}, "search_pipeline": "p", "timeout": "1s", "sort": ["_score"]}
    with gateway(engine, reranker) as url:
        found = search(url, body, "/a/_search?routing=r&q=x&typed_keys&terminate_after=3")
    assert found[0] == status, remark
    if status == 200:
        assert found[1]["aggregations"] == {"n": {"value": 2}}
    else:
        assert found[1]["error"]["reason"].startswith(words)
    asked = engine.requests[1]
    assert asked["target"] == "/a/_search?routing=r&typed_keys"
    group = {"bool": {"filter": [{"term": {"_index": "a"}}, {"ids": {"values": ["1"]}}]}}
    query = {"bool": {"filter": [{"bool": {"should": [group]}}]}}
    again = AGGS | {"timeout": "1s", "search_pipeline": "_none", "size": 0, "query": query, "track_total_hits": True}
    assert json.loads(asked["body"]) == again


@pytest.mark.parametrize("wrong", [{"_index": None}, {"_index": ["a"]}, {"_id": 7}, {"_id": None}])
def test_hits_that_cannot_be_found_again_are_not_counted(reranker: Reranker, wrong: dict[str, Any]) -> None:
    answer = RESPONSE | {"hits": {"total": 1, "hits": [HITS[1] | wrong]}}
    with gateway(Engine(answer), reranker) as url:
        status, found = search(url, BODY | AGGS)
    assert (status, found["error"]["reason"]) == (
        502,
        "aggregations: the engine's answer has a hit without _index or _id",
    )


def test_partial_aggregations_where_the_engine_told_of_no_shards(reranker: Reranker) -> None:
    second = SECOND | {"timed_out": True, "_shards": {"failed": 1}}
    with gateway(Engine(RESPONSE | {"_shards": "?"}, second), reranker) as url:
        assert search(url, BODY | AGGS)[1]["_shards"] == {"failed": 1}


@pytest.mark.parametrize("path", ["/a/_search", "/a/_doc/1"])
def test_a_status_that_http_does_not_have(reranker: Reranker, path: str) -> None:
    answer = b"HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\n{}"
    with raw_engine(answer) as engine, serving(Gateway(Core(reranker), GatewaySettings(engine))) as url:
        status, found = search(url, BODY, path)
    assert (status, found["error"]["type"]) == (502, "simgate_engine_error")
    assert "answered with the status 999" in found["error"]["reason"]


@contextmanager
def raw_engine(answer: bytes) -> Iterator[str]:
    """An engine that answers its first request with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with listener.accept()[0] as connection:
                connection.recv(1 << 16)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(30)


def test_partial_aggregations_stay_visible(reranker: Reranker) -> None:
    shards = {"total": 2, "successful": 1, "skipped": 0, "failed": 1}
    second = SECOND | {"hits": {"total": {"value": 0}}, "timed_out": True, "_shards": shards}
    with gateway(Engine(RESPONSE, second), reranker) as url:
        _, found = search(url, BODY | AGGS)
    assert found["timed_out"] is True and found["_shards"] == shards


def test_took_holds_the_verification_s_share(reranker: Reranker) -> None:
    with gateway(Engine(RESPONSE), reranker) as url:
        start = time.monotonic()
        _, found = search(url)
        assert 3 < found["took"] <= 3 + 1000 * (time.monotonic() - start)


def test_behind_other_routes(reranker: Reranker) -> None:
    engine = Engine(RESPONSE)
    with serving(engine) as address:
        inner = Gateway(Core(reranker), GatewaySettings(address))

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            yield
            await inner.close()

        app = FastAPI(openapi_url=None, lifespan=lifespan)
        app.get("/health")(lambda: {"mine": True})
        app.mount("/engine", inner)
        app.mount("/", inner)
        with serving(app) as url:
            assert json.loads(call(url, "GET", "/health")[2]) == {"mine": True}
            for path in ("/a/_search?pretty", "/engine/a/_search?pretty"):
                assert search(url, BODY, path)[1]["hits"]["hits"][0]["fields"]["simgate"]
            call(url, "GET", "/_cat/x%2Fy?v")
            call(url, "GET", "/engine/")
    targets = [request["target"] for request in engine.requests]
    assert targets == ["/a/_search?pretty"] * 2 + ["/_cat/x%2Fy?v", "/"]


def test_answer_that_breaks_off_breaks_off_for_the_caller(reranker: Reranker) -> None:
    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.recv(100_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        settings = GatewaySettings(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with serving(Gateway(Core(reranker), settings)) as url:
            with pytest.raises(http.client.IncompleteRead):
                call(url, "GET", "/_cat/indices")
            status, found = search(url)
            assert (status, found["error"]["type"]) == (502, "simgate_engine_unavailable")
        thread.join(30)


def test_engine_with_a_certificate_of_its_own(reranker: Reranker, tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("makes its certificate with openssl")
    key, ca = tmp_path / "key.pem", tmp_path / "ca.pem"
    made = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    files = ["-keyout", str(key), "-out", str(ca)]
    subprocess.run(["openssl", *made.split(), *files], check=True, capture_output=True)
    with serving(Engine(RESPONSE), ssl_keyfile=key, ssl_certfile=ca) as plain:
        engine = plain.replace("http:", "https:")
        with serving(Gateway(Core(reranker), GatewaySettings(engine, ca=str(ca)))) as url:
            assert search(url)[0] == 200
        with serving(Gateway(Core(reranker), GatewaySettings(engine))) as url:
            status, found = search(url)
            assert status == 502 and "CERTIFICATE_VERIFY_FAILED" in found["error"]["reason"]


def test_search_that_meets_a_closed_connection_is_sent_again(reranker: Reranker) -> None:
    raw = json.dumps(RESPONSE).encode()
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Type: application/json\r\n\r\n" % len(raw) + raw
    seen: list[bytes] = []

    def once(listener: socket.socket, answers: int) -> None:
        connection, _ = listener.accept()
        with connection:
            for _ in range(answers):
                seen.append(connection.recv(100_000))
                connection.sendall(reply)
            if answers == 1:
                seen.append(connection.recv(100_000))  # and closes without an answer

    def serve(listener: socket.socket) -> None:
        once(listener, 1)
        once(listener, 2)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        settings = GatewaySettings(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with serving(Gateway(Core(reranker), settings)) as url:
            assert [search(url)[0] for _ in range(3)] == [200, 200, 200]
        thread.join(30)
    assert len(seen) == 4
