"""Credentials: in no log, at whatever level, in no error, in no answer, and in no settings that are printed."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import traceback
from dataclasses import asdict
from typing import Any

import pytest
from serving import serving
from stranger import stranger
from test_gateway_app import BODY, RESPONSE, call
from test_gateway_app import Engine as Answering

from plugin_server import Reranker
from plugin_server.backend import Source
from plugin_server.core import Core
from plugin_server.engines.connection import Engine
from plugin_server.engines.settings import ENGINES, EngineSettings
from plugin_server.errors import EngineError, InvalidField
from plugin_server.gateway.app import Gateway
from plugin_server.gateway.settings import GatewaySettings

SECRET, KEY = "hunter2-of-the-sidecar", "aHVudGVyMjprZXk6b2Y6c2ltZ2F0ZQ=="
BASIC = base64.b64encode(f"ann:{SECRET}".encode()).decode()
TOKENS = (SECRET, KEY, BASIC)


def spelt(record: logging.LogRecord) -> str:
    """All that a record holds, its arguments and traceback too."""
    trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
    return f"{record.getMessage()} {record.args!r} {record.__dict__!r} {trace}"


def assert_silent(caplog: pytest.LogCaptureFixture, *texts: object) -> None:
    for text in (*map(spelt, caplog.records), *map(str, texts)):
        assert not any(token in text for token in TOKENS), text


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """All records of all loggers, those that stay apart too."""
    caplog.set_level(logging.DEBUG)
    for name in ("opensearch", "opensearchpy.trace", "elasticsearch", "elastic_transport", "aiohttp", "asyncio"):
        caplog.set_level(logging.DEBUG, name)
        logging.getLogger(name).addHandler(caplog.handler)
    return caplog


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("given", [{"engine_user": "ann", "engine_password": SECRET}, {"engine_api_key": KEY}])
@pytest.mark.parametrize("status", [200, 302, 401, 404, 500, 0], ids=lambda status: str(status or "nobody"))
def test_the_sidecar_s_own(everything: pytest.LogCaptureFixture, kind: str, given: dict[str, str], status: int) -> None:
    answering = Answering(b"no JSON" if status == 200 else {"error": "no"}, status=status or 200)
    with serving(answering) as address, stranger() as other:
        answering.headers = {"x-elastic-product": "Elasticsearch", "location": other.url}
        where = EngineSettings(engine=kind, engine_url=address if status else "http://127.0.0.1:1", **given)

        async def asked() -> None:
            async with Engine(where) as engine:
                await engine.request("POST", "/a/_search", {"size": 1})

        with pytest.raises(EngineError) as caught:
            asyncio.run(asked())
    sent = [dict(request["headers"])["authorization"].partition(" ")[2] for request in answering.requests]
    assert sent == ([KEY if "engine_api_key" in given else BASIC] if status else [])
    assert_silent(everything, caught.value, "".join(traceback.format_exception(caught.value)))
    if kind == "opensearch":
        assert everything.records, "its client does log failures"


FAILING: list[tuple[str, Answering, str]] = [
    ("refused by the engine", Answering({"error": "who?"}, status=401), "open"),
    ("no JSON", Answering(b"<html>"), "open"),
    ("a number that cannot be", Answering(b'{"hits": {"hits": [{"_score": 1e999}]}}'), "open"),
    (
        "verification fails",
        Answering(RESPONSE | {"hits": {"hits": [{"fields": {"text": ["a"]}, "_id": []}]}}),
        "closed",
    ),
    ("slow", Answering(RESPONSE, wait=5), "open"),
]


@pytest.mark.parametrize(("remark", "engine", "fail"), FAILING, ids=[row[0] for row in FAILING])
def test_the_callers(
    everything: pytest.LogCaptureFixture, reranker: Reranker, remark: str, engine: Answering, fail: str
) -> None:
    with serving(engine) as address:
        gateway = Gateway(Core(reranker), GatewaySettings(address, timeout=0.5, fail=fail, indices="a"))
        answers = talk(gateway)
    assert {dict(item["headers"]).get("authorization") for item in engine.requests} == {
        f"Basic {BASIC}",
        f"ApiKey {KEY}",
    }
    assert_silent(everything, *answers, kept(gateway))


def test_the_callers_without_an_engine(everything: pytest.LogCaptureFixture, reranker: Reranker) -> None:
    gateway = Gateway(Core(reranker), GatewaySettings("http://127.0.0.1:1"))
    assert_silent(everything, *talk(gateway), kept(gateway))


@pytest.mark.parametrize("odd", ["\x01", "\x7f", "é", "\x80", "\t"])
def test_credentials_that_cannot_be_sent(everything: pytest.LogCaptureFixture, reranker: Reranker, odd: str) -> None:
    """Whatever stands in a header, no error that it makes on the way holds it."""
    with serving(Answering(RESPONSE)) as address, serving(Gateway(Core(reranker), GatewaySettings(address))) as url:
        answered = call(url, "POST", "/a/_search", BODY, {"Authorization": f"Basic {SECRET}{odd}x"})
    assert_silent(everything, *answered)


def talk(gateway: Gateway) -> list[Any]:
    """What is answered to requests with credentials."""
    answers: list[Any] = []
    with serving(gateway) as url:
        for authorization in (f"Basic {BASIC}", f"ApiKey {KEY}"):
            for path, body in (
                ("/a/_search", BODY),
                ("/a/_doc/1", {"x": 1}),
                ("/b/_search", BODY),
                ("/a/_search", b"{"),
            ):
                answers += call(url, "POST", path, body, {"Authorization": authorization, "X-Api-Key": KEY})
    return answers


def kept(gateway: Gateway) -> str:
    """All that the gateway holds once its requests are answered, as far as objects lead to objects."""
    seen: set[int] = set()
    texts: list[str] = []
    waiting: list[Any] = [gateway.__dict__]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, Reranker):
            continue
        seen.add(id(item))
        if isinstance(item, str | bytes):
            texts.append(repr(item))
        elif isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set):
            waiting += [*item]
        elif type(item).__module__.startswith(("plugin_server", "aiohttp", "yarl", "multidict")):
            waiting += [getattr(item, "__dict__", {}), *(getattr(item, name, None) for name in slots(item))]
    return " ".join(texts)


def slots(item: Any) -> list[str]:
    return [name for kind in type(item).__mro__ for name in getattr(kind, "__slots__", ()) if isinstance(name, str)]


def test_settings_that_are_printed() -> None:
    for settings in (
        EngineSettings(engine_user="ann", engine_password=SECRET),
        EngineSettings(engine_api_key=KEY),
    ):
        assert any(token in json.dumps(asdict(settings)) for token in TOKENS)
        for shown in (repr(settings), str(settings), repr(Source(engine=settings))):
            assert not any(token in shown for token in TOKENS)
            assert "engine_url" in shown


@pytest.mark.parametrize(
    "url",
    [
        f"http://ann:{SECRET}@search:9200",
        f"http://:{SECRET}@search:9200",
        f"http://ann:{SECRET}@search:9200/?x",
        f"http://ann:{SECRET}@search:port",
        f"http://ann:{SECRET}@[search",
        f"http://ann:{SECRET}@se\u2100arch",
        f"search://ann:{SECRET}@search",
        f"ann:{SECRET}@search",
    ],
)
def test_addresses_with_a_password(url: str) -> None:
    for make in (lambda: EngineSettings(engine_url=url), lambda: GatewaySettings(url)):
        with pytest.raises(InvalidField) as caught:
            make()
        assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("url", ["http://search:0", "http://search:99999", "http://search:a", "http://[::1", "http://"])
def test_addresses_that_are_none(url: str) -> None:
    for make in (lambda: EngineSettings(engine_url=url), lambda: GatewaySettings(url)):
        with pytest.raises(InvalidField, match="is no address"):
            make()
