"""Options of a server's doors: TLS, and who may come in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from plugin_server.server_settings import ServerSettings
from plugin_server.settings import overridden

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--tls-certificate",
        metavar="FILE",
        help="Certificates in PEM, for both ports; read again when they change.  [default: $SIMGATE_TLS_CERTIFICATE]",
    ),
    click.option("--tls-key", metavar="FILE", help="Its key in PEM.  [default: $SIMGATE_TLS_KEY]"),
    click.option(
        "--tls-client-ca",
        metavar="FILE",
        help="Let in only clients with a certificate of these authorities (mTLS).  [default: $SIMGATE_TLS_CLIENT_CA]",
    ),
    click.option(
        "--insecure",
        is_flag=True,
        default=None,
        help="Listen without TLS on other than loopback addresses too.  [default: $SIMGATE_INSECURE]",
    ),
    click.option(
        "--api-keys",
        metavar="FILE",
        help="Let in only requests with a key of this file; see `simgate key new`.  [default: $SIMGATE_API_KEYS]",
    ),
)
NAMES = ("tls_certificate", "tls_key", "tls_client_ca", "insecure", "api_keys")


def door_options(command: Command) -> Command:
    """The command with the options of `NAMES`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def server_settings(environment: Mapping[str, str], given: Mapping[str, Any]) -> ServerSettings:
    """The environment's settings with what the options say in their place.

    Args:
        given: by the names of settings; None for an option that was not given.

    Raises:
        InvalidField, UnknownChoice: a value cannot be used.

    Example:
        >>> server_settings({"SIMGATE_INSECURE": "no", "SIMGATE_GRACE": "5"}, {"insecure": True}).insecure
        True
    """
    return ServerSettings.read(overridden(environment, given))
