"""The command ``simgate``: a group of commands, errors as one line, exit codes 0, 1 and 2."""

from __future__ import annotations

import errno
import sys
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import IO, Any, TextIO

import click

from plugin_server.commands.bundle import bundle
from plugin_server.commands.calibrate import calibrate
from plugin_server.commands.demo import demo
from plugin_server.commands.encode import encode
from plugin_server.commands.index import index
from plugin_server.commands.key import key
from plugin_server.commands.margins import margins
from plugin_server.commands.ping import ping
from plugin_server.commands.rerank import rerank
from plugin_server.commands.search import search
from plugin_server.commands.serve import serve
from plugin_server.commands.shadow import shadow
from plugin_server.commands.size import size
from plugin_server.commands.templates import templates
from plugin_server.commands.verify import verify
from plugin_server.errors import SimgateError

#: Entry points of other packages that add a command, by its name.
COMMANDS = "simgate.commands"


class Failure(click.ClickException):
    """An error as one line on standard error, exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Nothing; the line is printed."""
        click.echo(f"simgate: {self.format_message()}", file=file, err=True)


class Commands(click.Group):
    """The commands of this package and, imported only when used or listed, those of the `COMMANDS` entry points."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Every command's name: this package's in the order of adding, then the others."""
        return [*self.commands, *(name for name in _plugged() if name not in self.commands)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command of that name, or None."""
        known = super().get_command(context, name)
        point = None if known else _plugged().get(name)
        if point is None:
            return known
        command = point.load()
        return command if isinstance(command, click.Command) else None

    def invoke(self, context: click.Context) -> Any:
        """What the command returns; errors made on purpose, and those of files, become a `Failure`."""
        _forgiving(sys.stdout)
        _forgiving(sys.stderr)
        try:
            return super().invoke(context)
        except SimgateError as error:
            raise Failure(str(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader has gone, as with `| head`; click ends quietly
                raise
            place = f"{error.filename}: " if error.filename else ""
            raise Failure(f"{place}{error.strerror or error}") from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="simgate", message="simgate %(version)s")
def main() -> None:
    """Rerank the hits of a dense search and drop the near-misses: same words, other meaning.

    \b
    simgate demo                                  see it work, offline, in seconds
    simgate index corpus.jsonl                    index your own documents
    simgate search "a case in blue, strap in red" search them

    Exit codes: 0 done; 1 something failed or some lines were refused, told on standard error; 2 wrong usage.

    Settings are read from the environment: SIMGATE_BUNDLE, SIMGATE_THREADS, SIMGATE_MAX_CANDIDATES,
    SIMGATE_MAX_CHARACTERS, SIMGATE_MAX_QUERY_TOKENS, SIMGATE_ON_MISMATCH, SIMGATE_ON_FAILURE, SIMGATE_PREVIOUS_BUNDLE,
    SIMGATE_CALIBRATIONS;
    SIMGATE_ENGINE, SIMGATE_ENGINE_URL, _USER, _PASSWORD, _API_KEY, _CA, _TIMEOUT, SIMGATE_TEXT_FIELD, SIMGATE_INDEX;
    of `simgate serve`: SIMGATE_TLS_CERTIFICATE, SIMGATE_TLS_KEY, SIMGATE_TLS_CLIENT_CA, SIMGATE_INSECURE,
    SIMGATE_API_KEYS.
    """


for _command in (
    demo, index, encode, search, rerank, verify, serve, ping, key, calibrate, margins, shadow, size, templates, bundle,
):  # fmt: skip
    main.add_command(_command)


def _plugged() -> dict[str, EntryPoint]:
    """Those whose package is there: a container image leaves out what trains bundles."""
    points = entry_points(group=COMMANDS)
    return {point.name: point for point in points if find_spec(point.module.partition(".")[0])}


def _forgiving(stream: TextIO) -> None:
    """A stream whose encoding lacks a character writes ``?`` in its place."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="replace")
