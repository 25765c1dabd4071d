"""A server with more to do than it can: who is sent away, who is dropped, and what still answers."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest
from conftest import Run
from grpc_health.v1 import health_pb2, health_pb2_grpc

from plugin_server import Reranker, service, tei
from plugin_server import simgate_v1_pb2 as pb
from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server.job import Job, current
from plugin_server.server import Server
from plugin_server.server_settings import ServerSettings

BODY = {"query": "a red car", "documents": ["a car that is red"]}
REQUEST = pb.RerankRequest(query="a red car", candidates=[pb.Candidate(text="a car that is red")])


class Holding(Reranker):
    """Reranks when it is let, and notes the jobs that it works on."""

    gate: threading.Event
    jobs: list[Job]

    def rerank(self, *arguments: Any, **options: Any) -> Any:
        self.jobs.append(current())
        assert self.gate.wait(60)
        return super().rerank(*arguments, **options)


class Site:
    """A server that computes one request at a time and lets one wait."""

    calls: list[Any]

    def __init__(self, reranker: Reranker, run: Run) -> None:
        self.reranker = Holding(reranker.bundle)
        self.reranker.gate, self.reranker.jobs = threading.Event(), []
        settings = ServerSettings(max_concurrent=1, max_queue=1, max_wait=60, deadline=60)
        self.server = run(Server.start(self.reranker, "127.0.0.1:0", settings=settings, http_address="127.0.0.1:0"))
        self.url = f"http://{self.server.http_address}"

    @property
    def waiting(self) -> int:
        return self.server._core.admission.waiting

    def fill(self, stub: Any) -> list[Any]:
        """Two calls, one of which is computed while the other waits; kept, since gRPC cancels what nobody holds."""
        first = stub.Rerank.future(REQUEST)
        until(lambda: len(self.reranker.jobs) == 1)
        second = stub.Rerank.future(REQUEST)
        until(lambda: self.waiting == 1)
        self.calls = [first, second]
        return self.calls


def until(condition: Any) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def site(reranker: Reranker, run: Run) -> Iterator[Site]:
    made = Site(reranker, run)
    yield made
    made.reranker.gate.set()
    run(made.server.stop(5))


@pytest.fixture
def stub(site: Site) -> Iterator[Any]:
    with grpc.insecure_channel(site.server.address) as channel:
        yield pb_grpc.SimgateStub(channel)


def test_one_more_than_fits_is_sent_away_with_a_hint(site: Site, stub: Any) -> None:
    calls = site.fill(stub)
    with pytest.raises(grpc.RpcError) as caught:
        stub.Rerank(REQUEST)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "the server is overloaded, 1 requests wait: send it again in" in caught.value.details()
    hint = dict(caught.value.trailing_metadata())["grpc-retry-pushback-ms"]
    assert 50 <= int(hint) <= 10_000
    for door, name in (("/v2/rerank", "message"), ("/rerank", "error"), ("/v1/verify", "message")):
        body = {"query": "a", "texts": ["b"]} if door == "/rerank" else BODY
        answer = httpx.post(site.url + door, json=body)
        assert answer.status_code == 429 and 1 <= int(answer.headers["retry-after"]) <= 10
        assert answer.json()[name].startswith("the server is overloaded")
    site.reranker.gate.set()
    assert [len(call.result(60).hits) for call in calls] == [1, 1], "what was accepted is answered"
    assert 'simgate_shed_total{cause="queue_full"} 4.0' in httpx.get(f"{site.url}/metrics").text


@pytest.mark.parametrize("method", sorted(service.COMPUTED | tei.COMPUTED))
def test_a_call_that_is_sent_away_is_not_read(site: Site, stub: Any, method: str) -> None:
    site.fill(stub)
    with grpc.insecure_channel(site.server.address) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(method)(b"no message", timeout=30)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "grpc-retry-pushback-ms" in dict(caught.value.trailing_metadata())


@pytest.mark.parametrize("method", ["Info", "Search"])
def test_a_call_that_may_be_answered_without_computing_is_read(site: Site, stub: Any, method: str) -> None:
    site.fill(stub)
    with grpc.insecure_channel(site.server.address) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(f"/{service.NAME}/{method}")(b"no message", timeout=30)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_probes_and_info_answer_when_nothing_else_does(site: Site, stub: Any) -> None:
    site.fill(stub)
    with grpc.insecure_channel(site.server.address) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=30)
    assert check.status == health_pb2.HealthCheckResponse.SERVING
    assert stub.Info(pb.InfoRequest(), timeout=30).max_candidates == 1000
    for probe in ("livez", "readyz", "metrics"):
        assert httpx.get(f"{site.url}/{probe}").status_code == 200


def test_a_call_whose_deadline_passes_is_dropped(site: Site, stub: Any) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.Rerank(REQUEST, timeout=0.3)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    until(lambda: site.reranker.jobs[0].gone)


def test_a_call_that_is_cancelled_is_dropped_wherever_it_is(site: Site, stub: Any) -> None:
    running, waiting = site.fill(stub)
    waiting.cancel()
    until(lambda: site.waiting == 0)
    running.cancel()
    until(lambda: site.reranker.jobs[0].gone)
    site.reranker.gate.set()
    assert len(stub.Rerank(REQUEST, timeout=60).hits) == 1
    assert len(site.reranker.jobs) == 2, "the one that waited never began"


def test_http_keeps_the_deadline_that_a_proxy_tells(site: Site) -> None:
    answer = httpx.post(f"{site.url}/v2/rerank", json=BODY, headers={"x-envoy-expected-rq-timeout-ms": "300"})
    assert answer.status_code == 504 and "the deadline has passed" in answer.json()["message"]
    assert site.reranker.jobs[0].gone


@pytest.mark.parametrize("header", ["", "soon", "-5", "9" * 400, "1e3"])
def test_a_deadline_that_cannot_be_read_is_none(site: Site, header: str) -> None:
    site.reranker.gate.set()
    answer = httpx.post(f"{site.url}/v2/rerank", json=BODY, headers={"x-envoy-expected-rq-timeout-ms": header})
    assert answer.status_code == 200


def test_the_servers_own_deadline_holds_for_all(reranker: Reranker, run: Run) -> None:
    holding = Holding(reranker.bundle)
    holding.gate, holding.jobs = threading.Event(), []
    settings = ServerSettings(deadline=0.3)
    server = run(Server.start(holding, "127.0.0.1:0", settings=settings, http_address="127.0.0.1:0"))
    try:
        with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError) as caught:
            pb_grpc.SimgateStub(channel).Rerank(REQUEST, timeout=60)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert httpx.post(f"http://{server.http_address}/v2/rerank", json=BODY).status_code == 504
    finally:
        holding.gate.set()
        run(server.stop(5))


def test_an_http_caller_that_goes_is_not_computed_for(site: Site) -> None:
    host, _, port = site.server.http_address.partition(":")
    body = b'{"query": "a red car", "documents": ["a car that is red"]}'
    head = (
        f"POST /v2/rerank HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + body)
        until(lambda: len(site.reranker.jobs) == 1)
        assert not site.reranker.jobs[0].gone
    until(lambda: site.reranker.jobs[0].gone)
    assert httpx.get(f"{site.url}/livez").status_code == 200


def test_what_waits_when_the_server_stops_is_answered(site: Site, stub: Any, run: Run) -> None:
    calls = site.fill(stub)
    stopping = threading.Thread(target=lambda: run(site.server.stop(60)))
    stopping.start()
    time.sleep(0.2)
    site.reranker.gate.set()
    assert [len(call.result(60).hits) for call in calls] == [1, 1]
    stopping.join(60)
    assert not stopping.is_alive()


def test_a_server_that_drains_takes_calls_for_a_while_and_says_that_it_is_not_ready(
    reranker: Reranker, run: Run
) -> None:
    server = run(Server.start(reranker, "127.0.0.1:0", http_address="127.0.0.1:0"))
    stopping = threading.Thread(target=lambda: run(server.stop(5, delay=5)))
    stopping.start()
    until(lambda: httpx.get(f"http://{server.http_address}/readyz").status_code == 503)
    assert httpx.get(f"http://{server.http_address}/livez").status_code == 200
    assert httpx.post(f"http://{server.http_address}/v2/rerank", json=BODY).status_code == 200
    with grpc.insecure_channel(server.address) as channel:
        assert len(pb_grpc.SimgateStub(channel).Rerank(REQUEST, timeout=30).hits) == 1
    stopping.join(60)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{server.http_address}/livez")
    run(asyncio.sleep(0))
