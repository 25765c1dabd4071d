"""The commands ``simgate lab run`` and ``simgate lab report``; listing them imports no torch."""

from __future__ import annotations

from pathlib import Path

import click

from onnx_export.cli import FOLDER, data_option, needed, told
from plugin_server.cli_common import Bar

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
@click.option("--triples", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Own triples to report.")
@told
def run(config: str, data: Path, output: Path, triples: Path | None) -> None:
    """Train and measure every system of a grid; what has been measured is left, what was stopped goes on.

    CONFIG is a TOML file, or the word paper for the packaged comparison of everything that the paper compares.

    \b
    Example:
      simgate lab run paper --data data --output runs/paper
      simgate lab report paper --output runs/paper --page paper

    Exit codes: 0 every cell has its figures; 1 data or configuration cannot be used.
    """
    with needed("lab"):
        from onnx_export.lab.cells import run as run_cells
        from onnx_export.lab.grid import Grid
        from onnx_export.lab.material import Material
    grid = Grid.read(grid_file(config))
    material = Material.prepare(grid, data, triples, output / "rows")
    with Bar("Cells") as bar:
        paths = run_cells(grid, material, output, bar.update)
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


def grid_file(name: str) -> Path:
    """The file of a grid: a packaged one by its name, else the path given."""
    packaged = PACKAGED / f"{name}.toml"
    return packaged if packaged.is_file() else Path(name)
