"""The figures of a grid's cells, gathered: means and deviations over the seeds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onnx_export.errors import ResultsMissing
from onnx_export.lab.grid import Grid, System, seeded
from plugin_server.bundle import PROFILES

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation (n - 1) of a figure over seeds; no deviation for one seed.

    Example:
        >>> str(Spread.of([0.5, 0.6, 0.7])), str(Spread.of([0.5])), str(Spread.of([]))
        ('0.600 ± 0.100', '0.500', '')
    """

    mean: float
    deviation: float | None

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of some values."""
        found = [*values]
        if not found:
            return cls(float("nan"), None)
        return cls(float(np.mean(found)), float(np.std(found, ddof=1)) if len(found) > 1 else None)

    def __str__(self) -> str:
        if np.isnan(self.mean):
            return ""
        return f"{self.mean:.3f}" + (f" ± {self.deviation:.3f}" if self.deviation is not None else "")


@dataclass(frozen=True, slots=True)
class Results:
    """What was measured of every system.

    Attributes:
        cells: by system name the figures of its seeds, in the order of the grid; systems without figures are absent.
    """

    grid: Grid
    cells: dict[str, list[Table]]

    @classmethod
    def read(cls, grid: Grid, output: Path) -> Results:
        """The figures under `output` of every cell that has been measured; those of another configuration do not count.

        Raises:
            ResultsMissing: none has.
        """
        cells: dict[str, list[Table]] = {}
        for system in grid.systems:
            for seed in system.seeds:
                path = output / system.name / str(seed) / "figures.json"
                if path.exists():
                    cell = json.loads(path.read_text(encoding="utf-8"))
                    if cell["config"] == (seeded(system, seed).config.plain() if system.trained else None):
                        cells.setdefault(system.name, []).append(cell)
        if not cells:
            raise ResultsMissing(f"{output}: no figures of {grid.name}: `simgate lab run` writes them")
        return cls(grid, cells)

    @property
    def systems(self) -> list[System]:
        """The systems that have figures."""
        return [system for system in self.grid.systems if system.name in self.cells]

    @property
    def missing(self) -> list[str]:
        """The systems that lack figures of a seed, each with how many it lacks."""
        lacks = {system.name: len(system.seeds) - len(self.cells.get(system.name, ())) for system in self.grid.systems}
        return [f"{name} ({count} of its seeds)" for name, count in lacks.items() if count]

    def spread(self, system: str, figure: Callable[[Table], float | None]) -> Spread:
        """A figure of a system over its seeds; cells that do not have it do not count."""
        found = (figure(cell) for cell in self.cells[system])
        return Spread.of(value for value in found if value is not None)

    def every(self) -> Iterator[Table]:
        """The figures of every cell."""
        for cells in self.cells.values():
            yield from cells

    def keys(self, part: str) -> list[str]:
        """The names under ``sets`` or ``heldout``, of all systems, where there are both labels."""
        return list(dict.fromkeys(name for cell in self.every() for name, table in cell[part].items() if table))


def main_profile(table: Table) -> str:
    """The profile under which most rows of a set are labelled; ``pairs`` if both have as many.

    Example:
        >>> main_profile({"pairs": {"n": 10}, "passages": {"n": 12}})
        'passages'
    """
    return max(table, key=lambda profile: (table[profile]["n"], -PROFILES.index(profile)))


def of_set(cell: Table, part: str, name: str, figure: str) -> float | None:
    """A figure of a set under its main profile; None if the set has none."""
    table = cell[part].get(name)
    return table[main_profile(table)][figure] if table else None


def over_sets(cell: Table, figure: str, part: str = "sets") -> float:
    """The mean of a figure over all sets."""
    return float(np.mean([of_set(cell, part, name, figure) for name in cell[part] if cell[part][name]]))


def of_category(cell: Table, category: str, part: str = "sets") -> float | None:
    """The mean AUROC of a category over the sets that have it with true pairs of its own, under their main profile."""
    found = [
        row["auroc"]
        for table in cell[part].values()
        if table
        for name, row in table[main_profile(table)]["categories"].items()
        if name == category and row["own"]
    ]
    return float(np.mean(found)) if found else None
