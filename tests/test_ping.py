"""``simgate ping``: against real servers, with every kind of door, and against what is none."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from certificates import Authority, Pair
from click.testing import CliRunner, Result
from conftest import Run, Started
from fastapi import FastAPI
from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from serving import serving
from sidecar import Sidecar

from plugin_server import Reranker
from plugin_server.cli import main
from plugin_server.keys import new_key
from plugin_server.probe import NEAR_MISS, PARAPHRASE
from plugin_server.server import Server

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificates with openssl")


def ping(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(main, ["ping", *map(str, arguments)], env=environment)


def refused(result: Result, *words: str) -> None:
    """Nothing, if it was exit code 1 and one line that has the words."""
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("simgate: ")
    assert all(re.search(word, line) for word in words), line


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.issue("server")


def test_a_server_that_serves(started: Started) -> None:
    server = started()
    done = ping(server.address, "--http", f"http://{server.http_address}/")
    assert (done.exit_code, done.stderr) == (0, "")
    health, miss, paraphrase, taken, http = done.stdout.splitlines()
    assert health == f"health  {server.address}: SERVING"
    assert NEAR_MISS in miss and "rejected 0.0" in miss
    assert PARAPHRASE in paraphrase and "accepted 0.9" in paraphrase
    assert re.fullmatch(r"rerank  answered in \d+ ms", taken)
    assert http == f"http    http://{server.http_address}/readyz: 200 ok"


def test_verdicts_that_are_not_given_are_told_with_the_reason(run: Run, reranker: Reranker) -> None:
    core = Reranker(reranker.bundle, replace(reranker.settings, verification="light"))
    server = run(Server.start(core, "127.0.0.1:0"))
    done = ping(server.address)
    run(server.stop(0))
    assert done.exit_code == 0
    assert done.stdout.count("unverified –, light: only MaxSim was computed") == 2


@needs_openssl
def test_tls(started: Started, authority: Authority, pair: Pair, tmp_path: Path) -> None:
    server = started(**pair.settings)
    http = f"https://{server.http_address}"
    assert ping(server.address, "--ca", authority.certificate, "--http", http).exit_code == 0
    other = ["--ca", authority.certificate, "--server-name"]
    assert ping(server.address, *other, "localhost", "--http", http).exit_code == 0, "the certificate has this name too"
    refused(ping(server.address, *other, "elsewhere.example"), "cannot be asked with TLS")
    refused(ping(server.address), "cannot be asked without TLS", "has it TLS or not")
    refused(ping(server.address, "--tls"), "cannot be asked with TLS")
    refused(ping(server.address, "--ca", Authority(tmp_path / "other").certificate), "cannot be asked with TLS")
    refused(ping(server.address, "--ca", tmp_path / "none.crt"), "none.crt: cannot be read: No such file")
    plain = f"http://{server.http_address}"
    refused(ping(server.address, "--ca", authority.certificate, "--http", plain), "cannot be asked", "http or https")


@needs_openssl
def test_https_wants_the_same_trust(started: Started, authority: Authority, pair: Pair) -> None:
    server, secured = started(), started(**pair.settings)
    http = ["--http", f"https://{secured.http_address}"]
    refused(ping(server.address, *http), "CERTIFICATE_VERIFY_FAILED")
    refused(ping(server.address, "--http", f"https://{server.http_address}"), "cannot be asked", "http or https")


@needs_openssl
def test_mtls(started: Started, authority: Authority, pair: Pair) -> None:
    server = started(**pair.settings, tls_client_ca=str(authority.certificate))
    http = ["--http", f"https://{server.http_address}"]
    client = authority.issue("client")
    own = ["--ca", authority.certificate, "--certificate", client.certificate]
    assert ping(server.address, *own, "--key", client.key, *http).exit_code == 0
    refused(ping(server.address, "--ca", authority.certificate), "cannot be asked with TLS")
    refused(ping(server.address, *own), "certificate, key: give both or neither")


def test_api_keys(started: Started, tmp_path: Path) -> None:
    made = CliRunner().invoke(main, ["key", "new", "probe"])
    key = made.stderr.split()[-1]
    (tmp_path / "keys.toml").write_text(made.stdout)
    server = started(api_keys=str(tmp_path / "keys.toml"))
    assert ping(server.address, SIMGATE_API_KEY=key).exit_code == 0
    assert ping(server.address, "--api-key-env", "PROBE", PROBE=key).exit_code == 0
    refused(ping(server.address, SIMGATE_API_KEY=""), "wants an API key", r"\$SIMGATE_API_KEY; it is empty")
    wrong = ping(server.address, "--api-key-env", "PROBE", PROBE=new_key())
    refused(wrong, r"\$PROBE; that key is not valid")
    refused(ping(server.address, SIMGATE_API_KEY="a\nb"), "api_key: has characters that keys have not")
    health = ping(server.address, "--health-only", SIMGATE_API_KEY="")
    assert (health.exit_code, health.stdout) == (0, f"health  {server.address}: SERVING\n")


def test_a_server_that_stops_and_one_that_is_gone(started: Started) -> None:
    other = started()
    with Sidecar("--no-index", environment={"SIMGATE_DRAIN_DELAY": "60"}) as server:
        assert ping(server.address, "--http", server.url).exit_code == 0
        server.send(signal.SIGTERM)
        while "stopping" not in server.said:
            time.sleep(0.02)
        refused(ping(server.address), "its health is NOT_SERVING: it is stopping")
        refused(ping(other.address, "--http", server.url), "says 503 'stopping', not 200 'ok'")
    refused(ping(server.address), "cannot be asked without TLS", "does it run")
    refused(ping(other.address, "--http", server.url), "cannot be asked", "does it run")


@contextmanager
def grpc_server(*names: str) -> Iterator[str]:
    """The address of a server of others, healthy under these names."""
    server = grpc.server(ThreadPoolExecutor(1))
    health = HealthServicer()
    for name in names:
        health.set(name, 1)
    if names:
        add_HealthServicer_to_server(health, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait()


@contextmanager
def silent() -> Iterator[str]:
    """The address of what takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def web() -> Iterator[str]:
    """The address of a web server of others."""
    app = FastAPI()

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        return {"status": "up"}

    with serving(app) as url:
        yield url.removeprefix("http://")


@contextmanager
def rude() -> Iterator[str]:
    """The address of what hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        over = threading.Event()

        def hang_up() -> None:
            while not over.is_set():
                listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        yield address
        over.set()
        socket.create_connection(listener.getsockname()).close()
        thread.join()


STRANGERS: list[tuple[Callable[[], Any], str, str]] = [
    (grpc_server, "is no simgate server .UNIMPLEMENTED", "gRPC without health"),
    (lambda: grpc_server("", "other.Service"), "is no simgate server .NOT_FOUND", "gRPC, healthy, another service"),
    (lambda: grpc_server("simgate.v1.Simgate"), "is no simgate server .UNIMPLEMENTED", "health alone, by the name"),
    (silent, "no answer within 2 s .DEADLINE_EXCEEDED|cannot be asked", "takes connections and says nothing"),
    (web, "cannot be asked without TLS", "a web server"),
    (rude, "cannot be asked without TLS", "hangs up"),
]


@pytest.mark.parametrize(("make", "words", "remark"), STRANGERS, ids=[row[2] for row in STRANGERS])
def test_what_is_no_simgate(make: Callable[[], Any], words: str, remark: str) -> None:
    with make() as address:
        refused(ping(address, "--timeout", 2), words)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1:1", "127.0.0.1", "http://", "http://[", ""], ids=str)
def test_urls_that_are_none(started: Started, url: str) -> None:
    done = ping(started().address, "--http", url)
    if url:
        refused(done, "cannot be asked")
    else:
        assert done.exit_code == 0, "as if it were not given"


def test_what_answers_otherwise_over_http(started: Started) -> None:
    with web() as address:
        refused(ping(started().address, "--http", f"http://{address}"), "says 200 .*not 200 'ok'.*is no simgate server")


ADDRESSES = ["", ":", "127.0.0.1:99999", "no such host:1", "a" * 300]


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda text: text[:20] or "empty")
def test_addresses_that_are_none(address: str) -> None:
    refused(ping(address, "--timeout", 3), "cannot be asked|no answer")
