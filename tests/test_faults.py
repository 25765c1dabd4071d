"""Faults of the machine and of the engine, with real processes: what callers see, and that it is over afterwards.

The table in ``plugin_server/OPERATION.md`` says the same in words.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from nodes.errors import MissingTool
from nodes.node import Node
from sidecar import Sidecar

from plugin_server import Reranker
from plugin_server.client import Client
from plugin_server.remote import RemoteError, RemoteUnavailable
from plugin_server.search import Question

PAIR = [("the dog bit the man", "the man was bitten by the dog")]
TEXTS = ["The station stands on a hill.", "The hill stands on a station.", "Bread is sold at noon.", "A bus at ten."]
QUESTION = Question("The station is on a hill.", k=4, top_n=4, policy="annotate")
ASKED = {
    "query": {"match": {"text": "station hill"}},
    "ext": {"rerank": {"query_context": {"query_text": "The station is on a hill."}}, "simgate": {"scores": "raw"}},
}
FAKETIME = Path("/usr/lib") / f"{os.uname().machine}-linux-gnu" / "faketime" / "libfaketimeMT.so.1"


def simgate(*arguments: str, text: str = "") -> str:
    """What the command prints."""
    command = [sys.executable, "-m", "plugin_server", *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """A node of its own, which tests may harm, with four documents."""
    try:
        made = Node.start("opensearch-3.6")
    except MissingTool as error:
        if os.environ.get("SIMGATE_NODES") == "required":
            raise
        pytest.skip(str(error))
    try:
        where = ["--engine", "opensearch", "--url", made.url]
        simgate("templates", "apply", *where)
        lines = "".join(f'{{"id": "{number}", "text": "{text}"}}\n' for number, text in enumerate(TEXTS))
        simgate("index", "-", *where, "--index", "simgate-faults", text=lines)
        made.request("POST", "/simgate-faults/_refresh")
        yield made
    finally:
        made.close()


@pytest.fixture
def sidecar(node: Node) -> Iterator[Sidecar]:
    options = ["--engine", "opensearch", "--url", node.url, "--index", "simgate-faults"]
    with Sidecar(*options, environment={"SIMGATE_ENGINE_TIMEOUT": "2", "SIMGATE_THREADS": "1"}) as made:
        yield made


@pytest.fixture
def client(sidecar: Sidecar) -> Iterator[Client]:
    with Client(sidecar.address, timeout=60) as made:
        yield made


def gateway(sidecar: Sidecar, **options: Any) -> httpx.Response:
    """The response to a search that is verified on the way back."""
    return httpx.post(f"{sidecar.url}/simgate-faults/_search", json=ASKED, timeout=60, **options)


def code_of(client: Client) -> grpc.StatusCode | None:
    """The code of a search, None if it succeeds."""
    try:
        assert client.search(QUESTION).hits
    except RemoteError as error:
        return error.code
    return None


def eventually(client: Client) -> None:
    """Nothing, once searches succeed again."""
    end = time.monotonic() + 60
    while code_of(client) is not None:
        assert time.monotonic() < end
        time.sleep(0.2)


def freeze(node: Node, number: signal.Signals) -> None:
    assert node._process
    os.kill(node._process.pid, number)


def test_the_engine_stands_still_and_goes_on(node: Node, sidecar: Sidecar, client: Client) -> None:
    eventually(client)
    assert gateway(sidecar).status_code == 200
    freeze(node, signal.SIGSTOP)
    try:
        assert code_of(client) is grpc.StatusCode.DEADLINE_EXCEEDED
        answer = gateway(sidecar)
        assert answer.status_code == 504 and answer.json()["error"]["type"] == "simgate_engine_timeout"
        assert client.verify(PAIR)[0].accepted, "what needs no engine goes on"
        assert httpx.get(f"{sidecar.url}/readyz").status_code == 200
        in_time = {"x-envoy-expected-rq-timeout-ms": "300"}
        late = httpx.post(f"{sidecar.url}/v1/search", json={"query": "hill"}, headers=in_time, timeout=60)
        assert late.status_code == 504 and "the deadline has passed" in late.json()["message"]
    finally:
        freeze(node, signal.SIGCONT)
    eventually(client)
    assert gateway(sidecar).status_code == 200


def test_the_engine_is_killed_and_comes_back(node: Node, sidecar: Sidecar, client: Client) -> None:
    eventually(client)
    node.kill()
    try:
        assert code_of(client) is grpc.StatusCode.UNAVAILABLE
        answer = gateway(sidecar)
        assert answer.status_code == 502 and answer.json()["error"]["type"] == "simgate_engine_unavailable"
        assert client.verify(PAIR)[0].accepted
        assert httpx.get(f"{sidecar.url}/readyz").status_code == 200
    finally:
        node.restart()
    eventually(client)
    assert gateway(sidecar).status_code == 200


def test_the_engine_is_killed_in_the_middle_of_a_search(node: Node, sidecar: Sidecar, client: Client) -> None:
    eventually(client)
    freeze(node, signal.SIGSTOP)
    found: list[Any] = []
    caller = threading.Thread(target=lambda: found.append(code_of(client)))
    caller.start()
    time.sleep(0.5)
    node.kill()
    caller.join(60)
    node.restart()
    assert found == [grpc.StatusCode.UNAVAILABLE]
    eventually(client)


def test_the_sidecar_is_killed_in_the_middle_of_a_batch(reranker: Reranker) -> None:
    rain = ["rain falls on the river " * 200] * 50
    with Sidecar("--no-index", environment={"SIMGATE_THREADS": "1"}) as first:
        address = first.address
        with Client(address, timeout=60) as client:
            client.verify(PAIR)
            found: list[Any] = []

            def call() -> None:
                try:
                    client.rerank("rain", [f"{number} {text}" for number, text in enumerate(rain)])
                except RemoteError as error:
                    found.append(type(error))

            caller = threading.Thread(target=call)
            caller.start()
            time.sleep(1)
            first.process.kill()
            caller.join(60)
            assert found == [RemoteUnavailable]
            with Sidecar("--no-index", address=address):
                end = time.monotonic() + 60
                while time.monotonic() < end:
                    try:
                        assert client.verify(PAIR)[0].accepted
                        break
                    except RemoteUnavailable:  # the channel waits before it connects again
                        time.sleep(0.2)
                else:
                    pytest.fail("the same client does not find the server again")


def test_nothing_can_be_written_to_the_log() -> None:
    command = [sys.executable, "-m", "plugin_server", "serve", "--no-index", "--address"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command += [f"127.0.0.1:{port}", "--http", f"127.0.0.1:{port + 1}"]
    with open("/dev/full", "wb") as full:
        server = subprocess.Popen(command, stderr=full, stdout=full)
    try:
        with Client(f"127.0.0.1:{port}", timeout=60) as client:
            end = time.monotonic() + 60
            while True:
                try:
                    assert client.verify(PAIR)[0].accepted
                    break
                except RemoteUnavailable:
                    assert server.poll() is None and time.monotonic() < end
                    time.sleep(0.2)
            with pytest.raises(RemoteError):
                client.verify([("", "")])
            assert client.verify(PAIR)[0].accepted
    finally:
        server.terminate()
        server.wait(60)


@pytest.mark.skipif(
    not FAKETIME.exists() and os.environ.get("SIMGATE_NODES") != "required", reason="libfaketime is not installed"
)
def test_the_clock_jumps(tmp_path: Path) -> None:
    jump = tmp_path / "clock"
    jump.write_text("+0")
    faked = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(jump),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # the kernel's does not jump either
    }
    with Sidecar("--no-index", environment=faked) as server, Client(server.address, timeout=20) as client:
        for offset in ("+0", "+3650d", "-3650d", "+0"):
            jump.write_text(offset)
            for _ in range(3):
                assert client.verify(PAIR)[0].accepted, offset
            assert httpx.post(f"{server.url}/v2/rerank", json={"query": "a", "documents": ["b"]}).status_code == 200
            assert httpx.get(f"{server.url}/readyz").status_code == 200


@pytest.mark.parametrize("option", ["--address", "--http"])
def test_the_port_is_taken(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        given = {"--address": "127.0.0.1:0", "--http": "127.0.0.1:0", option: f"127.0.0.1:{port}"}
        command = [sys.executable, "-m", "plugin_server", "serve", "--no-index"]
        command += [part for pair in given.items() for part in pair]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"'127.0.0.1:{port}' cannot be bound: give host:port of this machine with a free port" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_bundles_disk_is_gone_while_it_serves(reranker: Reranker, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(reranker.bundle.folder, folder)
    with Sidecar("--no-index", "--bundle", str(folder)) as server, Client(server.address, timeout=60) as client:
        shutil.rmtree(folder)
        server.send(signal.SIGHUP)
        end = time.monotonic() + 30
        while "not loaded, the old bundle stays" not in server.said:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert client.verify(PAIR)[0].accepted
