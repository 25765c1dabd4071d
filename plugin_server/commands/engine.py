"""What the commands for a search engine share: options, and the settings they make."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from plugin_server.engines.settings import ENGINES, EngineSettings
from plugin_server.settings import overridden

Command = TypeVar("Command", bound=Callable[..., Any])
#: Stands for no engine, where the environment names one.
EMBEDDED = "embedded"

_OPTIONS = (
    click.option(
        "--engine",
        type=click.Choice([*ENGINES, EMBEDDED]),
        envvar="SIMGATE_ENGINE",
        help="The search engine.  [default: $SIMGATE_ENGINE]",
    ),
    click.option(
        "--url", metavar="URL", help="Its address.  [default: $SIMGATE_ENGINE_URL, else http://127.0.0.1:9200]"
    ),
    click.option("--user", metavar="NAME", help="Log in as; the password is read from $SIMGATE_ENGINE_PASSWORD."),
    click.option("--ca", metavar="FILE", help="Certificate authority to trust.  [default: $SIMGATE_ENGINE_CA]"),
    click.option("--text-field", metavar="FIELD", help="Field of the text.  [default: $SIMGATE_TEXT_FIELD, else text]"),
)
#: Of the commands that search.
indices_option = click.option(
    "--indices",
    metavar="PATTERNS",
    help="Names and patterns of the indices that may be searched, such as products-*,articles.  "
    "[default: $SIMGATE_ENGINE_INDICES, else all that are not hidden]",
)


def engine_options(command: Command) -> Command:
    """The command with the options that say where the engine is."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def engine_settings(
    engine: str | None,
    url: str | None,
    user: str | None,
    ca: str | None,
    text_field: str | None,
    indices: str | None = None,
) -> EngineSettings | None:
    """The environment's settings with what the options say in their place; None if no engine is named.

    Raises:
        InvalidField, UnknownChoice: a value cannot be used.
    """
    if engine in (None, EMBEDDED):
        return None
    given = {"engine": engine, "engine_url": url, "engine_user": user, "engine_ca": ca, "text_field": text_field}
    given["engine_indices"] = indices
    return EngineSettings.read(overridden(os.environ, given))
