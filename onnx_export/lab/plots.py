"""The report's pictures, as SVG that needs nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import matplotlib
from matplotlib.figure import Figure

from onnx_export.lab.results import Results, Table, of_set, over_sets

#: One colour a kind of pair; the first two can be told apart without red and green.
COLOURS = {"same meaning": "#0072b2", "near-miss": "#d55e00", "random": "#999999"}


def svg(figure: Figure) -> str:
    """The figure as an ``<svg>`` element, the same text for the same figure."""
    stream = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "simgate", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    text = stream.getvalue()
    return text[text.index("<svg") :]


def cosines(table: Table) -> str:
    """How the base model's pooled cosines fall, by kind of pair."""
    figure = Figure(figsize=(7, 3))
    axes = figure.subplots()
    edges = table["edges"]
    for name, colour in COLOURS.items():
        axes.stairs(table[name], edges, label=name, color=colour, fill=name != "random", alpha=0.6)
    axes.set_xlabel("pooled cosine of the base model")
    axes.set_ylabel("share of pairs")
    axes.legend(frameon=False)
    return svg(figure)


def quality_and_cost(results: Results) -> str:
    """Mean AUROC of every system over its milliseconds for 100 candidates, with the seeds' deviation."""
    figure = Figure(figsize=(8, 5))
    axes = figure.subplots()
    for system in results.systems:
        milliseconds = max(results.spread(system.name, lambda cell: cell["cost"]["ms"]).mean, 0.01)
        quality = results.spread(system.name, lambda cell: over_sets(cell, "auroc"))
        axes.errorbar(milliseconds, quality.mean, yerr=quality.deviation or 0, fmt="o", capsize=3, color="#0072b2")
        axes.annotate(system.name, (milliseconds, quality.mean), xytext=(5, 4), textcoords="offset points", fontsize=8)
    axes.set_xscale("log")
    axes.set_xlabel("milliseconds for 100 stored candidates, 2 threads (0.01 and less at the left edge)")
    axes.set_ylabel("mean AUROC over the report sets")
    axes.grid(alpha=0.3)
    return svg(figure)


def by_set(results: Results, names: Sequence[str]) -> str:
    """AUROC of every system on every set, as a heat map."""
    rows = [[results.spread(item.name, _auroc(name)).mean for name in names] for item in results.systems]
    figure = Figure(figsize=(1.0 * len(names) + 2, 0.35 * len(rows) + 1))
    axes = figure.subplots()
    axes.imshow(rows, cmap="cividis", vmin=0.3, vmax=1.0, aspect="auto")
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(rows)), [system.name for system in results.systems])
    for place, row in enumerate(rows):
        for column, value in enumerate(row):
            ink = "white" if value < 0.75 else "black"
            axes.text(column, place, f"{value:.2f}", ha="center", va="center", fontsize=7, color=ink)
    return svg(figure)


def _auroc(name: str) -> Callable[[Table], float | None]:
    return lambda cell: of_set(cell, "sets", name, "auroc")
