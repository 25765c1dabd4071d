"""What a wrong request is told: the status, the field and the fix, in the form that the door's clients know."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest
from conftest import Run

from plugin_server import Reranker
from plugin_server.blob import TokenBlob
from plugin_server.server import Server
from plugin_server.server_settings import ServerSettings
from plugin_server.status import UNFORESEEN_MESSAGE

GOOD: dict[str, Any] = {"query": "a red car", "documents": ["a car that is red"]}
NO_OBJECT = "body: is not a JSON object: send one, with the header Content-Type: application/json"
FOREIGN = TokenBlob("00" * 8, (np.ones((4, 64), np.int8),)).text()
CASES = [
    ({"query": None}, "query: is not a text: give a text in quotes", "null"),
    ({"query": 7}, "query: is not a text: give a text in quotes", "a number"),
    ({"query": ""}, "query: holds no words: give a text", "an empty query: nothing can be judged"),
    ({"query": "hill " * 400}, " tokens, the limit is 256: shorten it", "a query is never split"),
    ({"query": "\ud800"}, "query: is not valid Unicode", "half a surrogate pair"),
    ({"documents": None}, "documents: is not a list: give a list of texts", "null"),
    ({"documents": "a"}, "documents: is not a list: give a list of texts", "one text"),
    ({"documents": []}, "documents: the list is empty: send at least one text", "none"),
    ({"documents": ["a"] * 1001}, "documents: 1001 candidates, the limit is 1000: send fewer", "too many"),
    ({"documents": ["a", 7]}, "documents[1]: is neither a text nor an object: give a text, or", "a number"),
    ({"documents": [["a"]]}, "documents[0]: is neither a text nor an object", "a list"),
    ({"documents": [{"text": 7}]}, "documents[0].text: is not a text: give a text in quotes", "no text"),
    ({"documents": [{"text": "a", "score": "high"}]}, "documents[0].score: is not a number: give one, or", "no number"),
    ({"documents": [{"id": "1"}, {"id": "1"}]}, "documents: the id '1' occurs twice", "an id twice"),
    ({"profile": "pear"}, "profile: 'pear' is not known: choose one of pairs, passages", "unknown"),
    ({"policy": "drop"}, "policy: 'drop' is not known: choose one of filter, demote, annotate", "unknown"),
    ({"model": "gpt"}, "model: 'gpt' is not known: choose one of simgate, simgate-pairs, simgate-passages", "unknown"),
    ({"top_n": 0}, "top_n: is too small: give at least 1, or leave it out", "none wanted"),
    ({"top_n": 1.5}, "top_n: is not a whole number: give one without a fraction", "a fraction"),
    ({"top_n": "many"}, "top_n: is not a whole number: give one without quotes", "a word"),
]
BODIES = [
    (b"", NO_OBJECT, "no body"),
    (b"{", "body: is not JSON: Expecting property name enclosed in double quotes at character 1", "half an object"),
    (b"[]", NO_OBJECT, "a list"),
    (b'"a"', NO_OBJECT, "a text"),
    (b'{"query": "\xff"}', "body: cannot be read: send JSON in UTF-8", "other bytes"),
    (b"[" * 100_000, "body: cannot be read: send JSON in UTF-8", "too deep"),
    (b"{}", "query: is missing: give it", "nothing"),
    (b'{"query": "a"}', "documents: is missing: give it", "half of it"),
    (b'{"query": "a", "documents": [{"text": "a", "score": NaN}]}', "documents[0].score: is not a finite", "NaN"),
    (b'{"query": "a", "documents": [{"text": "a", "score": 1e999}]}', "documents[0].score: is not a finite", "inf"),
]
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def http(http_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=http_url, timeout=60) as client:
        yield client


@pytest.fixture
def serving(run: Run) -> Iterator[Callable[..., str]]:
    """Starts servers, and stops them after the test."""
    servers: list[Server] = []

    def start(reranker: Reranker, **options: Any) -> str:
        servers.append(run(Server.start(reranker, "127.0.0.1:0", http_address="127.0.0.1:0", **options)))
        return f"http://{servers[-1].http_address}"

    yield start
    for server in servers:
        run(server.stop(0))


@pytest.mark.parametrize("path", ["/v2/rerank", "/v1/rerank", "/v1/verify"])
@pytest.mark.parametrize(("fields", "words", "remark"), CASES, ids=[f"{case[1][:30]} {case[2]}" for case in CASES])
def test_wrong_field(http: httpx.Client, path: str, fields: dict[str, Any], words: str, remark: str) -> None:
    if path == "/v1/verify" and fields.keys() & {"policy", "top_n"}:
        assert http.post(path, json=GOOD | fields).status_code == 200, "a key it does not know is ignored"
        return
    answer = http.post(path, content=json.dumps(GOOD | fields), headers=JSON)
    assert (answer.status_code, [*answer.json()]) == (400, ["message"]), remark
    assert words in answer.json()["message"], remark


@pytest.mark.parametrize(("fields", "words", "remark"), CASES, ids=[f"{case[1][:30]} {case[2]}" for case in CASES])
def test_wrong_field_in_teis_form(http: httpx.Client, fields: dict[str, Any], words: str, remark: str) -> None:
    request = {name.replace("documents", "texts"): value for name, value in (GOOD | fields).items()}
    answer = http.post("/rerank", content=json.dumps(request), headers=JSON)
    assert (answer.status_code, answer.json()["error_type"]) == (400, "Validation"), remark
    assert words.replace("documents", "texts") in answer.json()["error"], remark


@pytest.mark.parametrize(("body", "words", "remark"), BODIES, ids=[case[2] for case in BODIES])
def test_wrong_body(http: httpx.Client, body: bytes, words: str, remark: str) -> None:
    answer = http.post("/v2/rerank", content=body, headers=JSON)
    assert answer.status_code == 400, remark
    assert answer.json()["message"].startswith(words), remark


def test_wrong_content_type(http: httpx.Client) -> None:
    answer = http.post("/v2/rerank", content=json.dumps(GOOD), headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()) == (400, {"message": NO_OBJECT})


def test_wrong_query_parameter(http: httpx.Client) -> None:
    answer = http.post("/v2/rerank?details=7", json=GOOD)
    assert answer.json() == {"message": "details: is neither true nor false: give one of them"}


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/v2/rerank", 405)])
def test_no_such_door(http: httpx.Client, method: str, path: str, status: int) -> None:
    answer = http.request(method, path)
    assert answer.status_code == status
    assert answer.json() == {"message": f"{method} {path}: there is no such door: GET /openapi.json lists them"}


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
def test_a_body_over_the_limit(reranker: Reranker, serving: Callable[..., str], chunked: bool) -> None:
    def pieces(size: int) -> bytes | Iterator[bytes]:
        body = json.dumps(GOOD).encode().ljust(size)
        return (body[start : start + 1000] for start in range(0, size, 1000)) if chunked else body

    with httpx.Client(
        base_url=serving(reranker, settings=ServerSettings(max_request_bytes=10_000)), timeout=60
    ) as http:
        assert http.post("/v2/rerank", content=pieces(10_000), headers=JSON).status_code == 200
        answer = http.post("/v2/rerank", content=pieces(10_001), headers=JSON)
        assert answer.status_code == 413
        words = "body: more than 10000 bytes, which is the limit: send fewer or shorter documents"
        assert answer.json() == {"message": words}
        answer = http.post("/rerank", content=pieces(10_001), headers=JSON)
        assert (answer.status_code, answer.json()) == (413, {"error": words, "error_type": "Validation"})


def test_a_body_over_the_limit_is_answered_before_its_end(reranker: Reranker, serving: Callable[..., str]) -> None:
    host, port = serving(reranker, settings=ServerSettings(max_request_bytes=10_000)).removeprefix("http://").split(":")
    head = "POST /v2/rerank HTTP/1.1\r\nHost: simgate\r\nContent-Type: application/json\r\n"
    for rest in ("Content-Length: 1000000000\r\n\r\n", f"Transfer-Encoding: chunked\r\n\r\n2711\r\n{' ' * 10_001}\r\n"):
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall((head + rest).encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_another_bundles_blob_is_refused_if_settings_say_so(reranker: Reranker, serving: Callable[..., str]) -> None:
    strict = Reranker(reranker.bundle, replace(reranker.settings, on_mismatch="refuse"))
    with httpx.Client(base_url=serving(strict), timeout=60) as http:
        answer = http.post("/v2/rerank", json=GOOD | {"documents": ["a car", FOREIGN]})
        assert answer.status_code == 409
        assert answer.json()["message"].startswith("documents[1].blob: the token blob was made by bundle 0000000000")
        found = http.post("/v2/rerank", json=GOOD | {"documents": ["", "sgb1:cut"]}).json()["results"]
        assert [row["verdict"] for row in found] == ["unverified"] * 2, "other faults stay with their documents"


def test_an_unforeseen_error_tells_nothing(
    reranker: Reranker, serving: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    broken = Reranker(reranker.bundle, reranker.settings)
    del broken.verifier._session
    with httpx.Client(base_url=serving(broken), timeout=60) as http:
        answer = http.post("/v2/rerank", json=GOOD)
        assert (answer.status_code, answer.json()) == (500, {"message": UNFORESEEN_MESSAGE})
        answer = http.post("/rerank", json={"query": "a", "texts": ["a"]})
        assert (answer.status_code, answer.json()) == (500, {"error": UNFORESEEN_MESSAGE, "error_type": "Backend"})
    assert "AttributeError" in caplog.text
