import json
import ssl
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPSConnection, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import Run
from nodes.engine import Engine, Refused
from nodes.proxy import Proxy, Rule

MATCH_ALL = {"query": {"match_all": {}}}


def through(proxy: Proxy, engine: Engine) -> Engine:
    """The engine as a client of the proxy sees it."""
    return Engine(proxy.url, engine.kind, engine.version)


def send(proxy: Proxy, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """The status, the headers and the body that a client of the proxy gets."""
    address = urlsplit(proxy.url).netloc
    context = ssl.create_default_context(cafile=proxy.certificate) if proxy.certificate else None
    connection = HTTPSConnection(address, context=context) if context else HTTPConnection(address)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_forwards_untouched_and_records(engine: Engine, proxied: Callable[..., Proxy]) -> None:
    proxy = proxied(engine)
    client = through(proxy, engine)
    client.request("PUT", "/proxied/_doc/a%2Fb?refresh=true", {"title": "x" * 2_000_000})
    assert client.request("POST", "/proxied/_search", MATCH_ALL)["hits"]["hits"][0]["_id"] == "a/b"
    assert [send(proxy, path, "HEAD")[0] for path in ("/proxied", "/absent")] == [200, 404]
    with pytest.raises(Refused, match="404"):
        client.request("GET", "/absent")
    engine.request("DELETE", "/proxied")
    methods = [(seen.method, seen.path) for seen in proxy.seen[:3]]
    assert methods == [("PUT", "/proxied/_doc/a%2Fb?refresh=true"), ("POST", "/proxied/_search"), ("HEAD", "/proxied")]
    assert len(json.loads(proxy.seen[0].body)["title"]) == 2_000_000
    assert proxy.seen[0].headers["content-type"] == "application/json"


def test_compression_passes_through(engine: Engine, proxied: Callable[..., Proxy]) -> None:
    proxy = proxied(engine)
    status, headers, body = send(proxy, "/_cluster/health", **{"Accept-Encoding": "gzip"})
    assert (status, headers["content-encoding"], body[:2]) == (200, "gzip", b"\x1f\x8b")
    assert int(headers["content-length"]) == len(body)


def test_answers_instead_of_the_engine(elasticsearch_9: Engine, proxied: Callable[..., Proxy]) -> None:
    proxy = proxied(elasticsearch_9)
    proxy.rules.append(Rule("/_cluster", status=429, body=b'{"error":"busy"}', headers={"Retry-After": "1"}, times=2))
    for _ in range(2):
        assert send(proxy, "/_nodes")[0] == 200, "another path"
        status, headers, body = send(proxy, "/_cluster/health")
        assert (status, headers["retry-after"], body) == (429, "1", b'{"error":"busy"}')
    assert send(proxy, "/_cluster/health")[0] == 200
    assert len(proxy.seen) == 5


def test_answers_malformed_json(elasticsearch_9: Engine, proxied: Callable[..., Proxy]) -> None:
    proxy = proxied(elasticsearch_9)
    proxy.rules.append(Rule(status=200, body=b'{"took":'))
    with pytest.raises(json.JSONDecodeError):
        through(proxy, elasticsearch_9).request("GET", "/_cluster/health")


def test_cuts_the_connection(elasticsearch_9: Engine, proxied: Callable[..., Proxy]) -> None:
    proxy = proxied(elasticsearch_9)
    proxy.rules.append(Rule(cut=True, times=1))
    with pytest.raises(IncompleteRead) as caught:
        send(proxy, "/_cluster/health")
    assert caught.value.partial.startswith(b"{")
    assert send(proxy, "/_cluster/health")[0] == 200


def test_waits(elasticsearch_9: Engine, proxied: Callable[..., Proxy]) -> None:
    proxy = proxied(elasticsearch_9)
    proxy.rules.append(Rule(delay=0.5, times=1))
    begun = time.monotonic()
    assert send(proxy, "/_cluster/health")[0] == 200
    assert time.monotonic() - begun >= 0.5


def test_asks_for_authorization(elasticsearch_9: Engine, proxied: Callable[..., Proxy]) -> None:
    proxy = proxied(elasticsearch_9)
    proxy.authorization = "ApiKey aWQ6a2V5"
    assert send(proxy, "/_cluster/health")[0] == 401
    assert send(proxy, "/_cluster/health", Authorization="Basic dXNlcjo=")[0] == 401
    assert send(proxy, "/_cluster/health", Authorization="ApiKey aWQ6a2V5")[0] == 200


def test_speaks_tls(elasticsearch_9: Engine, proxied: Callable[..., Proxy], tmp_path: Path) -> None:
    proxy = proxied(elasticsearch_9, tmp_path)
    assert proxy.url.startswith("https://127.0.0.1:")
    assert send(proxy, "/_cluster/health")[0] == 200
    proxy.certificate = tmp_path / "key.pem"
    with pytest.raises(ssl.SSLError):
        send(proxy, "/_cluster/health")


def test_a_dead_engine_is_a_closed_connection(run: Run) -> None:
    proxy: Any = run(Proxy.start("http://127.0.0.1:9"))
    with pytest.raises(RemoteDisconnected):
        send(proxy, "/")
    run(proxy.stop())
