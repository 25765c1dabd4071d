"""``simgate shadow``: what shadow mode has recorded, before anybody's results change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import BinaryIO

import click

from plugin_server.commands.common import console, emit, json_option
from plugin_server.errors import InvalidField
from plugin_server.shadow.figures import Figures
from plugin_server.shadow.page import fields, page
from plugin_server.shadow.reading import Reading
from plugin_server.shadow.reading import since as moment


@click.group()
def shadow() -> None:
    """Judge before you switch: SIMGATE_SHADOW=FILE makes `simgate serve` record its verdicts and apply none.

    Results stay as they are. The file (JSON Lines, its owner's alone) begins anew at SIMGATE_SHADOW_BYTES, and the one
    before is kept with the suffix .1; queries and documents are in it only with SIMGATE_LOG_TEXTS=true.

    \b
    Example:
      SIMGATE_SHADOW=shadow.jsonl simgate serve
      simgate shadow report shadow.jsonl

    Exit codes: 0 done; 1 something failed, told on standard error; 2 wrong usage.
    """


@shadow.command()
@click.argument("files", type=click.File("rb", lazy=False), nargs=-1, required=True)
@click.option("--index", "index", default="", help="Tell of this index alone.  [default: all]")
@click.option("--since", metavar="TIME", default="", help="Tell of what is not older: 2026-01-31, or 24h, or 7d.")
@click.option(
    "--examples",
    "most",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="Hits that would be rejected, those first that stood highest; needs texts in the file.",
)
@json_option
@click.pass_context
def report(
    context: click.Context, files: tuple[BinaryIO, ...], index: str, since: str, most: int, as_json: bool
) -> None:
    """Tell what would have changed if the verdicts in FILES had been applied.

    FILES are what SIMGATE_SHADOW named, also while it is written, and the ones before it, in any order; - for standard
    input. Told are the candidates that would be rejected or cannot be read, the searches with another first hit or
    another top 10 or without any hit, how long verification takes, where probabilities lie, and what another threshold
    would do in place of those that were used: `simgate calibrate` sets one.

    \b
    Example:
      simgate shadow report shadow.jsonl shadow.jsonl.1 --since 24h
      simgate shadow report shadow.jsonl --json | jq .totals

    Exit codes: 0 told; 1 there is no record, or a file cannot be read.
    """
    reading = Reading(files, moment(since, datetime.now(UTC)) if since else None, index)
    figures = Figures(reading, most)
    if as_json:
        emit(fields(figures, reading))
    else:
        out = console()
        for item in page(figures, reading):
            out.print(item, soft_wrap=isinstance(item, str))
    if not figures.requests:
        raise InvalidField("nothing is recorded there, or nothing of what was asked for")
    context.exit(0)
