"""``simgate size``: how large a system for a collection has to be, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, asdict, fields
from pathlib import Path
from typing import Any

import click

from plugin_server.commands.common import emit, json_option
from plugin_server.errors import InvalidRequest
from plugin_server.sizing.advice import changed
from plugin_server.sizing.constants import Constants
from plugin_server.sizing.model import plan
from plugin_server.sizing.need import Need, Nodes, Prices
from plugin_server.sizing.report import bottleneck, savings, table

#: What the options are made of.
KINDS: tuple[type[Any], ...] = (Need, Nodes, Prices)


def options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each field of `KINDS`, in their order."""
    listed = [item for kind in KINDS for item in fields(kind)]
    for item in reversed(listed):
        command = _option(item)(command)
    return command


def _option(item: Field[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    assert item.default is not MISSING
    known = item.metadata.get("known")
    return click.option(
        f"--{item.name.replace('_', '-')}",
        item.name,
        type=click.Choice(known) if known else float,
        metavar=None if known else "N",
        default=item.default,
        help=f"{item.metadata['help']}  [default: {item.default if known else format(item.default, ',g')}]",
    )


@click.command()
@options
@click.option(
    "--constants",
    "file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Constants of your own machine, as `python -m benchmarks.sizing` writes them.  [default: the package's]",
)
@json_option
def size(file: Path | None, as_json: bool, **given: Any) -> None:
    """Tell how large a system for a collection has to be: shards, data nodes, sidecars, traffic, encoding, price.

    The model and where its constants come from are in plugin_server/SIZING.md; prices and machines are assumptions to
    be replaced. Numbers may be written as 100e6.

    \b
    Example:
      simgate size --documents 100e6 --tokens 128 --requests-per-second 200
      simgate size --documents 10e9 --vectors binary --verification cascade --searched-share 0.02 --json | jq .plan

    Exit codes: 0 told; 1 the file of constants cannot be used; 2 wrong usage.
    """
    constants = Constants.read(file) if file else Constants.read()
    try:
        need, nodes, prices = (kind(**{item.name: given[item.name] for item in fields(kind)}) for kind in KINDS)
    except InvalidRequest as error:
        raise click.UsageError(str(error)) from error
    found = plan(need, nodes, prices, constants)
    others = changed(need, nodes, prices, constants)
    if as_json:
        plans = {name: asdict(other) for name, other in others}
        told = {"need": asdict(need), "nodes": asdict(nodes), "prices": asdict(prices), "plan": asdict(found)}
        emit(told | {"bound": found.bound, "changes": plans, "constants": asdict(constants)})
        return
    click.echo(f"{table([('', found)])}\n\n{bottleneck(found)}\n")
    click.echo(f"One change at a time:\n\n{savings(found, others)}")
