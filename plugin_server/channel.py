"""The channel of a client: plain, or with TLS, and the API key that each call brings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import grpc

from plugin_server.errors import InvalidField

#: Messages of any size: the server has its own limit, and tells.
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@dataclass(frozen=True, slots=True)
class Tls:
    """How a client knows the server, and what it shows of itself.

    Attributes:
        ca: file in PEM of the authorities that are trusted; empty for those that everybody trusts.
        certificate, key: files in PEM for a server that asks for them (mTLS); both or neither.
        server_name: that the server's certificate must have, if it is not the address's.

    Raises:
        InvalidField: a certificate without key, or a key alone.
    """

    ca: str = ""
    certificate: str = ""
    key: str = ""
    server_name: str = ""

    def __post_init__(self) -> None:
        if bool(self.certificate) != bool(self.key):
            raise InvalidField("tls: certificate, key: give both or neither")

    def credentials(self) -> grpc.ChannelCredentials:
        """What gRPC makes channels with; the files are read now.

        Raises:
            InvalidField: a file cannot be read.
        """
        ca, key, certificate = map(_content, (self.ca, self.key, self.certificate))
        return grpc.ssl_channel_credentials(ca, key, certificate)

    @property
    def options(self) -> list[tuple[str, int | str]]:
        """Those of the channel."""
        name: list[tuple[str, int | str]] = [("grpc.ssl_target_name_override", self.server_name)]
        return [*OPTIONS, *(name if self.server_name else [])]


def channel(address: str, tls: Tls | None) -> grpc.Channel:
    """A channel to a server; plain without `tls`."""
    if tls is None:
        return grpc.insecure_channel(address, OPTIONS)
    return grpc.secure_channel(address, tls.credentials(), tls.options)


def async_channel(address: str, tls: Tls | None) -> grpc.aio.Channel:
    """The same for asyncio."""
    if tls is None:
        return grpc.aio.insecure_channel(address, OPTIONS)
    return grpc.aio.secure_channel(address, tls.credentials(), tls.options)


def metadata(api_key: str) -> tuple[tuple[str, str], ...]:
    """What each call brings.

    Raises:
        InvalidField: it cannot be a key; it is not shown.

    Example:
        >>> metadata("sg_a"), metadata("")
        ((('x-api-key', 'sg_a'),), ())
    """
    if not (api_key.isascii() and api_key.isprintable()):
        raise InvalidField("api_key: has characters that keys have not: give it as `simgate key new` printed it")
    return (("x-api-key", api_key),) if api_key else ()


def _content(file: str) -> bytes | None:
    try:
        return Path(file).read_bytes() if file else None
    except OSError as error:
        raise InvalidField(f"tls: {file}: cannot be read: {error.strerror}") from None
