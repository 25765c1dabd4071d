"""No request forgery: whatever is sent, simgate connects to the engine that its settings name and to nobody else."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from serving import serving
from stranger import Stranger, stranger
from test_gateway_app import BODY, RESPONSE
from test_gateway_app import Engine as Answering

from plugin_server import Reranker
from plugin_server.backend import Source
from plugin_server.core import Core
from plugin_server.engines.connection import Engine
from plugin_server.engines.search import EngineSearcher
from plugin_server.engines.settings import ENGINES, EngineSettings
from plugin_server.errors import EngineError, InvalidField
from plugin_server.gateway.app import Gateway
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.search import Question
from plugin_server.server import Server

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def other() -> Iterator[Stranger]:
    with stranger() as found:
        yield found


def raw(url: str, request: bytes) -> bytes:
    """The first bytes of the answer to a request that is sent as it is; empty if the connection is closed."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as client:
        client.sendall(request)
        return client.recv(65536)


def length(body: bytes) -> str:
    """The headers that every request with that body has, and the line behind them."""
    return f"Content-Type: application/json\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"


def test_the_stranger_notices_who_comes(other: Stranger) -> None:
    assert raw(other.url, b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert other.seen == [b"GET / HTTP/1.1\r\n\r\n"]


TARGETS = [
    "http://{0}/a/_search",
    "HTTP://{0}/a/_search",
    "https://{0}/a/_search",
    "//{0}/a/_search",
    "///{0}/a/_search",
    "/\\{0}/a/_search",
    "\\\\{0}\\a",
    "@{0}/a/_search",
    "/@{0}/a/_search",
    ":1@{0}/a/_search",
    "/..//{0}/_search",
    "/%2f%2f{0}/_search",
    "/%2f%2f{0}%2f..%2f_search",
    "/a/../..//{0}/_search",
    "/%2e%2e/%2e%2e/{0}/_search",
    "/;@{0}/_search",
    "/#@{0}/_search",
    "/?@{0}/_search",
    "/a/_search?url=http://{0}/&source=http://{0}/",
    "/{0}/_search",
    "/http:%2f%2f{0}/_search",
    "/a/_search%20HTTP/1.1%0d%0aHost:%20{0}%0d%0a%0d%0a",
    "*",
    "{0}",
]
HEADERS = [
    "Host: {0}",
    "Host: engine\r\nHost: {0}",
    "Host: {0}@engine",
    "Host: engine\r\nX-Forwarded-Host: {0}\r\nX-Forwarded-For: {0}\r\nForwarded: host={0}",
    "Host: engine\r\nX-Original-URL: http://{0}/\r\nX-Rewrite-URL: http://{0}/",
    "Host: engine\r\nProxy-Connection: keep-alive\r\nProxy: http://{0}",
    "Host: engine\r\nReferer: http://{0}/\r\nOrigin: http://{0}",
    "Host: engine\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
]


@pytest.mark.parametrize("limited", ["", "a,b-*"], ids=["no limit", "limit"])
def test_targets_and_headers(reranker: Reranker, other: Stranger, limited: str) -> None:
    engine = Answering(RESPONSE)
    with serving(engine) as address, serving(Gateway(Core(reranker), GatewaySettings(address, indices=limited))) as url:
        body = json.dumps(BODY).encode()
        lines = [(target, "Host: engine") for target in TARGETS] + [("/a/_search", header) for header in HEADERS]
        for method in ("GET", "POST", "CONNECT"):
            for target, header in lines:
                head = f"{method} {target} HTTP/1.1\r\n{header}\r\nContent-Type: application/json\r\n".format(
                    other.host
                )
                more = f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
                answered = raw(url, (head + more).encode() + body)
                assert answered[:9] in (b"", b"HTTP/1.1 "), (method, target, header)
        hosts = {dict(request["headers"])["host"] for request in engine.requests}
    assert other.seen == []
    assert hosts == {urlsplit(address).netloc}, "the engine reads its own name"


def test_two_lengths_smuggle_no_second_request(reranker: Reranker, other: Stranger) -> None:
    """Of a body in chunks and a length beside it only one can be passed on."""
    second = b"GET /stock/_doc/1 HTTP/1.1\r\nHost: x\r\n\r\n"
    chunk = b"{}" + second
    for lengths in (
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 2\r\nContent-Length: 42\r\n",
    ):
        engine = Answering(RESPONSE)
        with serving(engine) as address, serving(Gateway(Core(reranker), GatewaySettings(address, timeout=2))) as url:
            head = b"POST /a/_doc HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + lengths
            raw(url, head + b"\r\n%x\r\n" % len(chunk) + chunk + b"\r\n0\r\n\r\n")
        assert all(request["target"] == "/a/_doc" for request in engine.requests)


REDIRECTS = [301, 302, 303, 307, 308]


@pytest.mark.parametrize("status", REDIRECTS)
def test_redirects_of_the_engine_are_not_followed(reranker: Reranker, other: Stranger, status: int) -> None:
    given = {"location": f"{other.url}/a/_search", "x-elastic-product": "Elasticsearch"}
    with serving(Answering(RESPONSE, status=status, headers=given)) as address:
        for kind in ENGINES:
            settings = EngineSettings(engine=kind, engine_url=address, engine_user="ann", engine_password="secret")

            async def asked(method: str, path: str, where: EngineSettings = settings) -> None:
                async with Engine(where) as engine:
                    await engine.request(method, path, {"size": 1})

            for method, path in (("GET", "/a/_mapping"), ("POST", "/a/_search")):
                with pytest.raises(EngineError, match=f"answered {status}"):
                    asyncio.run(asked(method, path))
        with serving(Gateway(Core(reranker), GatewaySettings(address))) as url:
            body = json.dumps(BODY).encode()
            head = (
                f"Host: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            for target in ("/a/_search", "/a/_count"):
                answered = raw(url, f"POST {target} HTTP/1.1\r\n{head}".encode() + body)
                assert answered.startswith(f"HTTP/1.1 {status} ".encode()), "the caller may go there, simgate does not"
    assert other.seen == []


def test_proxies_of_the_environment_are_not_used(
    reranker: Reranker, other: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, other.url)
    engine = Answering(RESPONSE, headers={"x-elastic-product": "Elasticsearch"})
    with serving(engine) as address:
        for kind in ENGINES:

            async def asked(kind: str = kind) -> Any:
                async with Engine(EngineSettings(engine=kind, engine_url=address)) as connection:
                    return await connection.request("GET", "/a/_mapping")

            assert asyncio.run(asked()) == RESPONSE
        with serving(Gateway(Core(reranker), GatewaySettings(address))) as url:
            assert b" 200 " in raw(url, b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[:20]
    assert other.seen == [] and len(engine.requests) == 3


NAMES = [
    "http://{0}/a",
    "//{0}/a",
    "@{0}",
    "a@{0}",
    "{0}",
    "../{0}",
    "a?x=//{0}",
    "a#@{0}",
    "a\r\nHost: {0}",
    "\\\\{0}\\a",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_indices(reranker: Reranker, other: Stranger, name: str) -> None:
    engine = Answering({"a": {"mappings": {}}})
    with serving(engine) as address:

        async def asked() -> None:
            async with Engine(EngineSettings(engine_url=address)) as connection:
                given = Question("red", index=name.format(other.host), recall_query={"match_all": {}})
                await EngineSearcher(Core(reranker), connection).search(given)

        with pytest.raises((InvalidField, EngineError)):
            asyncio.run(asked())
    assert other.seen == []
    assert all(request["target"].startswith("/a%40127.0.0.2") for request in engine.requests) or not engine.requests


def test_addresses_in_texts_are_texts(reranker: Reranker, run: Run, other: Stranger) -> None:
    """Queries, documents, models, ids and a URL in every field of the doors: nothing is fetched."""
    server = run(Server.start(reranker, "127.0.0.1:0", Source(), http_address="127.0.0.1:0"))
    url = f"http://{server.http_address}"
    link = f"{other.url}/x"
    document = {"text": link, "id": link, "url": link, "image_url": {"url": link}}
    bodies = {
        "/v2/rerank": {"query": link, "documents": [link, f"file:///etc/passwd {link}"], "callback": link},
        "/v1/rerank": {"query": link, "documents": [document], "model": "simgate", "webhook": link},
        "/rerank": {"query": link, "texts": [link], "model": link},
        "/v1/verify": {"query": link, "documents": [link]},
    }
    try:
        for path, given in bodies.items():
            body = json.dumps(given).encode()
            answered = raw(url, f"POST {path} HTTP/1.1\r\nHost: {other.host}\r\n{length(body)}".encode() + body)
            assert answered.startswith((b"HTTP/1.1 200", b"HTTP/1.1 4")), answered
    finally:
        run(server.stop(0))
    assert other.seen == []
