"""Requests to engines: every way in which one can go wrong is an error of its own."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from indices import settings_of
from nodes.engine import Engine as Node
from nodes.node import free_port
from nodes.proxy import Proxy, Rule, self_signed

from plugin_server.engines.connection import REASON, Engine
from plugin_server.engines.settings import EngineSettings
from plugin_server.errors import (
    EngineBusy,
    EngineDenied,
    EngineError,
    EngineMissing,
    EngineNotReady,
    EngineRefused,
    EngineTimeout,
    EngineTooLarge,
    EngineUnavailable,
    InvalidField,
)

#: One engine for each client.
CLIENTS = pytest.mark.parametrize("engine", ["opensearch_2", "elasticsearch_9"], indirect=True)
HEALTH = "/_cluster/health"
#: Without it, Elasticsearch's client takes no answer for one of Elasticsearch.
PRODUCT = {"X-Elastic-Product": "Elasticsearch"}


def ask(settings: EngineSettings, method: str = "GET", path: str = HEALTH, body: Any = None) -> Any:
    async def asked() -> Any:
        async with Engine(settings) as engine:
            return await engine.request(method, path, body)

    return asyncio.run(asked())


def answer(status: int, body: bytes = b"{}", kind: str = "application/json") -> Rule:
    return Rule(status=status, body=body, headers={**PRODUCT, "Content-Type": kind})


FAULTS: list[tuple[Rule, type[EngineError], str, str]] = [
    (
        answer(400, b'{"error":{"type":"parsing_exception","reason":"unknown query [knm]"},"status":400}'),
        EngineRefused,
        "answered 400: parsing_exception: unknown query [knm]",
        "a wrong request",
    ),
    (answer(401, b'{"error":"who?"}'), EngineDenied, "answered 401: who?", "no credentials"),
    (answer(403, b"no", "text/plain"), EngineDenied, "answered 403: no", "credentials that may not"),
    (answer(404), EngineMissing, "answered 404", "no such index"),
    (answer(405), EngineRefused, "answered 405", "any other 4xx"),
    (answer(413, b"<h1>too\nlarge</h1>", "text/html"), EngineTooLarge, "413: <h1>too large</h1>", "a proxy's limit"),
    (answer(429, b'{"error":"slow down"}'), EngineBusy, "answered 429: slow down", "too much to do"),
    (answer(500), EngineError, "answered 500", "the engine's own fault"),
    (answer(502, b"<html>", "text/html"), EngineNotReady, "answered 502: <html>", "a proxy without an engine"),
    (answer(503), EngineNotReady, "answered 503", "a node that starts"),
    (answer(504, b""), EngineNotReady, "answered 504", "a proxy that gave up"),
    (answer(302), EngineError, "answered 302", "a redirect is not followed"),
    (answer(200, b'{"took":'), EngineError, "not JSON", "an answer cut off by a proxy"),
    (answer(200, b"ok", "text/plain"), EngineError, "not JSON", "another server"),
    (answer(200, b"<html>", "text/html"), EngineError, "not JSON", "a login page"),
    (answer(200, b"7"), EngineError, "not JSON: '7'", "JSON, but no answer"),
    (answer(200, b""), EngineError, "not JSON", "nothing"),
    (answer(500, b"[]"), EngineError, "", "JSON, but no error of an engine"),
    (answer(500, b"x" * 5000), EngineError, "x" * 100, "a long story is cut"),
    (Rule(cut=True), EngineUnavailable, "cannot be reached", "the connection breaks in the middle of the answer"),
    (Rule(delay=0.9), EngineTimeout, "no answer within 0.3 s", "slow"),
]


@CLIENTS
@pytest.mark.parametrize(("rule", "kind", "message", "remark"), FAULTS, ids=[row[3] for row in FAULTS])
def test_a_fault_has_its_error(
    engine: Node,
    proxied: Callable[..., Proxy],
    rule: Rule,
    kind: type[EngineError],
    message: str,
    remark: str,
) -> None:
    proxy = proxied(engine)
    proxy.rules.append(rule)
    with pytest.raises(EngineError) as caught:
        ask(settings_of(engine, proxy, engine_timeout=0.3))
    assert type(caught.value) is kind, repr(caught.value)
    assert message in str(caught.value)
    assert len(str(caught.value)) < REASON + 200
    assert len(proxy.seen) == 1, "nothing is sent again by itself"


def test_the_engines_own_words_are_told(engine: Node) -> None:
    where = settings_of(engine)
    assert ask(where)["status"] in ("green", "yellow")
    with pytest.raises(EngineMissing, match="no such index"):
        ask(where, "GET", "/simgate-absent/_mapping")
    with pytest.raises(EngineRefused, match=r"answered 400: parsing_exception: .*pear"):
        ask(where, "POST", "/_search", {"query": {"pear": {}}})
    with pytest.raises(EngineRefused, match="answered 400"):
        ask(where, "POST", "/_bulk", b"no action\n")


@CLIENTS
def test_nobody_listens(engine: Node) -> None:
    with pytest.raises(EngineUnavailable, match="is the engine running, and the address right"):
        ask(EngineSettings(engine=engine.kind, engine_url=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(EngineUnavailable):
        ask(EngineSettings(engine=engine.kind, engine_url="http://no-such-host.invalid:9200"))


def test_opensearch_is_not_elasticsearch(opensearch_2: Node) -> None:
    with pytest.raises(EngineError, match="answers, but is not Elasticsearch: give engine opensearch"):
        ask(EngineSettings(engine="elasticsearch", engine_url=opensearch_2.url))


@CLIENTS
def test_a_client_that_is_closed_leaves_nothing_open(engine: Node) -> None:
    """An open connection would be a ResourceWarning, which fails the run."""
    for _ in range(3):
        ask(settings_of(engine))


@CLIENTS
def test_tls_needs_the_authority_that_signed(engine: Node, proxied: Callable[..., Proxy], tmp_path: Path) -> None:
    for name in ("right", "wrong"):
        (tmp_path / name).mkdir()
    proxy = proxied(engine, tmp_path / "right")
    other = self_signed(tmp_path / "wrong")
    assert ask(settings_of(engine, proxy, engine_ca=str(proxy.certificate)))["status"] in ("green", "yellow")
    for authority in (str(other), ""):
        with pytest.raises(EngineUnavailable, match="certificate verify failed"):
            ask(settings_of(engine, proxy, engine_ca=authority))
    named = settings_of(engine, proxy, engine_ca=str(proxy.certificate))
    local = EngineSettings(
        engine=engine.kind, engine_url=named.engine_url.replace("127.0.0.1", "localhost"), engine_ca=named.engine_ca
    )
    assert ask(local)["status"] in ("green", "yellow"), "a name of the certificate"
    with pytest.raises(EngineUnavailable):
        ask(EngineSettings(engine=engine.kind, engine_url=proxy.url.replace("https", "http")))
    assert len(proxy.seen) == 2, "nothing is sent to one who cannot be trusted"


@CLIENTS
@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "not PEM"])
def test_a_certificate_file_that_cannot_be_read(engine: Node, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    with pytest.raises(InvalidField, match=r"engine_ca: .*ca\.pem: .*: give a PEM file"):
        ask(EngineSettings(engine=engine.kind, engine_url="https://127.0.0.1:1", engine_ca=str(file)))


CREDENTIALS: list[tuple[str, dict[str, str], bool, str]] = [
    ("Basic ann:secret", {"engine_user": "ann", "engine_password": "secret"}, True, "the right password"),
    ("Basic ann:secret", {"engine_user": "ann", "engine_password": "guess"}, False, "a wrong password"),
    ("Basic ann:s:c", {"engine_user": "ann", "engine_password": "s:c"}, True, "a colon in the password"),
    ("Basic änn:pä€", {"engine_user": "änn", "engine_password": "pä€"}, True, "letters beyond Latin-1, as UTF-8"),
    ("ApiKey aWQ6a2V5", {"engine_api_key": "aWQ6a2V5"}, True, "the right key"),
    ("ApiKey aWQ6a2V5", {"engine_api_key": "aWQ6a2V6"}, False, "a wrong key"),
    ("ApiKey aWQ6a2V5", {"engine_user": "id", "engine_password": "key"}, False, "a password in place of a key"),
    ("Basic ann:secret", {}, False, "nothing"),
]


@CLIENTS
@pytest.mark.parametrize(("wanted", "given", "allowed", "remark"), CREDENTIALS, ids=[row[3] for row in CREDENTIALS])
def test_credentials(
    engine: Node, proxied: Callable[..., Proxy], wanted: str, given: dict[str, str], allowed: bool, remark: str
) -> None:
    proxy = proxied(engine)
    kind, _, secret = wanted.partition(" ")
    proxy.authorization = wanted if kind == "ApiKey" else f"Basic {base64.b64encode(secret.encode()).decode()}"
    where = settings_of(engine, proxy, **given)
    if allowed:
        assert ask(where)["status"] in ("green", "yellow")
    else:
        with pytest.raises(EngineDenied, match="answered 401"):
            ask(where)
