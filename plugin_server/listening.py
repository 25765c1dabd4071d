"""Where a server may listen: without TLS on this machine alone, unless it is told otherwise."""

from __future__ import annotations

import logging
import socket
from ipaddress import IPv6Address, ip_address

from plugin_server.errors import InvalidField
from plugin_server.server_settings import ServerSettings

log = logging.getLogger(__name__)

UNIX = ("unix:", "unix-abstract:")


def check_listening(field: str, address: str, settings: ServerSettings) -> None:
    """Nothing, if texts and keys are not readable on their way to the address, or that is wanted.

    Args:
        field: the address's name in messages.

    Raises:
        InvalidField: other machines reach it, there is no TLS, and `ServerSettings.insecure` is not set.

    Example:
        >>> check_listening("address", "127.0.0.1:50051", ServerSettings())
        >>> check_listening("address", "0.0.0.0:50051", ServerSettings())
        Traceback (most recent call last):
        plugin_server.errors.InvalidField: address: '0.0.0.0:50051' is no loopback address, and there is no TLS: give \
tls_certificate and tls_key (SIMGATE_TLS_CERTIFICATE, SIMGATE_TLS_KEY), listen on 127.0.0.1, or, where a proxy or the \
network does TLS, set insecure (SIMGATE_INSECURE=true)
    """
    if settings.tls_certificate or is_local(address):
        return
    if not settings.insecure:
        raise InvalidField(
            f"{field}: {address!r} is no loopback address, and there is no TLS: give tls_certificate and tls_key "
            "(SIMGATE_TLS_CERTIFICATE, SIMGATE_TLS_KEY), listen on 127.0.0.1, or, where a proxy or the network does "
            "TLS, set insecure (SIMGATE_INSECURE=true)"
        )
    log.warning("%s: %s is reached without TLS, as insecure says", field, address)


def is_local(address: str) -> bool:
    """Whether it is certain that only this machine reaches an address, in gRPC's forms or as ``host:port``.

    Example:
        >>> [is_local(address) for address in ("127.0.0.9:1", "[::1]:1", "unix:/tmp/door", "[::]:1", ":1")]
        [True, True, True, False, False]
    """
    if address.startswith(UNIX):
        return True
    host = address.removeprefix("ipv4:").removeprefix("ipv6:").rpartition(":")[0]
    try:
        found = socket.getaddrinfo(host.strip("[]"), None) if host else []
    except (OSError, UnicodeError):
        found = []
    return bool(found) and all(_loops_back(str(item[4][0])) for item in found)


def _loops_back(host: str) -> bool:
    """Whether a numeric address is this machine's own."""
    found = ip_address(host)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback
