"""API keys at the doors of a real server, in front of an engine and without one."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from conftest import Run
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from serving import serving
from test_gateway_app import BODY, RESPONSE, Engine

from plugin_server import Candidate, Ranking, Reranker, Verdict
from plugin_server import simgate_v1_pb2 as pb
from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server import tei_v1_pb2 as tei_pb
from plugin_server import tei_v1_pb2_grpc as tei_grpc
from plugin_server.backend import Source
from plugin_server.caller import caller
from plugin_server.client import AsyncClient, Client
from plugin_server.engines.settings import EngineSettings
from plugin_server.errors import InvalidField, Unauthenticated
from plugin_server.remote import RemoteOverloaded, RemoteUnauthenticated
from plugin_server.server import Server
from plugin_server.server_settings import ServerSettings

Code = grpc.StatusCode
GOOD = {"query": "a red car", "documents": ["a car that is red"]}
TEI = {"query": "a red car", "texts": ["a car that is red"]}
#: The first three are in the file at first.
KEYS = {"one": "sg_key-of-one", "slow": "sg_key-of-slow", "old": "sg_key-of-old", "two": "sg_key-of-two"}
MORE = {"slow": "requests_per_second = 0.001\nburst = 2\n", "old": "expires = 2020-01-01T00:00:00Z\n"}
SENTENCE = str(Unauthenticated())


def table(name: str) -> str:
    return f'[{name}]\nsha256 = "{sha256(KEYS[name].encode()).hexdigest()}"\n{MORE.get(name, "")}'


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    made = tmp_path / "keys.toml"
    made.write_text("\n".join(map(table, [*KEYS][:3])))
    return made


@pytest.fixture
def guarded(run: Run, reranker: Reranker, keys: Path) -> Iterator[Server]:
    """A server without an engine."""
    settings = ServerSettings(api_keys=str(keys))
    server = run(Server.start(reranker, "127.0.0.1:0", settings=settings, http_address="127.0.0.1:0"))
    yield server
    run(server.stop(0))


@pytest.fixture
def engine() -> Engine:
    return Engine(RESPONSE)


@pytest.fixture
def fronted(run: Run, reranker: Reranker, keys: Path, engine: Engine) -> Iterator[str]:
    """Where a server with an engine behind it listens for HTTP."""
    with serving(engine) as url:
        source, settings = Source(engine=EngineSettings(engine_url=url)), ServerSettings(api_keys=str(keys))
        server = run(Server.start(reranker, "127.0.0.1:0", source, settings, "127.0.0.1:0"))
        yield f"http://{server.http_address}"
        run(server.stop(0))


#: Headers, whether a door and gRPC let them in, and whether the gateway does.
WAYS: list[tuple[dict[str, str], bool, bool, str]] = [
    ({}, False, False, "no key"),
    ({"x-api-key": KEYS["one"]}, True, True, "one's own header"),
    ({"authorization": f"Bearer {KEYS['one']}"}, True, False, "behind the gateway Authorization is the engine's"),
    ({"authorization": f"bearer {KEYS['one']}"}, True, False, "schemes have no case"),
    ({"authorization": "Basic eDp5", "x-api-key": KEYS["one"]}, True, True, "the engine's login beside the key"),
    ({"authorization": f"Bearer {KEYS['one']}", "x-api-key": "sg_x"}, False, False, "one's own header goes first"),
    ({"authorization": f"Basic {KEYS['one']}"}, False, False, "another scheme"),
    ({"x-api-key": "sg_wrong"}, False, False, "wrong key"),
    ({"x-api-key": KEYS["one"].upper()}, False, False, "keys have case"),
    ({"x-api-key": KEYS["one"][:-1]}, False, False, "truncated"),
    ({"x-api-key": KEYS["old"]}, False, False, "expired"),
    ({"x-api-key": sha256(KEYS["one"].encode()).hexdigest()}, False, False, "the digest is not the key"),
    ({"x-api-key": "s" * 5000}, False, False, "long"),
    ({"x-api-key": ""}, False, False, "empty"),
]
IDS = [case[3] for case in WAYS]


@pytest.mark.parametrize(("headers", "let_in", "_", "remark"), WAYS, ids=IDS)
def test_doors(headers: dict[str, str], let_in: bool, _: bool, remark: str, guarded: Server) -> None:
    answer = httpx.post(f"http://{guarded.http_address}/v2/rerank", json=GOOD, headers=headers, timeout=60)
    assert answer.status_code == (200 if let_in else 401), remark
    if not let_in:
        assert answer.json() == {"message": SENTENCE}, "it is not told which"
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("headers", "let_in", "_", "remark"), WAYS, ids=IDS)
def test_grpc(headers: dict[str, str], let_in: bool, _: bool, remark: str, guarded: Server) -> None:
    with grpc.insecure_channel(guarded.address) as channel:
        call = pb_grpc.SimgateStub(channel).Info
        if let_in:
            assert call(pb.InfoRequest(), metadata=list(headers.items()), timeout=60).version, remark
            return
        with pytest.raises(grpc.RpcError) as caught:
            call(pb.InfoRequest(), metadata=list(headers.items()), timeout=60)
    assert (caught.value.code(), caught.value.details()) == (Code.UNAUTHENTICATED, SENTENCE), remark


@pytest.mark.parametrize(("headers", "_", "let_in", "remark"), WAYS, ids=IDS)
def test_gateway(headers: dict[str, str], _: bool, let_in: bool, remark: str, fronted: str, engine: Engine) -> None:
    for path in ("/a/_search", "/a/_doc/1"):
        answer = httpx.post(fronted + path, json=BODY, headers=headers, timeout=60)
        assert answer.status_code == (200 if let_in else 401), remark
        if let_in:
            sent = dict(engine.requests[-1]["headers"])
            assert "x-api-key" not in sent and not any(KEYS["one"] in value for value in sent.values())
            assert sent.get("authorization") == headers.get("authorization"), "the engine's own stays"
        else:
            error = answer.json()
            assert (error["status"], error["error"]["type"]) == (401, "simgate_unauthenticated")
            assert error["error"]["root_cause"] == [{"type": "simgate_unauthenticated", "reason": SENTENCE}]
            assert answer.headers["www-authenticate"] == "Bearer"
    assert bool(engine.requests) is let_in


def test_key_never_reaches_the_engine_where_none_is_asked_for(run: Run, reranker: Reranker, engine: Engine) -> None:
    with serving(engine) as url:
        source = Source(engine=EngineSettings(engine_url=url))
        server = run(Server.start(reranker, "127.0.0.1:0", source, http_address="127.0.0.1:0"))
        httpx.get(f"http://{server.http_address}/_cat", headers={"X-Api-Key": "sg_left-over"})
        run(server.stop(0))
    assert "x-api-key" not in dict(engine.requests[0]["headers"])


#: Requests without a key, and what a server without an engine and one before an engine say.
PATHS = [
    ("GET", "/livez", 200, 200, "orchestrators have no key"),
    ("GET", "/readyz", 200, 200, "orchestrators have no key"),
    ("GET", "/metrics", 401, 401, "tells what is going on"),
    ("GET", "/openapi.json", 401, 401, "tells what is served"),
    ("POST", "/rerank", 401, 401, "a door"),
    ("POST", "/v1/rerank", 401, 401, "a door"),
    ("POST", "/v1/verify", 401, 401, "a door"),
    ("GET", "/nowhere", 401, 401, "who has no key does not learn what is not there"),
    ("POST", "/livez", 401, 401, "not what orchestrators ask"),
    ("HEAD", "/readyz", 401, 401, "goes to the engine, where there is one"),
    ("GET", "/livez/", 401, 401, "goes to the engine, where there is one"),
    ("GET", "//livez", 401, 401, "goes to the engine, where there is one"),
    ("GET", "/livez%0A", 401, 401, "nearly a probe"),
    ("GET", "/livez/../metrics", 401, 401, "not a probe"),
    ("GET", "/%6civez", 200, 200, "the same path"),
    ("GET", "/livez?a=/metrics", 200, 200, "the same path"),
    ("DELETE", "/a", 401, 401, "the engine's"),
]


@pytest.mark.parametrize(("method", "path", "alone", "before", "remark"), PATHS)
def test_what_is_open(
    method: str, path: str, alone: int, before: int, remark: str, guarded: Server, fronted: str, engine: Engine
) -> None:
    for base, status in ((f"http://{guarded.http_address}", alone), (fronted, before)):
        url = httpx.URL(base).copy_with(raw_path=path.encode())
        assert httpx.request(method, url).status_code == status, remark
    assert not engine.requests


def test_errors_have_the_form_of_their_door(guarded: Server) -> None:
    base = f"http://{guarded.http_address}"
    assert httpx.post(f"{base}/rerank", json=TEI).json() == {"error": SENTENCE, "error_type": "Unauthenticated"}
    assert httpx.post(f"{base}/v1/verify", json={}).json() == {"message": SENTENCE}
    assert httpx.get(f"{base}/nowhere").json() == {"message": SENTENCE}


def test_health_is_open_and_the_rest_of_grpc_is_not(guarded: Server) -> None:
    with grpc.insecure_channel(guarded.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        assert health.Check(health_pb2.HealthCheckRequest(), timeout=20).status == 1
        assert next(iter(health.Watch(health_pb2.HealthCheckRequest(), timeout=20))).status == 1
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
        asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
        key = [("x-api-key", KEYS["one"])]
        assert len(list(reflection(iter(asked), metadata=key, timeout=20))) == 1
        calls: list[Callable[[], Any]] = [
            lambda: list(reflection(iter(asked), timeout=20)),
            lambda: list(reflection(iter(()), timeout=20)),
            lambda: tei_grpc.RerankStub(channel).Rerank(tei_pb.RerankRequest(query="a", texts=["a"]), timeout=20),
            lambda: channel.unary_unary("/simgate.v1.Simgate/Nothing")(b"", timeout=20),
            lambda: channel.unary_unary("/grpc.health.v1.Healthy/Check")(b"", timeout=20),
            lambda: channel.unary_unary("/simgate.v1.Simgate/Rerank")(b"\xff\xff", timeout=20),
        ]
        for call in calls:
            with pytest.raises(grpc.RpcError) as caught:
                call()
            assert caught.value.code() is Code.UNAUTHENTICATED
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary("/simgate.v1.Simgate/Nothing")(b"", metadata=key, timeout=20)
        assert caught.value.code() is Code.UNIMPLEMENTED


def test_a_stream_is_refused_before_its_first_message(guarded: Server) -> None:
    with grpc.insecure_channel(guarded.address) as channel:
        told = threading.Event()

        def silent() -> Iterator[Any]:
            told.wait(60)
            yield from ()

        call = channel.stream_stream("/simgate.v1.Simgate/Nothing")
        with pytest.raises(grpc.RpcError) as caught:
            list(call(silent(), timeout=20))
        told.set()
        assert caught.value.code() is Code.UNAUTHENTICATED


def test_clients_bring_their_key(guarded: Server, run: Run) -> None:
    async def ask(key: str) -> str:
        async with AsyncClient(guarded.address, timeout=20, api_key=key) as client:
            return (await client.info()).version

    with Client(guarded.address, timeout=60, api_key=KEYS["one"]) as client:
        assert client.rerank("a red car", ["a car that is red"]).hits
    assert run(ask(KEYS["one"]))
    with Client(guarded.address, timeout=20) as client, pytest.raises(RemoteUnauthenticated, match="a valid API key"):
        client.info()
    with pytest.raises(RemoteUnauthenticated):
        run(ask("sg_wrong"))
    with pytest.raises(InvalidField) as caught:
        Client(guarded.address, api_key="sg_é\n")
    assert "sg_" not in str(caught.value)


def test_keys_are_exchanged_while_the_server_runs(guarded: Server, keys: Path) -> None:
    def status(key: str) -> int:
        return httpx.get(f"http://{guarded.http_address}/metrics", headers={"x-api-key": key}).status_code

    assert (status(KEYS["one"]), status(KEYS["two"])) == (200, 401)
    keys.write_text(table("one") + table("two"))
    assert (status(KEYS["one"]), status(KEYS["two"])) == (200, 200)
    keys.write_text(table("two"))
    assert (status(KEYS["one"]), status(KEYS["two"])) == (401, 200)
    keys.write_text(table("one")[:30])
    assert (status(KEYS["one"]), status(KEYS["two"])) == (401, 200)
    keys.unlink()
    assert (status(KEYS["one"]), status(KEYS["two"])) == (401, 200)


def test_a_key_s_share_is_for_all_doors_together(guarded: Server, fronted: str) -> None:
    url, headers = f"http://{guarded.http_address}", {"x-api-key": KEYS["slow"]}
    with Client(guarded.address, timeout=60, api_key=KEYS["slow"]) as client:
        assert client.info().version
        assert httpx.post(f"{url}/v2/rerank", json=GOOD, headers=headers, timeout=60).status_code == 200
        with pytest.raises(RemoteOverloaded, match=r"the key slow may send 0\.001 requests a second, 2 at") as caught:
            client.info()
    assert 900 < caught.value.retry_after <= 1000
    for path, body, sentence in (
        ("/v2/rerank", GOOD, lambda found: found["message"]),
        ("/rerank", TEI, lambda found: found["error"]),
    ):
        answer = httpx.post(url + path, json=body, headers=headers)
        assert answer.status_code == 429
        assert 900 < int(answer.headers["retry-after"]) <= 1000
        assert sentence(answer.json()).startswith("the key slow may send")
    assert httpx.get(f"{url}/readyz", headers=headers).status_code == 200, "probes cost nothing"
    assert httpx.get(f"{url}/metrics", headers={"x-api-key": KEYS["one"]}).status_code == 200, "others go on"


def test_a_key_s_share_at_the_gateway(fronted: str, engine: Engine) -> None:
    headers = {"x-api-key": KEYS["slow"]}
    found = [httpx.post(f"{fronted}/a/_search", json=BODY, headers=headers, timeout=60) for _ in range(3)]
    assert [answer.status_code for answer in found] == [200, 200, 429]
    assert found[2].json()["error"]["type"] == "simgate_rate_limited"
    assert 900 < int(found[2].headers["retry-after"]) <= 1000
    assert len(engine.requests) == 2


def test_hint_of_grpc(guarded: Server) -> None:
    with grpc.insecure_channel(guarded.address) as channel:
        call = pb_grpc.SimgateStub(channel).Info
        key = [("authorization", f"Bearer {KEYS['slow']}")]
        for _ in range(2):
            call(pb.InfoRequest(), metadata=key, timeout=20)
        with pytest.raises(grpc.RpcError) as caught:
            call(pb.InfoRequest(), metadata=key, timeout=20)
    assert caught.value.code() is Code.RESOURCE_EXHAUSTED
    assert 900_000 < int(dict(caught.value.trailing_metadata())["grpc-retry-pushback-ms"]) <= 1_000_000


def test_who_was_sent_away_is_counted_and_keys_are_not_logged(
    guarded: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"http://{guarded.http_address}"
    for key in ("sg_wrong", KEYS["old"], KEYS["slow"], KEYS["slow"], KEYS["slow"]):
        httpx.get(f"{url}/openapi.json", headers={"x-api-key": key})
        httpx.get(f"{url}/openapi.json", headers={"authorization": f"Bearer {key}x"})
    lines = httpx.get(f"{url}/metrics", headers={"x-api-key": KEYS["one"]}).text.splitlines()
    assert 'simgate_shed_total{cause="unauthenticated"} 7.0' in lines
    assert 'simgate_shed_total{cause="rate_limited"} 1.0' in lines
    own = [record.getMessage() for record in caplog.records if record.name.startswith(("plugin_server", "uvicorn"))]
    assert not any("sg_" in line for line in own)


class Witness(Reranker):
    """A real reranker that notes whose request it works on."""

    callers: list[str]

    def observed(self, observe: Any) -> Witness:
        """Itself; nothing is counted."""
        return self

    def rerank(self, *arguments: Any, **more: Any) -> Ranking:
        """The ranking."""
        self.callers.append(caller())
        return super().rerank(*arguments, **more)

    def verify_pairs(self, *arguments: Any, **more: Any) -> list[Verdict]:
        """The verdicts."""
        self.callers.append(caller())
        return super().verify_pairs(*arguments, **more)


def test_the_caller_is_known_where_the_work_is_done(run: Run, reranker: Reranker, keys: Path) -> None:
    witness = Witness(reranker.bundle)
    witness.callers = []
    settings = ServerSettings(api_keys=str(keys))
    server = run(Server.start(witness, "127.0.0.1:0", settings=settings, http_address="127.0.0.1:0"))
    try:
        with Client(server.address, timeout=60, api_key=KEYS["one"]) as client:
            client.rerank("a red car", [Candidate("a car that is red")])
            client.verify([("a red car", "a car that is red")])
        url = f"http://{server.http_address}/v2/rerank"
        httpx.post(url, json=GOOD, headers={"x-api-key": KEYS["slow"]}, timeout=60)
        httpx.post(url, json=GOOD, headers={"x-api-key": KEYS["one"]}, timeout=60)
    finally:
        run(server.stop(0))
    assert witness.callers == ["one", "one", "slow", "one"]


def test_many_at_once_keep_their_names_and_shares(guarded: Server) -> None:
    async def ask(http: httpx.AsyncClient, key: str) -> int:
        answer = await http.get("/openapi.json", headers={"x-api-key": key})
        return answer.status_code

    async def all_of_them() -> list[int]:
        async with httpx.AsyncClient(base_url=f"http://{guarded.http_address}", timeout=60) as http:
            return await asyncio.gather(*(ask(http, KEYS[name]) for name in ["slow", "one"] * 10))

    found = asyncio.run(all_of_them())
    assert sorted(found[::2]) == [200] * 2 + [429] * 8
    assert found[1::2] == [200] * 10


def test_server_with_a_bad_file_does_not_start(run: Run, reranker: Reranker, keys: Path) -> None:
    keys.write_text(json.dumps({"one": KEYS["one"]}))
    with pytest.raises(InvalidField) as caught:
        run(Server.start(reranker, "127.0.0.1:0", settings=ServerSettings(api_keys=str(keys))))
    assert str(caught.value).startswith(f"api_keys: {keys}: is not TOML")
    assert KEYS["one"] not in str(caught.value)
