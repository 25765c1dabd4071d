"""The HTTP server beside gRPC: probes, counters, a gateway behind the doors, and how it stops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import gated
import grpc
import httpx
import numpy as np
import pytest
from conftest import Run
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from test_server import wait_until_refused

from plugin_server import Reranker
from plugin_server import simgate_v1_pb2 as pb
from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server.backend import Backend
from plugin_server.blob import TokenBlob
from plugin_server.core import Core
from plugin_server.errors import InvalidField
from plugin_server.http.app import app
from plugin_server.http.server import HttpServer
from plugin_server.metrics import Metrics
from plugin_server.server import Server
from plugin_server.server_settings import ServerSettings

GOOD = {"query": "a red car", "documents": ["a car that is red"]}
FOREIGN = TokenBlob("00" * 8, (np.ones((4, 64), np.int8),)).text()
DOORS = ["/v2/rerank", "/v1/rerank", "/rerank", "/v1/verify", "/livez", "/readyz", "/metrics"]


class Hosted:
    """An application on a real server, whose readiness and gateway the test decides."""

    def __init__(self, reranker: Reranker, run: Run) -> None:
        self.ready = True
        metrics = Metrics(reranker.manifest.fingerprint)
        made = app(Core(reranker), metrics, lambda: self.ready, backend=Backend(gateway=gateway))
        self.server: HttpServer = run(HttpServer.start(made, "127.0.0.1:0"))
        self.url = f"http://{self.server.address}"


async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells what it was asked."""
    await PlainTextResponse(f"{scope['method']} {scope['path']}")(scope, receive, send)


@pytest.fixture
def hosted(reranker: Reranker, run: Run) -> Iterator[Hosted]:
    made = Hosted(reranker, run)
    yield made
    run(made.server.stop(0))


def series(url: str) -> dict[str, float]:
    """What /metrics gives, by name and labels."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def test_probes(hosted: Hosted) -> None:
    with httpx.Client(base_url=hosted.url) as http:
        assert [http.get(path).text for path in ("/livez", "/readyz")] == ["ok", "ok"]
        hosted.ready = False
        assert (http.get("/readyz").status_code, http.get("/livez").status_code) == (503, 200)
        assert http.post("/v2/rerank", json=GOOD, timeout=60).status_code == 200, "requests are still answered"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/docs/_search"), ("GET", "/"), ("GET", "/rerank"), ("PUT", "/v1/rerank"), ("POST", "/rerank/_search")],
)
def test_what_no_door_takes_goes_to_the_gateway(hosted: Hosted, method: str, path: str) -> None:
    assert httpx.request(method, hosted.url + path).text == f"{method} {path}"


def test_doors_go_before_the_gateway(hosted: Hosted) -> None:
    assert httpx.post(f"{hosted.url}/v2/rerank", json=GOOD, timeout=60).json()["results"]
    assert httpx.get(f"{hosted.url}/openapi.json").json()["info"]["title"] == "simgate"


def test_every_door_is_described(http_url: str, reranker: Reranker) -> None:
    description = httpx.get(f"{http_url}/openapi.json").json()
    assert sorted(description["paths"]) == sorted(DOORS)
    assert f"{reranker.settings.max_candidates} documents of a request" in description["info"]["description"]
    for path in DOORS[:4]:
        operation = description["paths"][path]["post"]
        assert operation["description"]
        assert set(operation["responses"]) == {"200", "4XX"}, "validation errors have the door's form"
    for name, schema in description["components"]["schemas"].items():
        if name.endswith("Request"):
            assert all("description" in field for field in schema["properties"].values()), name
    assert httpx.get(f"{http_url}/docs").status_code == 404, "its page would load scripts from elsewhere"


def test_grpc_and_http_are_counted_together(reranker: Reranker, run: Run, caplog: pytest.LogCaptureFixture) -> None:
    server = run(Server.start(reranker, "127.0.0.1:0", http_address="127.0.0.1:0"))
    url = f"http://{server.http_address}"
    stored = reranker.encode(["a car that is red"])[0].blob(reranker.manifest.fingerprint).text()
    try:
        assert series(url)['simgate_verdicts_total{outcome="accepted",policy="demote",profile="pairs"}'] == 0
        documents = [stored, FOREIGN, f"{FOREIGN}a red car", "", "sgb1:cut", "x" * 200_001, "\u00e9"]
        answer = httpx.post(f"{url}/v2/rerank", json={**GOOD, "documents": documents, "profile": "pairs"}, timeout=60)
        assert answer.status_code == 200
        with grpc.insecure_channel(server.address) as channel:
            pair = pb.Pair(query="a red car", document="a car that is red")
            pb_grpc.SimgateStub(channel).Verify(pb.VerifyRequest(pairs=[pair] * 3), timeout=60)
        found = series(url)
    finally:
        run(server.stop(0))
    ours = re.compile("simgate_(verdicts|unverified|blobs|blob_fingerprints)_total")
    counted = {name: value for name, value in found.items() if value and ours.match(name)}
    assert counted == {
        'simgate_verdicts_total{outcome="accepted",policy="demote",profile="pairs"}': 2,
        'simgate_verdicts_total{outcome="rejected",policy="demote",profile="pairs"}': 1,
        'simgate_verdicts_total{outcome="unverified",policy="demote",profile="pairs"}': 4,
        'simgate_verdicts_total{outcome="accepted",policy="none",profile="pairs"}': 3,
        'simgate_unverified_total{cause="other_bundle"}': 1,
        'simgate_unverified_total{cause="empty"}': 1,
        'simgate_unverified_total{cause="malformed_blob"}': 1,
        'simgate_unverified_total{cause="over_limit"}': 1,
        'simgate_blobs_total{bundle="loaded"}': 1,
        'simgate_blobs_total{bundle="other"}': 2,
        'simgate_blobs_total{bundle="malformed"}': 1,
        'simgate_blobs_total{bundle="none"}': 6,
        f'simgate_blob_fingerprints_total{{fingerprint="{reranker.manifest.fingerprint}"}}': 1,
        'simgate_blob_fingerprints_total{fingerprint="0000000000000000"}': 2,
    }
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1, "once for each bundle"
    assert "token blobs of bundle 0000000000000000 arrive" in warnings[0]


def test_address_in_use_or_wrong(reranker: Reranker, run: Run, hosted: Hosted) -> None:
    for wrong in (hosted.server.address, "no such host:1", "8080", ":8080", "127.0.0.1:70000", "127.0.0.1:http"):
        with pytest.raises(InvalidField, match=f"http address: '{wrong}' cannot be bound"):
            run(Server.start(reranker, "127.0.0.1:0", settings=ServerSettings(insecure=True), http_address=wrong))


def test_ipv6(reranker: Reranker, run: Run) -> None:
    server = run(Server.start(reranker, "127.0.0.1:0", http_address="[::1]:0"))
    try:
        assert httpx.get(f"http://{server.http_address}/livez").text == "ok"
    finally:
        run(server.stop(0))


def test_an_idle_connection_does_not_hold_up_the_end(reranker: Reranker, run: Run) -> None:
    server = run(Server.start(reranker, "127.0.0.1:0", http_address="127.0.0.1:0"))
    with httpx.Client(base_url=f"http://{server.http_address}") as http:
        assert http.get("/readyz").text == "ok"
        run(asyncio.wait_for(server.stop(grace=3600), 60))
        with pytest.raises(httpx.TransportError):
            http.get("/readyz")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_lets_a_running_request_finish(number: signal.Signals, reranker: Reranker, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    command = [sys.executable, gated.__file__, str(reranker.bundle.folder), str(gate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            address = process.stdout.readline().split()[1]
            with contextlib.closing(HTTPConnection(address, timeout=120)) as running:
                running.request("POST", "/v2/rerank", json.dumps(GOOD), {"content-type": "application/json"})
                for _ in range(2):  # answered after the request before it has arrived
                    assert httpx.get(f"http://{address}/readyz").text == "ok"
                process.send_signal(number)
                wait_until_refused(address)
                assert process.poll() is None
                gate.touch()
                answer = running.getresponse()
                assert (answer.status, len(json.loads(answer.read())["results"])) == (200, 1)
            assert process.wait(60) == 0
        finally:
            process.kill()


@pytest.mark.parametrize("modules", ["plugin_server.cli", "plugin_server.server", "plugin_server.client"])
def test_what_serves_no_http_never_imports_fastapi(modules: str) -> None:
    code = f"import sys, {modules}\nassert not {{'fastapi', 'uvicorn', 'starlette'}} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
