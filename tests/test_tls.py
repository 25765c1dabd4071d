"""TLS on both ports of a real server: certificates that change, break or expire, and clients that must show theirs."""

from __future__ import annotations

import logging
import shutil
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import nullcontext
from http.client import HTTPSConnection
from pathlib import Path

import httpx
import pytest
from certificates import Authority, Pair, mounted
from conftest import Run, Started

from plugin_server.channel import Tls
from plugin_server.client import AsyncClient, Client
from plugin_server.errors import InvalidField
from plugin_server.remote import RemoteUnavailable
from plugin_server.server import Server

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificates with openssl")

DAY = 24 * 3600


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def first(authority: Authority) -> Pair:
    return authority.issue("first")


@pytest.fixture(scope="module")
def second(authority: Authority) -> Pair:
    return authority.issue("second")


@pytest.fixture
def pair(first: Pair, tmp_path: Path) -> Pair:
    """The first certificate in files that a test may change."""
    made = Pair(tmp_path / "tls.crt", tmp_path / "tls.key")
    made.replace(first)
    return made


def place(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


def shown(server: Server) -> list[bytes]:
    """The certificates that both ports show to a new client."""
    addresses = (server.address, server.http_address)
    return [ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(place(address))) for address in addresses]


def der(pair: Pair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())


def ask_http(server: Server, ca: Path, client: Pair | None = None) -> int:
    """The status of a request by a client that trusts an authority, and shows a certificate."""
    context = ssl.create_default_context(cafile=str(ca))
    if client:
        context.load_cert_chain(client.certificate, client.key)
    return httpx.get(f"https://{server.http_address}/readyz", verify=context).status_code


def ask_grpc(server: Server, ca: Path, client: Pair | None = None) -> str:
    """The version that the server tells such a client."""
    own = {"certificate": str(client.certificate), "key": str(client.key)} if client else {}
    with Client(server.address, timeout=20, tls=Tls(str(ca), **own)) as made:
        return made.info().version


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_both_ports_have_tls(started: Started, pair: Pair, authority: Authority, tmp_path: Path) -> None:
    server = started(**pair.settings)
    assert ask_http(server, authority.certificate) == 200
    assert ask_grpc(server, authority.certificate)
    stranger = Authority(tmp_path / "other").certificate
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        ask_http(server, stranger)
    with pytest.raises(RemoteUnavailable):
        ask_grpc(server, stranger)


def test_without_tls_nobody_is_understood(started: Started, pair: Pair) -> None:
    server = started(**pair.settings)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://{server.http_address}/readyz")
    with Client(server.address, timeout=20) as client, pytest.raises(RemoteUnavailable):
        client.info()


def test_asyncio_client_and_another_name(started: Started, pair: Pair, authority: Authority, run: Run) -> None:
    server = started(**pair.settings)

    async def ask(tls: Tls) -> str:
        async with AsyncClient(server.address, timeout=20, tls=tls) as client:
            return (await client.info()).version

    assert run(ask(Tls(str(authority.certificate), server_name="localhost")))
    with pytest.raises(RemoteUnavailable):
        run(ask(Tls(str(authority.certificate), server_name="other.example")))


@pytest.mark.parametrize(
    ("version", "taken"),
    [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)],
)
def test_versions(version: ssl.TLSVersion, taken: bool, started: Started, pair: Pair, authority: Authority) -> None:
    server = started(**pair.settings)
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1") if version is ssl.TLSVersion.TLSv1_1 else nullcontext():
        context.minimum_version = context.maximum_version = version
    for address in (server.address, server.http_address):
        host, port = place(address)
        connection = HTTPSConnection(host, port, context=context, timeout=20)
        if taken:
            connection.connect()
            assert connection.sock.version() == version.name.replace("_", ".")
        else:
            with pytest.raises(ssl.SSLError):
                connection.connect()
        connection.close()


@pytest.mark.parametrize("way", ["in place", "by links"])
def test_new_connections_get_new_certificates(
    way: str, started: Started, pair: Pair, first: Pair, second: Pair, tmp_path: Path
) -> None:
    files = pair if way == "in place" else mounted(tmp_path / "secret", first)
    server = started(**files.settings)
    assert shown(server) == [der(first)] * 2
    host, port = place(server.http_address)
    kept = HTTPSConnection(host, port, context=ssl.create_default_context(cafile=str(first.certificate)), timeout=20)
    kept._context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    kept.connect()
    with Client(server.address, timeout=20, tls=Tls(str(pair.certificate))) as open_channel:
        kept.request("GET", "/readyz")
        assert kept.getresponse().read() == b"ok"
        assert open_channel.info()
        if way == "in place":
            files.replace(second)
        else:
            mounted(tmp_path / "secret", second)
        assert shown(server) == [der(second)] * 2
        kept.request("GET", "/readyz")
        assert kept.getresponse().read() == b"ok", "what is open stays open"
        assert kept.sock.getpeercert(binary_form=True) == der(first)
        assert open_channel.info()
    kept.close()


def _truncated(pair: Pair, other: Pair) -> str:
    pair.certificate.write_bytes(other.certificate.read_bytes()[:300])
    return "holds no certificate that can be read"


def _empty(pair: Pair, other: Pair) -> str:
    pair.certificate.write_bytes(b"")
    return "holds no certificate that can be read"


def _cut_chain(pair: Pair, other: Pair) -> str:
    raw = other.certificate.read_bytes()
    pair.certificate.write_bytes(raw + raw[:300])
    return "holds no certificate that can be read"


def _other_key(pair: Pair, other: Pair) -> str:
    pair.key.write_bytes(other.key.read_bytes())
    return f"tls_key: {pair.key}: is not the key of the certificate in {pair.certificate}"


def _cut_key(pair: Pair, other: Pair) -> str:
    pair.key.write_bytes(pair.key.read_bytes()[:100])
    return f"tls_key: {pair.key}: holds no key that can be read"


def _no_key(pair: Pair, other: Pair) -> str:
    pair.key.unlink()
    return f"tls_key: {pair.key}: cannot be read: No such file"


def _garbage(pair: Pair, other: Pair) -> str:
    pair.certificate.write_bytes(b"\x00\xff" * 200)
    return "holds no certificate that can be read"


BREAKS = [_truncated, _empty, _cut_chain, _other_key, _cut_key, _no_key, _garbage]


@pytest.mark.parametrize("damage", BREAKS, ids=[item.__name__ for item in BREAKS])
def test_broken_new_files_leave_the_old_in_use(
    damage: Callable[[Pair, Pair], str],
    started: Started,
    pair: Pair,
    first: Pair,
    second: Pair,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = started(**pair.settings)
    words = damage(pair, second)
    for _ in range(2):
        assert shown(server) == [der(first)] * 2
    said = errors(caplog)
    assert len(said) == 1, "once, however many connect"
    assert words in said[0] and "stays in use" in said[0]
    pair.replace(second)
    assert shown(server) == [der(second)] * 2, "mended files count again"


@pytest.mark.parametrize("damage", [item for item in BREAKS if item is not _no_key], ids=lambda item: item.__name__)
def test_broken_files_at_the_start(
    damage: Callable[[Pair, Pair], str], started: Started, pair: Pair, second: Pair
) -> None:
    words = damage(pair, second)
    with pytest.raises(InvalidField) as caught:
        started(**pair.settings)
    assert words in str(caught.value)
    assert str(pair.certificate.parent) in str(caught.value)


def test_expired_certificate_at_the_start_is_used_and_told(
    started: Started, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    expired = authority.issue("expired", days=-1)
    server = started(**expired.settings)
    assert shown(server) == [der(expired)] * 2
    assert len(errors(caplog)) == 1 and f"{expired.certificate}: expired on " in errors(caplog)[0]
    with pytest.raises(httpx.ConnectError, match="certificate has expired"):
        ask_http(server, authority.certificate)


def test_expired_certificate_does_not_replace_another(
    started: Started, pair: Pair, first: Pair, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    server = started(**pair.settings)
    pair.replace(authority.issue("late", days=-1))
    assert shown(server) == [der(first)] * 2
    assert len(errors(caplog)) == 1 and "expired on " in errors(caplog)[0]


def test_expiry_is_that_of_the_certificate_in_use(started: Started, pair: Pair, authority: Authority) -> None:
    server = started(**pair.settings)
    assert server.certificates
    assert server.certificates.expires == pytest.approx(time.time() + 2 * DAY, abs=3600)
    pair.replace(authority.issue("long", days=90))
    assert server.certificates.expires == pytest.approx(time.time() + 90 * DAY, abs=3600)
    pair.key.write_text("")
    assert server.certificates.expires == pytest.approx(time.time() + 90 * DAY, abs=3600)


def test_clients_must_show_a_certificate(started: Started, pair: Pair, authority: Authority, tmp_path: Path) -> None:
    friends, strangers = Authority(tmp_path / "friends"), Authority(tmp_path / "strangers")
    friend, stranger, trusted = friends.issue("friend"), strangers.issue("stranger"), tmp_path / "clients.pem"
    trusted.write_bytes(friends.certificate.read_bytes())
    server = started(**pair.settings, tls_client_ca=str(trusted))
    for shows, let_in in ((friend, True), (None, False), (stranger, False), (pair, False)):
        told(server, authority, shows, let_in)
    trusted.write_bytes(strangers.certificate.read_bytes())
    for shows, let_in in ((stranger, True), (friend, False), (None, False)):
        told(server, authority, shows, let_in)
    trusted.write_bytes(friends.certificate.read_bytes()[:200])
    told(server, authority, stranger, True)
    told(server, authority, None, False)


def told(server: Server, authority: Authority, client: Pair | None, let_in: bool) -> None:
    """Nothing; both ports let such a client in, or do not."""
    if let_in:
        assert ask_http(server, authority.certificate, client) == 200
        assert ask_grpc(server, authority.certificate, client)
        return
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError, httpx.ConnectError, httpx.WriteError)):
        ask_http(server, authority.certificate, client)
    with pytest.raises(RemoteUnavailable):
        ask_grpc(server, authority.certificate, client)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_session_ends_with_its_authority(
    version: ssl.TLSVersion, started: Started, pair: Pair, authority: Authority, tmp_path: Path
) -> None:
    friends, trusted = Authority(tmp_path / "friends"), tmp_path / "clients.pem"
    friend = friends.issue("friend")
    trusted.write_bytes(friends.certificate.read_bytes())
    server = started(**pair.settings, tls_client_ca=str(trusted))
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.load_cert_chain(friend.certificate, friend.key)
    context.minimum_version = context.maximum_version = version
    session, resumed = take_up(server, context, None)
    assert not resumed and take_up(server, context, session)[1], "the next connection takes it up"
    trusted.write_bytes(authority.certificate.read_bytes())
    with pytest.raises((ssl.SSLError, ConnectionError)):
        take_up(server, context, session)


def take_up(
    server: Server, context: ssl.SSLContext, session: ssl.SSLSession | None
) -> tuple[ssl.SSLSession | None, bool | None]:
    """The session of a new connection, and whether it is the one given."""
    with (
        socket.create_connection(place(server.http_address), 20) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1", session=session) as made,
    ):
        made.sendall(b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        if not (answer := made.recv(100)):
            raise ConnectionResetError
        assert answer.startswith(b"HTTP/1.1 200")
        return made.session, made.session_reused


def test_client_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match="give both or neither"):
        Tls(certificate="a.pem")
    with pytest.raises(InvalidField, match=r"nowhere\.pem: cannot be read"):
        Client("127.0.0.1:1", tls=Tls(str(tmp_path / "nowhere.pem")))


def test_the_end_of_the_certificate_is_told(started: Started, pair: Pair, authority: Authority) -> None:
    server = started(**pair.settings)
    context = ssl.create_default_context(cafile=str(authority.certificate))
    lines = httpx.get(f"https://{server.http_address}/metrics", verify=context).text.splitlines()
    (line,) = (line for line in lines if line.startswith("simgate_certificate_expiry_seconds "))
    decoded = ssl._ssl._test_decode_cert(str(pair.certificate))  # type: ignore[attr-defined]
    assert float(line.split()[1]) == ssl.cert_time_to_seconds(decoded["notAfter"])
