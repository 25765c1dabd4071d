"""Requests as they are counted and named: by every way in, whatever callers send, and while there is too much to do."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gated
import grpc
import httpx
import pytest
from conftest import Run
from grpc_health.v1 import health_pb2, health_pb2_grpc
from serving import serving
from test_gateway_app import BODY, RESPONSE, Engine
from test_http_server import series

from plugin_server import Reranker, tei
from plugin_server import simgate_v1_pb2 as pb
from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server.backend import Source
from plugin_server.engines.settings import EngineSettings
from plugin_server.server import Server
from plugin_server.server_settings import ServerSettings
from plugin_server.service import NAME
from plugin_server.traffic import CODES

GOOD = {"query": "a red car", "documents": ["a car that is red"]}
HTTP_COUNT = "http_server_request_duration_seconds_count"
#: Method, path, body, then what is counted: method, route, code.
REQUESTS: list[tuple[str, str, Any, tuple[str, str, str], str]] = [
    ("POST", "/v2/rerank", GOOD, ("POST", "/v2/rerank", "200"), "a door"),
    ("POST", "/v2/rerank?details=false&q=secret", GOOD, ("POST", "/v2/rerank", "200"), "without its query string"),
    ("POST", "/v1/verify", {}, ("POST", "/v1/verify", "400"), "refused"),
    ("GET", "/livez", None, ("GET", "/livez", "200"), "a probe"),
    ("GET", "/openapi.json", None, ("GET", "/openapi.json", "200"), "the description"),
    ("BREW", "/livez", None, ("_OTHER", "/livez", "405"), "methods are made up"),
    ("GET", "/made/up/17", None, ("GET", "/{path}", "404"), "and paths"),
    ("POST", "/v2/rerank/17", GOOD, ("POST", "/{path}", "404"), "also below a door"),
    ("GET", "/%ff%fe?%ff", None, ("GET", "/{path}", "404"), "bytes that are no text"),
]
BEHIND: list[tuple[str, str, Any, tuple[str, str, str], str]] = [
    ("POST", "/books/_search", BODY, ("POST", "/{index}/_search", "200"), "a verified search"),
    ("POST", "/_msearch", b"{}\n{}\n", ("POST", "/_msearch", "200"), "several, of all indices"),
    ("GET", "/books/_doc/17?q=secret", None, ("GET", "/{path}", "200"), "passed on"),
    ("GET", "/v2/rerank", None, ("GET", "/v2/rerank", "200"), "a door's path, but the engine's method"),
]
IDS = [
    ("order-17", True, "as it is"),
    ("a" * 128, True, "the longest"),
    ("a" * 129, False, "longer"),
    ("two words", False, "spaces part the fields of a line"),
    ('a"b', False, "quotes"),
    ("", False, "none"),
]


@pytest.fixture
def started(run: Run) -> Iterator[Callable[..., Server]]:
    """Starts servers for both ways in, and stops them after the test."""
    servers: list[Server] = []

    def start(reranker: Reranker, **options: Any) -> Server:
        servers.append(run(Server.start(reranker, "127.0.0.1:0", http_address="127.0.0.1:0", **options)))
        return servers[-1]

    yield start
    for server in servers:
        run(server.stop(0))


def send(url: str, method: str, path: str, body: Any) -> httpx.Response:
    content = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
    return httpx.request(method, url + path, timeout=60, **content)  # type: ignore[arg-type]


def counted(url: str, label: tuple[str, str, str]) -> float:
    method, route, code = label
    name = f'{{http_request_method="{method}",http_response_status_code="{code}",http_route="{route}"}}'
    return series(url).get(HTTP_COUNT + name, 0)


def until(true: Callable[[], Any]) -> None:
    """Nothing, as soon as it is true; requests are counted once their answer is on its way."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(("method", "path", "body", "label", "remark"), REQUESTS, ids=[case[4] for case in REQUESTS])
def test_http_requests_are_counted(
    http_url: str, method: str, path: str, body: Any, label: tuple[str, str, str], remark: str
) -> None:
    before = counted(http_url, label)
    answer = send(http_url, method, path, body)
    assert (str(answer.status_code), len(answer.headers["x-request-id"])) == (label[2], 32)
    until(lambda: counted(http_url, label) == before + 1)


@pytest.mark.parametrize(("method", "path", "body", "label", "remark"), BEHIND, ids=[case[4] for case in BEHIND])
def test_requests_to_the_gateway_are_grouped(
    reranker: Reranker,
    started: Callable[..., Server],
    method: str,
    path: str,
    body: Any,
    label: tuple[str, str, str],
    remark: str,
) -> None:
    engine = Engine(RESPONSE, headers={"x-request-id": "theirs"})
    with serving(engine) as behind:
        source = Source(engine=EngineSettings(engine="opensearch", engine_url=behind))
        url = f"http://{started(reranker, source=source).http_address}"
        answer = send(url, method, path, body)
        assert str(answer.status_code) == label[2], answer.text
        assert len(answer.headers.get_list("x-request-id")) == 1 and answer.headers["x-request-id"] != "theirs"
        until(lambda: counted(url, label) == 1)


@pytest.mark.parametrize(("name", "taken", "remark"), IDS, ids=[case[2] for case in IDS])
def test_ids(address: str, http_url: str, name: str, taken: bool, remark: str) -> None:
    given = httpx.get(f"{http_url}/livez", headers={"x-request-id": name}).headers["x-request-id"]
    with grpc.insecure_channel(address) as channel:
        _, call = pb_grpc.SimgateStub(channel).Info.with_call(pb.InfoRequest(), metadata=(("x-request-id", name),))
    told = dict(call.trailing_metadata())["x-request-id"]
    for found in (given, told):
        assert (found == name) is taken, remark
        assert taken or len(found) == 32


def grpc_counts(url: str) -> dict[str, float]:
    """Calls that were begun and that have ended, those at 0 left out."""
    names = ("grpc_server_started_total", "grpc_server_handled_total", "grpc_server_handling_seconds_count")
    return {name: value for name, value in series(url).items() if value and name.startswith(names)}


def test_grpc_calls_are_counted(
    reranker: Reranker, started: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "plugin_server.access")
    server = started(reranker)
    url = f"http://{server.http_address}"
    assert not grpc_counts(url)
    zero = 'grpc_server_handled_total{grpc_code="Internal",grpc_method="Rerank",grpc_service="tei.v1.Rerank",'
    assert series(url)[zero + 'grpc_type="unary"}'] == 0, "every series is there from the start"
    with grpc.insecure_channel(server.address) as channel:
        stub = pb_grpc.SimgateStub(channel)
        pair = pb.Pair(query="a red car", document="a car that is red")
        stub.Verify(pb.VerifyRequest(pairs=[pair, pair]), timeout=60)
        for method, request in (
            (stub.Verify, pb.VerifyRequest()),
            (stub.Search, pb.SearchRequest(query="a")),
            (channel.unary_unary("/made.Up/Name"), b""),
            (channel.unary_unary("made up"), b""),
        ):
            with pytest.raises(grpc.RpcError):
                method(request, timeout=60)
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=60)
    ours, unary = f'grpc_service="{NAME}"', 'grpc_type="unary"'
    health = f'grpc_service="grpc.health.v1.Health",{unary}'
    unknown = f'grpc_method="unknown",grpc_service="unknown",{unary}'
    expected = {
        f'_total{{grpc_code="OK",grpc_method="Verify",{ours},{unary}}}': 1,
        f'_total{{grpc_code="InvalidArgument",grpc_method="Verify",{ours},{unary}}}': 1,
        f'_total{{grpc_code="FailedPrecondition",grpc_method="Search",{ours},{unary}}}': 1,
        f'_total{{grpc_code="OK",grpc_method="Check",{health}}}': 1,
        f'_total{{grpc_code="Unimplemented",{unknown}}}': 2,
    }
    begun = {
        f'{{grpc_method="Verify",{ours},{unary}}}': 2,
        f'{{grpc_method="Search",{ours},{unary}}}': 1,
        f'{{grpc_method="Check",{health}}}': 1,
        f"{{{unknown}}}": 2,
    }
    assert grpc_counts(url) == (
        {f"grpc_server_handled{name}": value for name, value in expected.items()}
        | {f"grpc_server_started_total{name}": value for name, value in begun.items()}
        | {f"grpc_server_handling_seconds_count{name}": value for name, value in begun.items()}
    )
    lines = [record.fields for record in caplog.records if record.name == "plugin_server.access"]
    assert [(line["route"], line["code"], line.get("candidates")) for line in lines if line["way"] == "grpc"] == [
        (f"{NAME}/Verify", "OK", 2),
        (f"{NAME}/Verify", "InvalidArgument", None),
        (f"{NAME}/Search", "FailedPrecondition", None),
        ("unknown/unknown", "Unimplemented", None),
        ("unknown/unknown", "Unimplemented", None),
    ]


def test_codes_are_named_as_in_go() -> None:
    named = {code.name: name for code, name in CODES.items()}
    assert (named["OK"], named["CANCELLED"], named["DEADLINE_EXCEEDED"]) == ("OK", "Canceled", "DeadlineExceeded")


@pytest.mark.parametrize(("how", "code"), [("cancel", "Canceled"), ("deadline", "DeadlineExceeded")])
def test_calls_that_nobody_waits_for(
    reranker: Reranker, started: Callable[..., Server], tmp_path: Path, how: str, code: str
) -> None:
    server = started(gated.Gated(reranker.bundle, tmp_path / "gate"))
    url = f"http://{server.http_address}"
    name = (
        f'grpc_server_handled_total{{grpc_code="{code}",grpc_method="Verify",grpc_service="{NAME}",grpc_type="unary"}}'
    )
    with grpc.insecure_channel(server.address) as channel:
        request = pb.VerifyRequest(pairs=[pb.Pair(query="a", document="b")])
        call = pb_grpc.SimgateStub(channel).Verify.future(request, timeout=5 if how == "deadline" else 60)
        until(lambda: series(url)["simgate_requests_running"])
        if how == "cancel":
            call.cancel()
        until(lambda: series(url)[name])
    (tmp_path / "gate").touch()


def test_probes_are_answered_while_there_is_too_much_to_do(
    reranker: Reranker, started: Callable[..., Server], tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    settings = ServerSettings(max_concurrent=2, max_queue=1, max_wait=120)
    server = started(gated.Gated(reranker.bundle, gate), settings=settings)
    url = f"http://{server.http_address}"
    with ThreadPoolExecutor(3) as pool, grpc.insecure_channel(server.address) as channel:
        busy = [pool.submit(send, url, "POST", "/v2/rerank", GOOD) for _ in range(3)]
        try:
            until(lambda: series(url)["simgate_requests_waiting"])
            found = series(url)
            assert (found["simgate_requests_running"], found["simgate_requests_waiting"]) == (2, 1)
            refused = send(url, "POST", "/v2/rerank", GOOD)
            assert (refused.status_code, "retry-after" in refused.headers) == (429, True)
            stub = pb_grpc.SimgateStub(channel)
            with pytest.raises(grpc.RpcError) as caught:
                stub.Rerank(pb.RerankRequest(query="a", candidates=[{"text": "b"}]), timeout=60)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert {"x-request-id", "grpc-retry-pushback-ms"} == {key for key, _ in caught.value.trailing_metadata()}
            assert not caught.value.initial_metadata(), "it would keep clients from trying again"
            for path in ("/livez", "/readyz"):
                assert httpx.get(url + path, timeout=60).text == "ok"
            health = health_pb2_grpc.HealthStub(channel)
            for service in ("", NAME, tei.NAME):
                answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=60)
                assert answer.status == health_pb2.HealthCheckResponse.SERVING
            assert stub.Info(pb.InfoRequest(), timeout=60).fingerprint
            found = series(url)
            assert found['simgate_shed_total{cause="queue_full"}'] == 2
            assert found['http_server_active_requests{http_request_method="POST"}'] == 3
            assert not any(future.done() for future in busy)
        finally:
            gate.touch()
        assert [future.result().status_code for future in busy] == [200] * 3
    found = series(url)
    assert (found["simgate_requests_running"], found["simgate_queue_seconds_count"]) == (0, 3)
    until(lambda: series(url)['http_server_active_requests{http_request_method="POST"}'] == 0)


def test_a_caller_that_leaves_is_no_fault_of_ours(
    reranker: Reranker, started: Callable[..., Server], tmp_path: Path, run: Run
) -> None:
    server = started(gated.Gated(reranker.bundle, tmp_path / "gate"))
    url = f"http://{server.http_address}"

    async def leave() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            asked = asyncio.create_task(http.post("/v2/rerank", json=GOOD))
            await asyncio.to_thread(until, lambda: series(url)["simgate_requests_running"])
            asked.cancel()

    run(leave())
    until(lambda: counted(url, ("POST", "/v2/rerank", "499")))
    (tmp_path / "gate").touch()
