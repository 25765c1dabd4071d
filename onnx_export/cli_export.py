"""The command ``simgate export``; listing it imports no torch."""

from __future__ import annotations

from pathlib import Path

import click

from onnx_export.cli import FILE, FOLDER, needed, told
from onnx_export.exports.job import chosen, read_jobs
from plugin_server.commands.common import Bar, console, emit, json_option


@click.command()
@click.argument("config", type=FILE)
@click.option("--output", required=True, type=FOLDER, help="Folder of the bundles' folders.")
@click.option(
    "--only", multiple=True, metavar="NAME", help="Make this [[model]], or this bundle of it, alone; may be repeated."
)
@json_option
@told
def export(config: Path, output: Path, only: tuple[str, ...], as_json: bool) -> None:
    """Write many bundles in one go, each checked against torch, and a table of them; what failed stops no other.

    CONFIG is a TOML file with a [[model]] for each: name, source (a checkpoint, the folder of a bundle, or default),
    precision (shipped, fp32, fp16, int8), target (cpu, cuda, tensorrt), opset (14 to 20) and token_bits (4, 8). Lists
    are multiplied out. A bundle that is there, whole and of the same configuration, is left.

    \b
    Example:
      simgate export models.toml --output bundles
      simgate export models.toml --output bundles --only minilm-fp32 --json | jq '.bundles[] | .status'

    Exit codes: 0 every bundle is there; 1 one failed, or the configuration cannot be used.
    """
    jobs = chosen(read_jobs(config), only)
    with needed("export"):
        from onnx_export.exports.batch import export_all
        from onnx_export.exports.outcome import FAILED, table_of
    with Bar("Exporting") as bar:
        outcomes = export_all(jobs, output, bar.update)
    failed = sum(item.status == FAILED for item in outcomes)
    if as_json:
        emit({"output": str(output), "failed": failed, "bundles": [item.plain() for item in outcomes]})
    else:
        wide = console()
        wide.width = 400  # where there is no terminal, or a narrow one, lines are better long than columns of letters
        wide.print(table_of(outcomes))
    if failed:
        raise click.exceptions.Exit(1)
