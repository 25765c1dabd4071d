"""The gateway in shadow mode: every byte is the engine's own, and a verified search follows for the record."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from serving import serving
from shadowing import fates, records
from test_gateway_app import BODY, HITS, QUERY, RESPONSE, TEXTS, Engine, call

from plugin_server import Candidate, Reranker
from plugin_server.core import Core
from plugin_server.gateway import shadow as beside
from plugin_server.gateway.app import Gateway
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.shadow.mode import Shadow
from plugin_server.shadow.writer import Writer

#: What the caller sees: spacing and numbers that no JSON library would write like this.
OWN = b'{ "took":1.0e0,"hits" : {"total":{"value":9},"max_score":0.900,"hits":[{"_id":"\\u0037","_score":9e-1}]}}\n'
LINE = b"{}\n" + json.dumps(BODY).encode() + b"\n"
SAID = b'{"error":{"type":"named_object_not_found_exception","reason":"[1:21] unknown field [rerank]"},"status":400}'


class Site:
    """An engine, a gateway in shadow mode in front of it, and its file."""

    def __init__(self, url: str, direct: str, file: Path) -> None:
        self.url, self.direct, self.file = url, direct, file

    def records(self, count: int) -> list[dict[str, Any]]:
        return records(self.file, count)


@contextmanager
def shadowed(engine: Any, reranker: Reranker, tmp_path: Path, **settings: Any) -> Iterator[Site]:
    file = tmp_path / "shadow.jsonl"
    writer = Writer(file, 2**40)
    core = Core(reranker)
    core.shadow = Shadow(writer)
    with serving(engine) as direct, serving(Gateway(core, GatewaySettings(direct, **settings))) as url:
        yield Site(url, direct, file)
    writer.close()


class Plain(Engine):
    """An engine without a rerank processor: it refuses a search with an ``ext`` that it does not know."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        answers, body, more = self.answers, b"", True
        messages = []
        while more:
            message = await receive()
            messages.append(message)
            body, more = body + message.get("body", b""), message.get("more_body", False)
        plain = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
        ext = b'"ext"' in plain or b"%22ext%22" in scope["query_string"]
        packed = ext and (b"accept-encoding", b"gzip") in scope["headers"]
        self.answers, self.status = ([gzip.compress(SAID) if packed else SAID], 400) if ext else (answers, 200)
        self.headers = {"content-encoding": "gzip"} if packed else {}

        async def again() -> Any:
            return messages.pop(0) if messages else await receive()

        await super().__call__(scope, again, send)
        self.answers = answers


def wanted(reranker: Reranker, policy: str = "filter") -> list[tuple[int, str, int | None]]:
    """What the reranker alone says of the engine's hits."""
    candidates = [Candidate(text, str(n), 2 * HITS[n]["_score"] - 1) for n, text in enumerate(TEXTS)]  # type: ignore[operator]
    ranking = reranker.rerank(QUERY["query_context"]["query_text"], candidates, policy=policy)
    kept = [(hit.position, hit.verdict.outcome.value, place) for place, hit in enumerate(ranking.hits)]
    return sorted(kept + [(hit.position, hit.verdict.outcome.value, None) for hit in ranking.dropped])


SEARCHES: list[tuple[str, str, Any, dict[str, str], str]] = [
    ("POST", "/a/_search", BODY, {}, "a search"),
    ("GET", "/_search?pretty", BODY, {}, "of all indices"),
    ("POST", "/a/_search", gzip.compress(json.dumps(BODY).encode()), {"Content-Encoding": "gzip"}, "compressed"),
    ("POST", "/a/_search", json.dumps(BODY).replace("query_context", "query\\u005fcontext").encode(), {}, "escaped"),
    (
        "GET",
        f"/a/_search?source_content_type=application/json&source={quote(json.dumps(BODY))}",
        None,
        {},
        "in the URL",
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "remark"), SEARCHES, ids=[row[4] for row in SEARCHES])
@pytest.mark.parametrize("kind", [Engine, Plain])
def test_every_byte_is_the_engine_s(
    reranker: Reranker,
    tmp_path: Path,
    kind: Callable[..., Engine],
    method: str,
    path: str,
    body: Any,
    headers: dict[str, str],
    remark: str,
) -> None:
    engine = kind(OWN, RESPONSE)
    sent = {"Authorization": "Basic eDp5", "X-Opaque-Id": "o1", "Accept-Encoding": "gzip"} | headers
    with shadowed(engine, reranker, tmp_path) as site:
        status, given, raw = call(site.url, method, path, body, sent)
        assert (status, raw) == (200, OWN)
        (record,) = site.records(1)
    assert given["content-type"] == "application/json"
    assert fates(record) == wanted(reranker)
    index = "a" if "/a/" in path else ""
    assert (record["way"], record["request"], record["index"]) == ("/_search", "o1", index)
    assert [(item["id"], item["score"]) for item in record["candidates"]] == [(h["_id"], h["_score"]) for h in HITS]
    *before, own, second = engine.requests
    assert len(before) == (kind is Plain), "which refuses what it does not know"
    first = engine.requests[0]
    written = json.dumps(body).encode() if isinstance(body, dict) else body or b""
    assert (first["method"], first["target"], first["body"]) == (method, path, written), "the search as it came"
    if kind is Plain:
        assert json.loads(own["body"]) == {"size": 2}
    given_on = [dict(request["headers"]) for request in engine.requests]
    assert {(each["authorization"], each["x-opaque-id"]) for each in given_on} == {("Basic eDp5", "o1")}
    assert given_on[-2]["accept-encoding"] == "gzip"
    assert json.loads(second["body"])["size"] == 100
    assert json.loads(second["body"])["fields"] == ["simgate_blob", "text"]


def test_an_engine_without_a_rerank_processor_is_asked_once_when_it_is_known(
    reranker: Reranker, tmp_path: Path
) -> None:
    engine = Plain(OWN, RESPONSE, OWN, RESPONSE)
    with shadowed(engine, reranker, tmp_path) as site:
        for number in (1, 2):
            assert call(site.url, "POST", "/a/_search", BODY)[2] == OWN
            site.records(number)
    assert [b'"ext"' in request["body"] for request in engine.requests] == [True, False, False, False, False]


def test_the_engine_s_own_rerank_processor_still_finds_its_context(reranker: Reranker, tmp_path: Path) -> None:
    engine = Engine(OWN, RESPONSE)
    body = BODY | {"ext": {"rerank": QUERY, "simgate": {"policy": "demote"}, "other": {"x": 1}}}
    with shadowed(engine, reranker, tmp_path) as site:
        call(site.url, "POST", "/a/_search?search_pipeline=theirs", body)
        (record,) = site.records(1)
    own, second = (json.loads(request["body"]) for request in engine.requests)
    assert own == body | {"ext": {"rerank": QUERY, "other": {"x": 1}}}, "without what no engine knows"
    assert second["ext"] == {"other": {"x": 1}}
    assert (record["policy"], fates(record)) == ("demote", wanted(reranker, "demote"))


def test_the_search_for_the_record_asks_for_hits_alone(reranker: Reranker, tmp_path: Path) -> None:
    costly = {"aggs": {"n": {"avg": {"field": "n"}}}, "highlight": {}, "suggest": {}, "explain": True, "profile": True}
    engine = Engine(OWN, RESPONSE)
    with shadowed(engine, reranker, tmp_path) as site:
        call(site.url, "POST", "/a/_search", BODY | costly)
        site.records(1)
    own, second = (json.loads(request["body"]) for request in engine.requests)
    assert own == BODY | costly
    assert not set(second) & set(costly)


def test_an_order_of_the_caller_s_is_kept(reranker: Reranker, tmp_path: Path) -> None:
    with shadowed(Engine(OWN, RESPONSE), reranker, tmp_path) as site:
        call(
            site.url,
            "POST",
            "/a/_search",
            BODY | {"sort": ["n"], "ext": {"rerank": QUERY, "simgate": {"policy": "annotate"}}},
        )
        (record,) = site.records(1)
    assert [item["new"] for item in record["candidates"]] == [0, 1, 2]


def test_a_multi_search(reranker: Reranker, tmp_path: Path) -> None:
    bodies = [BODY, {"size": 1}, BODY | {"size": 0}, BODY | {"ext": {"rerank": QUERY, "simgate": {"k": "many"}}}, BODY]
    lines = b"".join(b'{"index":"i%d"}\n' % n + json.dumps(body).encode() + b"\n" for n, body in enumerate(bodies))
    engine = Engine(OWN, {"responses": [RESPONSE, {"error": {"type": "x"}, "status": 404}]})
    with shadowed(engine, reranker, tmp_path) as site:
        assert call(site.url, "POST", "/_msearch", lines)[2] == OWN
        rows = {record["index"]: record for record in site.records(3)}
    sent = [json.loads(line) for line in engine.requests[0]["body"].splitlines()[1::2]]
    assert sent == [*bodies[:3], BODY, BODY], "without what no engine knows"
    assert [json.loads(line).get("size") for line in engine.requests[1]["body"].splitlines()] == [None, 100, None, 100]
    assert set(rows) == {"i0", "i3", "i4"}, "the others would not be verified"
    assert (fates(rows["i0"]), rows["i0"]["way"]) == (wanted(reranker), "/_msearch")
    assert rows["i3"]["error"].startswith("ext.simgate.k: 'many' is not a whole number")
    assert rows["i4"]["error"] == "the engine refused the search for the record"


def test_a_multi_search_without_a_rerank_processor(reranker: Reranker, tmp_path: Path) -> None:
    engine = Plain(OWN, {"responses": [RESPONSE]})
    with shadowed(engine, reranker, tmp_path) as site:
        assert call(site.url, "POST", "/a/_msearch", LINE)[::2] == (200, OWN)
        (record,) = site.records(1)
    assert (record["index"], fates(record)) == ("a", wanted(reranker))
    assert engine.requests[1]["body"] == b'{}\n{"size":2}\n'


YAML = {"Content-Type": "application/yaml"}
WOULD_BE_REFUSED: list[tuple[str, Any, dict[str, str], str]] = [
    ("/a/_search", b"ext:\n  rerank:\n    query_context:\n", YAML, "content-type: application/yaml cannot be"),
    ("/a/_search", BODY, {"Accept": "application/yaml"}, "accept: application/yaml cannot be verified"),
    ("/a/_search", BODY | {"ext": {"simgate": {}}}, {}, "ext.simgate: is given without"),
    ("/a/_search", b'{"size": 1} // query_context', {}, "body: may hold a rerank context, but is not strict JSON"),
    ("/a/_search?scroll=1m", BODY, {}, "scroll: cannot be combined"),
    ("/a/_search?filter_path=took", BODY, {}, "filter_path: cannot be combined"),
    ("/_msearch?filter_path=took", LINE, {}, "filter_path: cannot be combined"),
    ("/a/_search", BODY | {"from": 99}, {}, "ext.simgate.k: from 99 and size 2 reach beyond"),
    ("/a/_search", BODY | {"ext": {"rerank": QUERY, "simgate": {"calibration": "no"}}}, {}, "calibration: 'no' is not"),
]


@pytest.mark.parametrize(("path", "body", "headers", "words"), WOULD_BE_REFUSED, ids=[w[3] for w in WOULD_BE_REFUSED])
def test_what_would_be_refused_is_answered(
    reranker: Reranker, tmp_path: Path, path: str, body: Any, headers: dict[str, str], words: str
) -> None:
    engine = Engine(OWN)
    with shadowed(engine, reranker, tmp_path) as site:
        assert call(site.url, "POST", path, body, headers)[::2] == (200, OWN)
        (record,) = site.records(1)
    assert record["error"].startswith(words)
    assert len(engine.requests) == 1


NONE_OF_ITS_BUSINESS: list[tuple[str, Any, dict[str, str]]] = [
    ("/a/_search", {"size": 1}, {}),
    ("/a/_search", {"query": {"match": {"text": "query_context"}}}, {}),
    ("/a/_search", b"# simgate\nsize: 1\n", YAML),
    ("/a/_search", BODY | {"size": 0}, {}),
    ("/_msearch", b'{}\n{"size":1,"x":"simgate"}\n', {}),
    ("/a/_search", gzip.compress(json.dumps(BODY).encode())[:-9], {"Content-Encoding": "gzip"}),
]


@pytest.mark.parametrize(("path", "body", "headers"), NONE_OF_ITS_BUSINESS)
def test_nothing_else_is_recorded(
    reranker: Reranker, tmp_path: Path, path: str, body: Any, headers: dict[str, str]
) -> None:
    engine = Engine(OWN, OWN, RESPONSE)
    with shadowed(engine, reranker, tmp_path) as site:
        assert call(site.url, "POST", path, body, headers)[::2] == (200, OWN)
        assert call(site.url, "POST", "/b/_search", BODY)[::2] == (200, OWN)
        (record,) = site.records(1)
    assert record["index"] == "b"


def test_a_large_body_is_passed_on(reranker: Reranker, tmp_path: Path) -> None:
    engine = Engine(OWN)
    large = json.dumps(BODY).encode() + b" " * 3_000_000
    bomb = gzip.compress(large)
    with shadowed(engine, reranker, tmp_path, max_body_bytes=100_000) as site:
        for body, headers in ((large, {}), (bomb, {"Content-Encoding": "gzip"})):
            assert call(site.url, "POST", "/a/_search", body, headers)[::2] == (200, OWN)
    assert [request["body"] for request in engine.requests] == [large, bomb]


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (b"<html>", "the engine's answer is not JSON"),
        ({"took": 1}, "the engine's answer is no search response"),
        ({"error": {}, "status": 400}, "the engine refused the search for the record"),
        (RESPONSE | {"hits": {"hits": [HITS[0] | {"_score": 12.5}]}}, "ext.simgate.scores: a hit has the score 12.5"),
    ],
)
def test_a_search_for_the_record_that_fails_harms_nobody(
    reranker: Reranker, tmp_path: Path, second: Any, words: str
) -> None:
    with shadowed(Engine(OWN, second), reranker, tmp_path) as site:
        assert call(site.url, "POST", "/a/_search", BODY)[::2] == (200, OWN)
        (record,) = site.records(1)
    assert record["error"].startswith(words)


def test_hits_that_cannot_be_read_are_recorded_with_their_cause(reranker: Reranker, tmp_path: Path) -> None:
    odd = {"_index": "a", "_id": "0", "_score": 0.5, "fields": {"simgate_blob": ["sgb1:AAAA"]}}
    answer = RESPONSE | {"hits": {"hits": [*HITS, odd]}}
    with shadowed(Engine(OWN, answer), reranker, tmp_path) as site:
        call(site.url, "POST", "/a/_search", BODY)
        (record,) = site.records(1)
    assert [item.get("cause") for item in record["candidates"]] == [None, None, None, "malformed_blob"]
    assert [item["id"] for item in record["candidates"]] == ["0", "1", "2", "0"], "two indices may share an id"


def test_the_engine_s_errors_pass_and_are_not_followed(reranker: Reranker, tmp_path: Path) -> None:
    said = b'{"error" : "no",  "status":429}'
    engine = Engine(said, status=429, headers={"retry-after": "3"})
    with shadowed(engine, reranker, tmp_path) as site:
        for path, body in (("/a/_search", BODY), ("/_msearch", LINE)):
            status, headers, raw = call(site.url, "POST", path, body)
            assert (status, headers["retry-after"], raw) == (429, "3", said)
    assert len(engine.requests) == 2


OTHER_ERRORS = [
    (b'{"error":{"reason":"[1:3] unknown field [other]","type":"named_object_not_found_exception"}}', 1, "another ext"),
    (b'{"error":{"reason":"no [rerank]"}}', 1, "another error"),
    (gzip.compress(b"x" * 200_000), 1, "one that is too long to be read"),
    (SAID, 2, "the same again"),
]


@pytest.mark.parametrize(("said", "asked", "remark"), OTHER_ERRORS, ids=[row[2] for row in OTHER_ERRORS])
def test_an_error_of_status_400_passes(
    reranker: Reranker, tmp_path: Path, said: bytes, asked: int, remark: str
) -> None:
    headers = {"content-encoding": "gzip"} if said.startswith(b"\x1f") else {}
    engine = Engine(said, status=400, headers=headers)
    with shadowed(engine, reranker, tmp_path, max_body_bytes=100_000) as site:
        assert call(site.url, "POST", "/a/_search", BODY)[::2] == (400, said)
    assert len(engine.requests) == asked


def test_an_engine_that_is_down(reranker: Reranker, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        core = Core(reranker)
        core.shadow = Shadow(Writer(tmp_path / "shadow.jsonl", 2**40))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
        with serving(Gateway(core, GatewaySettings(nobody))) as url:
            status, _, raw = call(url, "POST", "/a/_search", BODY)
    assert (status, json.loads(raw)["error"]["type"]) == (502, "simgate_engine_unavailable")


def test_a_search_that_meets_a_closed_connection_is_sent_again(reranker: Reranker, tmp_path: Path) -> None:
    served: list[bytes] = []

    def answer(listener: socket.socket) -> None:
        for requests in (2, 1):  # the second request on the first connection meets its end
            client, _ = listener.accept()
            with client:
                for number in range(requests):
                    served.append(client.recv(65536))
                    if number == 0:
                        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(OWN), OWN))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        core = Core(reranker)
        core.shadow = Shadow(Writer(tmp_path / "shadow.jsonl", 2**40))
        engine = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with serving(Gateway(core, GatewaySettings(engine))) as url:
            for _ in range(2):
                assert call(url, "POST", "/a/_search", {"query": {"match": {"text": "simgate"}}})[::2] == (200, OWN)
        thread.join(30)
    assert len(served) == 3


def test_responses_do_not_wait_for_the_record(reranker: Reranker, tmp_path: Path) -> None:
    release, seen = threading.Event(), []

    async def engine(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = (await receive())["body"]
        seen.append(body)
        if b'"fields"' in body:
            await asyncio.to_thread(release.wait, 60)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send(
            {"type": "http.response.body", "body": json.dumps(RESPONSE).encode() if b'"fields"' in body else OWN}
        )

    with shadowed(engine, reranker, tmp_path) as site:
        try:
            for _ in range(2 * beside.MOST):
                assert call(site.url, "POST", "/a/_search", BODY)[::2] == (200, OWN)
            assert sum(b'"fields"' in body for body in seen) <= beside.MOST, "so many at a time"
            assert site.file.read_bytes() == b""
        finally:
            release.set()
        assert len(site.records(2 * beside.MOST)) == 2 * beside.MOST


def test_other_requests_pass_as_ever(reranker: Reranker, tmp_path: Path) -> None:
    engine = Engine(OWN)
    with shadowed(engine, reranker, tmp_path) as site:
        for method, path in (("GET", "/_cat/health?v"), ("PUT", "/a"), ("POST", "/a/_count"), ("POST", "/_bulk")):
            assert call(site.url, method, path, BODY)[::2] == (200, OWN)
    assert [request["body"] for request in engine.requests] == [json.dumps(BODY).encode()] * 4
    assert urlsplit(site.url).port


def test_a_body_that_the_guard_has_read_is_sent_once(reranker: Reranker, tmp_path: Path) -> None:
    engine = Engine(OWN, RESPONSE)
    with shadowed(engine, reranker, tmp_path, indices="a") as site:
        status, _, raw = call(site.url, "POST", "/a/_search", BODY)
        assert (status, raw) == (200, OWN)
        assert fates(site.records(1)[0]) == wanted(reranker)
        assert call(site.url, "POST", "/b/_search", BODY)[0] == 403
    assert engine.requests[0]["body"] == json.dumps(BODY).encode()
