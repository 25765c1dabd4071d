import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gated
import grpc
import numpy as np
import pytest
from conftest import Run
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from plugin_server import Candidate, Reranker
from plugin_server import simgate_v1_pb2 as pb
from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server.blob import TokenBlob
from plugin_server.client import Client
from plugin_server.errors import InvalidField
from plugin_server.remote import RemoteError, RemoteNotReady, RemoteTooLarge, RemoteUnavailable
from plugin_server.server import Server
from plugin_server.server_settings import ServerSettings
from plugin_server.service import NAME
from plugin_server.status import UNFORESEEN_MESSAGE

Health = health_pb2.HealthCheckResponse
QUERY, TEXT = "The station stands on a hill.", "The station is on a hill."
FOREIGN = TokenBlob("00" * 8, (np.ones((4, 64), np.int8),)).text()
BAD_RERANKS = [
    ({"query": ""}, "query: holds no words", "empty query"),
    ({"query": " \t\n"}, "query: holds no words", "whitespace is no word"),
    ({"query": "\x00\x01\x7f"}, "query: holds no words", "nor are control characters"),
    ({"query": "hill " * 400}, " tokens, the limit is 256: shorten it", "a query is never split"),
    ({"candidates": []}, "candidates: the list is empty", "no candidates"),
    ({"candidates": [{"text": TEXT}] * 10_000}, "candidates: 10000 candidates, the limit is 1000", "too many"),
    ({"candidates": [{"text": TEXT}, {}]}, "candidates[1].text: holds no words", "neither text nor blob"),
    ({"candidates": [{"text": TEXT, "id": "a"}] * 2}, "candidates: the id 'a' occurs twice", "duplicate ids"),
    (
        {"candidates": [{"text": TEXT}, {"text": TEXT, "score": float("nan")}]},
        "candidates[1].score: nan is",
        "lone NaN",
    ),
    ({"candidates": [{"text": TEXT, "score": float("-inf")}]}, "candidates[0].score: -inf is not", "infinite score"),
    ({"candidates": [{"text": "x" * 1_000_000}]}, "candidates[0].text: 1000000 characters, the limit", "1 MB document"),
    ({"candidates": [{"blob": "sgb1:AAAA"}]}, "candidates[0].blob: the token blob is truncated or", "too short"),
    ({"candidates": [{"text": FOREIGN[:-9]}]}, "index the document again, or send its text", "truncated blob in text"),
    ({"candidates": [{"blob": "a red car"}]}, "candidates[0].blob: the token blob does not start", "no blob"),
    ({"profile": 9}, "profile: '9' is not known: choose one of PROFILE_UNSPECIFIED, PROFILE_PAIRS", "unknown number"),
    ({"policy": 9}, "policy: '9' is not known: choose one of POLICY_UNSPECIFIED, POLICY_FILTER", "unknown number"),
]
READABLE = [
    "🚂 on a ⛰️",
    "התחנה על הגבעה",
    "المحطة على تلة",
    "a\x00red\x07car",
    "\u202eright to left\u202c",
    "e\u0301\u200b?",
    "!",
]


@pytest.fixture
def stub(address: str) -> Iterator[Any]:
    with grpc.insecure_channel(address) as channel:
        yield pb_grpc.SimgateStub(channel)


@pytest.fixture
def started(run: Run) -> Iterator[Callable[..., Server]]:
    """Starts servers, and stops them after the test."""
    servers: list[Server] = []

    def start(reranker: Reranker, **options: Any) -> Server:
        servers.append(run(Server.start(reranker, **{"address": "127.0.0.1:0"} | options)))
        return servers[-1]

    yield start
    for server in servers:
        run(server.stop(0))


def failure(method: Callable[..., Any], request: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        method(request, timeout=60)
    return caught.value.code(), caught.value.details()


@pytest.mark.parametrize(("fields", "words", "remark"), BAD_RERANKS, ids=[case[2] for case in BAD_RERANKS])
def test_bad_rerank(stub: Any, fields: dict[str, Any], words: str, remark: str) -> None:
    request = pb.RerankRequest(**{"query": QUERY, "candidates": [{"text": TEXT}]} | fields)
    code, message = failure(stub.Rerank, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT, remark
    assert words in message, remark


@pytest.mark.parametrize("text", READABLE)
def test_any_script_is_read(stub: Any, text: str) -> None:
    response = stub.Rerank(
        pb.RerankRequest(query=text, candidates=[{"text": text, "id": text}], policy="POLICY_ANNOTATE")
    )
    assert response.hits[0].id == text
    assert response.hits[0].verdict.HasField("probability")


def test_bad_verify(stub: Any) -> None:
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    pair = pb.Pair(query=QUERY, document=TEXT)
    assert failure(stub.Verify, pb.VerifyRequest()) == (invalid, "pairs: the list is empty: send at least one")
    code, message = failure(stub.Verify, pb.VerifyRequest(pairs=[pair] * 1001))
    assert (code, message[:42]) == (invalid, "pairs: 1001 pairs, the limit is 1000: send")
    code, message = failure(stub.Verify, pb.VerifyRequest(pairs=[pair, pb.Pair(query=" ", document=TEXT)]))
    assert (code, message[:32]) == (invalid, "pairs[1].query: holds no words: ")
    assert failure(stub.Verify, pb.VerifyRequest(pairs=[pair], profile=7))[0] is invalid


@pytest.mark.parametrize(
    "method",
    [
        "/simgate.v1.Simgate/Rerank",
        "/simgate.v1.Simgate/Info",
        "/tei.v1.Rerank/Rerank",
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ],
)
def test_bytes_that_are_no_message(address: str, caplog: pytest.LogCaptureFixture, method: str) -> None:
    with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError) as caught:
        list(channel.stream_stream(method)(iter([b"\xff\xff"]), timeout=60))
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == "request: is not this method's message: use a client made from its .proto"
    assert "Traceback" not in caplog.text


def test_a_long_value_is_quoted_in_part(stub: Any) -> None:
    code, message = failure(
        stub.Rerank, pb.RerankRequest(query=QUERY, candidates=[{"text": TEXT, "id": "é" * 9000}] * 2)
    )
    assert (code, message[:24]) == (grpc.StatusCode.INVALID_ARGUMENT, "candidates: the id 'éééé")


def test_bad_encode(stub: Any) -> None:
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    assert failure(stub.Encode, pb.EncodeRequest()) == (invalid, "texts: the list is empty: send at least one")
    code, message = failure(stub.Encode, pb.EncodeRequest(texts=[TEXT, ""]))
    assert (code, message[:15]) == (invalid, "texts[1]: holds")
    assert failure(stub.Encode, pb.EncodeRequest(texts=[TEXT] * 1001))[0] is invalid


def test_bad_search(stub: Any) -> None:
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    assert failure(stub.Search, pb.SearchRequest(query=""))[0] is invalid
    code, message = failure(stub.Search, pb.SearchRequest(query=QUERY, k=5000))
    assert (code, message[:8]) == (invalid, "k: 5000 ")


def test_defaults_on_the_wire(stub: Any) -> None:
    ranked = stub.Rerank(pb.RerankRequest(query=QUERY, candidates=[{"text": TEXT}]))
    assert [hit.verdict.profile for hit in (*ranked.hits, *ranked.dropped)] == [pb.PROFILE_PASSAGES]
    verified = stub.Verify(pb.VerifyRequest(pairs=[{"query": QUERY, "document": TEXT}]))
    assert [verdict.profile for verdict in verified.verdicts] == [pb.PROFILE_PAIRS]
    assert ranked.fingerprint == verified.fingerprint == stub.Info(pb.InfoRequest()).fingerprint


def test_search_without_an_index(reranker: Reranker, started: Callable[..., Server]) -> None:
    with Client(started(reranker).address, timeout=60) as client:
        assert not client.info().search
        with pytest.raises(RemoteNotReady, match="index: this server was started without one"):
            client.search(QUERY)


@pytest.mark.parametrize(
    ("on_mismatch", "text", "outcome"),
    [
        ("encode", TEXT, "read"),
        ("encode", "", "unverified"),
        ("unverified", TEXT, "unverified"),
        ("refuse", TEXT, "refused"),
    ],
)
def test_foreign_blob(
    reranker: Reranker, started: Callable[..., Server], on_mismatch: str, text: str, outcome: str
) -> None:
    server = started(Reranker(reranker.bundle, replace(reranker.settings, on_mismatch=on_mismatch)))
    candidate = Candidate(text, blob=FOREIGN)
    with Client(server.address, timeout=60) as client:
        if outcome == "refused":
            with pytest.raises(RemoteNotReady, match="blob: the token blob was made by bundle 0000000000000000, but"):
                client.rerank(QUERY, [candidate])
            return
        verdict = client.rerank(QUERY, [candidate], policy="annotate").hits[0].verdict
    assert (verdict.outcome.value == "unverified") == (outcome == "unverified")
    named = verdict.reason.startswith("candidates[0].blob: the token blob was made by bundle 0000")
    assert named == (outcome == "unverified")


def test_message_over_the_limit(reranker: Reranker, started: Callable[..., Server]) -> None:
    with Client(started(reranker, settings=ServerSettings(max_request_bytes=10_000)).address, timeout=60) as client:
        assert client.info().max_message_bytes == 10_000
        assert client.rerank(QUERY, [TEXT], policy="annotate").hits
        with pytest.raises(RemoteTooLarge, match="larger than max"):
            client.rerank(QUERY, ["x" * 20_000])


def test_unforeseen_error_tells_nothing(
    reranker: Reranker, started: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    broken = Reranker(reranker.bundle, reranker.settings)
    del broken.verifier._session
    with Client(started(broken).address, timeout=60) as client, pytest.raises(RemoteError) as caught:
        client.rerank(QUERY, [TEXT])
    assert (caught.value.code, str(caught.value)) == (grpc.StatusCode.INTERNAL, UNFORESEEN_MESSAGE)
    assert "AttributeError" in caplog.text


def test_address_in_use_or_wrong(reranker: Reranker, run: Run, address: str) -> None:
    for wrong in (address, "no such host:1"):
        with pytest.raises(InvalidField, match=f"address: '{wrong}' cannot be bound"):
            run(Server.start(reranker, wrong, settings=ServerSettings(insecure=True)))


@pytest.mark.parametrize("service", ["", NAME])
def test_health(address: str, service: str) -> None:
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        assert stub.Check(health_pb2.HealthCheckRequest(service=service)).status == Health.SERVING
        code, _ = failure(stub.Check, health_pb2.HealthCheckRequest(service="pear"))
        assert code is grpc.StatusCode.NOT_FOUND
        assert stub.List(health_pb2.HealthListRequest()).statuses[service].status == Health.SERVING


def test_stopping_tells_watchers_and_does_not_wait_for_them(reranker: Reranker, run: Run) -> None:
    async def watch() -> list[int]:
        server = await Server.start(reranker, "127.0.0.1:0")
        async with grpc.aio.insecure_channel(server.address) as channel:
            call = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=NAME))
            seen = [(await call.read()).status]
            await asyncio.wait_for(server.stop(grace=3600), 60)
            seen.append((await call.read()).status)
            assert await call.read() is grpc.aio.EOF
            return seen

    assert run(watch()) == [Health.SERVING, Health.NOT_SERVING]


def test_reflection(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        requests = [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol=NAME),
        ]
        services, file = stub.ServerReflectionInfo(iter(requests))
    assert {item.name for item in services.list_services_response.service} >= {NAME, "grpc.health.v1.Health"}
    assert file.file_descriptor_response.file_descriptor_proto == [pb.DESCRIPTOR.serialized_pb]


def wait_until_refused(address: str) -> None:
    """Returns once nobody accepts connections there."""
    host, port = address.split(":")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except (ConnectionRefusedError, ConnectionResetError):  # reset: closed in mid-handshake
            return
        time.sleep(0.01)
    pytest.fail(f"{address} still accepts connections")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_lets_a_running_call_finish(number: signal.Signals, reranker: Reranker, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    command = [sys.executable, gated.__file__, str(reranker.bundle.folder), str(gate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            address = process.stdout.readline().split()[0]
            with grpc.insecure_channel(address) as channel:
                stub = pb_grpc.SimgateStub(channel)
                request = pb.VerifyRequest(pairs=[{"query": QUERY, "document": TEXT}])
                call = stub.Verify.future(request, timeout=120)
                stub.Info(pb.InfoRequest(), timeout=60)  # answered after the call before it has arrived
                process.send_signal(number)
                wait_until_refused(address)
                assert not call.done()
                gate.touch()
                assert len(call.result().verdicts) == 1
            assert process.wait(60) == 0
        finally:
            process.kill()
    with Client(address, timeout=20) as client, pytest.raises(RemoteUnavailable):
        client.info()
