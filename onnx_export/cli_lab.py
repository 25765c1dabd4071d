"""The commands ``simgate lab run``, ``report`` and ``heldout``; listing them imports no torch."""

from __future__ import annotations

from pathlib import Path

import click

from onnx_export.cli import FILE, FOLDER, data_option, needed, told
from plugin_server.bundle import PROFILES
from plugin_server.commands.common import Bar

#: Grids that are packaged, by file name.
PACKAGED = Path(__file__).parent / "lab"

output_option = click.option("--output", required=True, type=FOLDER, help="Folder of rows, checkpoints and figures.")


@click.group()
def lab() -> None:
    """Train and measure a grid of systems alike, and write the page that compares them."""


@lab.command()
@click.argument("config")
@data_option
@output_option
@click.option("--triples", type=FILE, help="Own triples to report.")
@click.option(
    "--known", "page", type=FILE, help="JSON of a page whose figures are taken for the cells that they are of."
)
@told
def run(config: str, data: Path, output: Path, triples: Path | None, page: Path | None) -> None:
    """Train and measure every system of a grid; what has been measured is left, what was stopped goes on.

    CONFIG is a TOML file, or the word paper for the packaged comparison of everything that the paper compares. A copy
    of it with a [[system]] of your own trains that one alone if --known names paper's own figures: a cell's figures are
    those of another if configuration, seed and rows are the same.

    \b
    Example:
      simgate lab run paper --data data --output runs/paper
      simgate lab report paper --output runs/paper --page paper

    Exit codes: 0 every cell has its figures; 1 data or configuration cannot be used.
    """
    with needed("lab"):
        from onnx_export.lab.cells import known_figures
        from onnx_export.lab.cells import run as run_cells
        from onnx_export.lab.grid import Grid
        from onnx_export.lab.material import Material
    grid, figures = Grid.read(grid_file(config)), known_figures(page) if page else {}
    material = Material.prepare(grid, data, triples, output / "rows")
    with Bar("Cells") as bar:
        paths = run_cells(grid, material, output, bar.update, figures)
    click.echo(f"{output}: figures of {len(paths)} cells")


@lab.command()
@click.argument("config")
@output_option
@click.option("--page", required=True, type=click.Path(path_type=Path), help="Write PAGE.md, PAGE.html and PAGE.json.")
@told
def report(config: str, output: Path, page: Path) -> None:
    """Write the page that compares the systems of a grid: those that have been measured, as far as they have.

    \b
    Example:
      simgate lab report paper --output runs/paper --page paper

    Exit codes: 0 written; 1 nothing has been measured yet.
    """
    with needed("lab"):
        from onnx_export.lab.grid import Grid
        from onnx_export.lab.report import write
    path = grid_file(config)
    for file in write(Grid.read(path), output, page, path.read_text(encoding="utf-8")):
        click.echo(file)


@lab.command()
@click.argument("checkpoints", nargs=-1, required=True, type=FILE)
@click.option("--rows", type=FILE, help="Held-out rows.  [default: heldout.jsonl beside the last checkpoint]")
@click.option("--per-source", type=click.IntRange(1), default=600, show_default=True, help="Rows of a source, at most.")
@click.option(
    "--split", multiple=True, default=("written",), show_default=True, help="Source to show by category, too."
)
@click.option("--errors", "count", type=click.IntRange(0), default=0, help="So many errors of each side, to be read.")
@click.option("--profile", type=click.Choice(PROFILES), default="pairs", show_default=True, help="Of the errors.")
@told
def heldout(
    checkpoints: tuple[Path, ...], rows: Path | None, per_source: int, split: tuple[str, ...], count: int, profile: str
) -> None:
    """Print where verifiers are weak: AUROC of CHECKPOINTS by source and category on rows that were held out.

    Copies of a run's checkpoint.pt make its learning curve. Errors are those of the last checkpoint, at the threshold
    with the best accuracy over the sources. Rows of a source that is split are all read.

    \b
    Example:
      simgate lab heldout runs/mine/checkpoint.pt --errors 25

    Exit codes: 0 printed; 1 checkpoint or rows cannot be used.
    """
    with needed("lab"):
        from onnx_export.calibration import capped, load_rows
        from onnx_export.lab.heldout import curve, errors, judge, shown
    every = load_rows(rows or checkpoints[-1].with_name("heldout.jsonl"))
    chosen = [row for row in every if row.source in split]
    chosen += capped([row for row in every if row.source not in split], per_source)
    with Bar("Checkpoints") as bar:
        judged = []
        for number, checkpoint in enumerate(checkpoints):
            bar.update(number, len(checkpoints), checkpoint.name)
            judged.append(judge(checkpoint, chosen))
        bar.update(len(checkpoints), len(checkpoints), "")
    click.echo(curve(chosen, judged, split))
    if count:
        click.echo(f"\n{shown(errors(chosen, judged[-1], profile), count)}")


def grid_file(name: str) -> Path:
    """The file of a grid: a packaged one by its name, else the path given."""
    packaged = PACKAGED / f"{name}.toml"
    return packaged if packaged.is_file() else Path(name)
