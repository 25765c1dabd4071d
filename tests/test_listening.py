"""Where a server listens without TLS, and that the command says what to do."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import httpx
import pytest
from certificates import Authority
from conftest import Run
from test_cli import process

from plugin_server import Reranker
from plugin_server.channel import Tls
from plugin_server.client import Client
from plugin_server.errors import InvalidField
from plugin_server.listening import is_local
from plugin_server.remote import RemoteUnauthenticated
from plugin_server.server import Server
from plugin_server.server_settings import ServerSettings

ADDRESSES = [
    ("127.0.0.1:50051", True, "loopback"),
    ("127.200.0.9:1", True, "all of 127.0.0.0/8 is"),
    ("localhost:1", True, "by name"),
    ("[::1]:1", True, "IPv6"),
    ("::1:1", True, "without brackets"),
    ("[::ffff:127.0.0.1]:1", True, "IPv4 within IPv6"),
    ("unix:/tmp/simgate.sock", True, "a file"),
    ("unix:///tmp/simgate.sock", True, "a file, as an address"),
    ("unix-abstract:simgate", True, "a name"),
    ("ipv4:127.0.0.1:1", True, "gRPC's own form"),
    ("ipv6:[::1]:1", True, "gRPC's own form"),
    ("0.0.0.0:50051", False, "every interface"),
    ("[::]:50051", False, "every interface"),
    (":::50051", False, "every interface, without brackets"),
    (":50051", False, "every interface, to some"),
    ("0:50051", False, "a short form of 0.0.0.0"),
    ("10.1.2.3:1", False, "another network"),
    ("169.254.0.1:1", False, "the link's"),
    ("[fe80::1]:1", False, "the link's"),
    ("[::ffff:10.0.0.1]:1", False, "IPv4 within IPv6"),
    ("ipv4:0.0.0.0:1", False, "gRPC's own form"),
    ("ipv4:127.0.0.1:1,0.0.0.0:2", False, "two of them"),
    ("vsock:2:1", False, "other machines on the same host"),
    ("50051", False, "no host"),
    ("", False, "nothing"),
    ("no such host:1", False, "cannot be known"),
    ("\udc80:1", False, "no text"),
]


@pytest.mark.parametrize(("address", "local", "remark"), ADDRESSES, ids=[case[2] for case in ADDRESSES])
def test_local(address: str, local: bool, remark: str) -> None:
    assert is_local(address) is local, remark


@pytest.mark.parametrize("wide", ["0.0.0.0:0", "[::]:0"])
def test_both_ports_refuse_to_listen_plainly(wide: str, reranker: Reranker, run: Run) -> None:
    for field, addresses in (("address", (wide, "")), ("http address", ("127.0.0.1:0", wide))):
        with pytest.raises(InvalidField) as caught:
            run(Server.start(reranker, addresses[0], http_address=addresses[1]))
        assert str(caught.value).startswith(f"{field}: '{wide}' is no loopback address, and there is no TLS")
        assert "SIMGATE_TLS_CERTIFICATE" in str(caught.value) and "SIMGATE_INSECURE=true" in str(caught.value)


def test_insecure_is_a_choice_that_is_logged(reranker: Reranker, run: Run, caplog: pytest.LogCaptureFixture) -> None:
    server = run(Server.start(reranker, "0.0.0.0:0", settings=ServerSettings(insecure=True), http_address="0.0.0.0:0"))
    try:
        assert httpx.get(f"http://127.0.0.1:{server.http_address.rpartition(':')[2]}/readyz").text == "ok"
        assert [record.levelname for record in caplog.records if "is reached without TLS" in record.message] == [
            "WARNING",
            "WARNING",
        ]
    finally:
        run(server.stop(0))


def test_unix_socket_needs_no_tls(reranker: Reranker, run: Run, tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/door"
    server = run(Server.start(reranker, address))
    try:
        with Client(address, timeout=20) as client:
            assert client.info().fingerprint == reranker.manifest.fingerprint
    finally:
        run(server.stop(0))


def test_the_command_refuses_and_says_how_to_go_on(tmp_path: Path) -> None:
    with process("serve", "--address", "0.0.0.0:0", "--no-http", "--no-index", env={"HOME": str(tmp_path)}) as server:
        _, said = server.communicate(timeout=120)
    assert server.returncode == 1
    assert said.decode().startswith("simgate: address: '0.0.0.0:0' is no loopback address, and there is no TLS")


@pytest.mark.parametrize("way", ["options", "environment", "both"])
def test_the_command_with_tls_and_keys(way: str, tmp_path: Path, reranker: Reranker) -> None:
    authority = Authority(tmp_path / "authority")
    pair, friend = authority.issue("server"), authority.issue("friend")
    keys = tmp_path / "keys.toml"
    with process("key", "new", "team") as made:
        table, told = made.communicate(timeout=60)
    keys.write_bytes(table)
    given = {**pair.settings, "tls_client_ca": str(authority.certificate), "api_keys": str(keys)}
    options, environment = [], {}
    if way != "environment":
        options = [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)]
    if way == "environment":
        environment = {f"SIMGATE_{name.upper()}": value for name, value in given.items()}
    if way == "both":
        environment = {"SIMGATE_API_KEYS": str(tmp_path / "nowhere"), "SIMGATE_TLS_KEY": str(tmp_path / "nowhere")}
    doors = ["--address", "0.0.0.0:0", "--http", "0.0.0.0:0", "--no-index"]
    with process("serve", *doors, *options, env=environment) as server:
        assert server.stderr
        line = server.stderr.readline().decode()
        try:
            ports = re.match(r"Serving on 0\.0\.0\.0:(\d+) and https://0\.0\.0\.0:(\d+), ", line)
            assert ports, line
            grpc_port, http_port = ports.groups()
            tls = Tls(str(authority.certificate), str(friend.certificate), str(friend.key))
            key = told.decode().split()[-1]
            with Client(f"127.0.0.1:{grpc_port}", timeout=60, tls=tls, api_key=key) as client:
                assert client.info().fingerprint == reranker.manifest.fingerprint
            with Client(f"127.0.0.1:{grpc_port}", timeout=60, tls=tls) as client, pytest.raises(RemoteUnauthenticated):
                client.info()
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                httpx.get(f"https://127.0.0.1:{http_port}/livez")
        finally:
            server.send_signal(signal.SIGTERM)
        rest = server.communicate(timeout=120)[1].decode()
    assert server.returncode == 0
    assert key not in rest and key not in line


def test_the_command_with_insecure(tmp_path: Path) -> None:
    with process("serve", "--address", "0.0.0.0:0", "--no-http", "--no-index", "--insecure") as server:
        assert server.stderr
        assert b"is reached without TLS" in server.stderr.readline()
        assert server.stderr.readline().startswith(b"Serving on 0.0.0.0:")
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=120)
    assert server.returncode == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--tls-certificate", "nowhere.pem"], "tls_certificate, tls_key: give both or neither"),
        (["--tls-client-ca", os.devnull], "tls_client_ca: needs TLS"),
        (["--api-keys", "nowhere.toml"], "api_keys: nowhere.toml: there is no such file"),
    ],
)
def test_the_command_with_options_that_do_not_fit(options: list[str], words: str) -> None:
    with process("serve", "--no-http", "--no-index", *options) as server:
        _, said = server.communicate(timeout=120)
    assert server.returncode == 1
    assert words in said.decode()
