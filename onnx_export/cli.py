"""The commands ``simgate train``, ``convert`` and ``evaluate``; listing them imports no torch."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import click

from onnx_export.errors import ExportError
from onnx_export.evaluation import PARTS
from plugin_server.bundle import DEFAULT as PACKAGED
from plugin_server.bundle import Bundle
from plugin_server.commands.common import Bar, emit, json_option
from plugin_server.errors import SimgateError

if TYPE_CHECKING:
    from onnx_export.config import Config

DEFAULT = Path(__file__).parent / "default.toml"
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Arguments = ParamSpec("Arguments")

data_option = click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the data sets.",
)


def told(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """The command with this package's errors turned into those that `simgate` prints as one line."""

    @functools.wraps(command)
    def run(*given: Arguments.args, **named: Arguments.kwargs) -> None:
        try:
            command(*given, **named)
        except ExportError as error:
            raise SimgateError(str(error)) from error

    return run


@click.command()
@click.argument("config")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the data sets; not needed if the mixture names none of them.",
)
@click.option("--output", required=True, type=FOLDER, help="Folder of the checkpoint.")
@click.option(
    "--from",
    "earlier",
    type=click.Path(path_type=Path),
    help="Checkpoint of another run, or bundle (a folder, or default), to go on from, with other rows or more steps.",
)
@told
def train(config: str, data: Path | None, output: Path, earlier: Path | None) -> None:
    """Train token branch and verifier; a run that was stopped goes on from its last checkpoint.

    CONFIG is a TOML file, or the word default for the packaged one. Pairs of your own are a source like any other: a
    section [own.NAME] with file (JSON Lines with query, document and label, as calibrate reads them) and profile, and a
    share for NAME in [mixture].

    \b
    Example:
      simgate train default --data data --output runs/first
      simgate convert runs/first/checkpoint.pt my-bundle
      simgate train longer.toml --data data --output runs/longer --from default

    Exit codes: 0 trained; 1 data, configuration or checkpoint cannot be used.
    """
    with needed("train"):
        from onnx_export.train import train as run
    if earlier == Path("default") and not earlier.exists():
        earlier = PACKAGED
    with Bar("Training") as bar:
        path = run(configuration(config), data, output, bar.update, earlier)
    click.echo(path)


@click.command()
@click.argument("checkpoint", type=FILE)
@click.argument("bundle", type=FOLDER)
@click.option("--name", help="Name of the bundle.  [default: the folder's]")
@click.option(
    "--token-bits",
    type=click.Choice(["4", "8"]),
    default="4",
    show_default=True,
    help="Bits of a number of a token row; 8 take twice the space.",
)
@told
def convert(checkpoint: Path, bundle: Path, name: str | None, token_bits: str) -> None:
    """Convert a CHECKPOINT into the folder BUNDLE, which is made or overwritten.

    \b
    Example:
      simgate convert runs/first/checkpoint.pt my-bundle
      simgate bundle check my-bundle

    Exit codes: 0 converted; 1 the checkpoint cannot be used.
    """
    with needed("convert"):
        from onnx_export.convert import convert as run
    made = run(checkpoint, bundle, name or bundle.resolve().name, int(token_bits))
    click.echo(f"{made.folder}: {made.size / 1e6:.1f} MB, fingerprint {made.manifest.fingerprint}")


@click.command()
@click.argument("bundle")
@data_option
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to this file.")
@click.option("--triples", type=FILE, help="Own triples to report.")
@click.option("--cache", type=FOLDER, help="Keep encoded collections in this folder.")
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="Measure this part alone; may be repeated.")
@click.option("--sample", type=click.IntRange(0), default=0, help="At most so many rows a set; 0 for all.")
@click.option("--record", is_flag=True, help="Write figures and page into the bundle's manifest and model card.")
@json_option
@told
def evaluate(
    bundle: str,
    data: Path,
    output: Path | None,
    triples: Path | None,
    cache: Path | None,
    only: tuple[str, ...],
    sample: int,
    record: bool,
    as_json: bool,
) -> None:
    """Measure a bundle on the evaluation sets; the report is Markdown, with --json one object.

    BUNDLE is a folder, or the word default for the bundle in the package. Triples are JSON Lines with anchor,
    paraphrase, near_miss and category.

    \b
    Example:
      simgate evaluate my-bundle --data data
      simgate evaluate default --data data --json --output report.json

    Exit codes: 0 measured; 1 bundle or data cannot be used.
    """
    if record and (only or sample):
        raise click.UsageError("--record: a bundle holds whole reports: leave out --only and --sample")
    with needed("evaluate"):
        from onnx_export.evaluation.evaluate import evaluate as run
        from onnx_export.evaluation.evaluate import markdown
        from onnx_export.evaluation.record import record as write
    opened = Bundle.open("" if bundle == "default" else bundle)
    with Bar("Evaluating") as bar:
        report = run(opened, data, bar.update, triples=triples, cache=cache, only=only or PARTS, sample=sample)
    if record:
        write(opened, report)
    if output:
        text = json.dumps(report, indent=1, ensure_ascii=False) + "\n" if as_json else markdown(report)
        output.write_text(text, encoding="utf-8")
    elif as_json:
        emit(report)
    else:
        click.echo(markdown(report))


def configuration(name: str) -> Config:
    """The training run that a file describes; ``default`` is the packaged one."""
    from onnx_export.config import Config

    return Config.read(DEFAULT if name == "default" else Path(name))


@contextmanager
def needed(command: str) -> Iterator[None]:
    """Turns an import that fails for want of an extra into an error that names the fix."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("onnx_export", "plugin_server"):
            raise
        raise SimgateError(f"simgate {command} needs {missing}: pip install 'simgate[export]'") from error
