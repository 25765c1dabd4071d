"""One page that compares the systems of a grid: Markdown, and HTML that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from markdown_it import MarkdownIt

from onnx_export.lab import plots
from onnx_export.lab.grid import Grid
from onnx_export.lab.results import Results, Table, main_profile, of_category, of_set, over_sets

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: 0.85rem; margin: 1rem 0 }
th, td { border-bottom: 1px solid #ddd; padding: 0.25rem 0.6rem; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: white }
tr:hover td { background: #f4f7fa } svg { max-width: 100%; height: auto } pre { overflow-x: auto; background: #f6f6f6 }
"""
Figure: TypeAlias = "Callable[[Table], float | None]"
#: What the retrieval tables show, by policy.
POLICIES = ("recall", "score alone", "penalty", "blend", "blend, filtered")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: Markdown, and a picture that HTML shows below it."""

    text: str
    picture: str = ""


def write(grid: Grid, output: Path, page: Path, config: str) -> list[Path]:
    """The files written: the page as Markdown and as HTML, and every cell's figures as JSON.

    Args:
        output: where `onnx_export.lab.cells.run` wrote.
        page: their path without a suffix.
        config: the grid's own file.

    Raises:
        ResultsMissing: nothing has been measured.
    """
    results = Results.read(grid, output)
    texts = {
        ".md": markdown(results, config),
        ".html": html(results, config),
        ".json": json.dumps(results.cells, indent=1) + "\n",
    }
    page.parent.mkdir(parents=True, exist_ok=True)
    written = [page.with_name(page.name + suffix) for suffix in texts]
    for path, text in zip(written, texts.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    return written


def markdown(results: Results, config: str) -> str:
    """The page without pictures.

    Args:
        config: the grid's own file, which ends the page.
    """
    return "\n\n".join(section.text for section in sections(results, config)) + "\n"


def html(results: Results, config: str) -> str:
    """The page with its pictures, one file without links."""
    render = MarkdownIt("commonmark").enable("table").render
    body = "\n".join(render(section.text) + section.picture for section in sections(results, config))
    title = f"simgate laboratory: {results.grid.name}"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    style = f"<style>{STYLE}</style>"
    return f'<!doctype html>\n<html lang="en">\n<head>{head}\n{style}</head>\n<body>\n{body}\n</body>\n</html>\n'


def sections(results: Results, config: str) -> Iterator[Section]:
    """The page, part by part."""
    sets, sources = results.keys("sets"), results.keys("heldout")
    yield _head(results)
    yield _systems(results)
    yield Section("## AUROC by set\n\n" + _by(results, "sets", sets, "auroc"), plots.by_set(results, sets))
    yield Section("## True pairs accepted at 5 % accepted near-misses\n\n" + _by(results, "sets", sets, "accepted"))
    yield Section("## Accuracy at the fitted threshold\n\n" + _by(results, "sets", sets, "accuracy"))
    yield _by_category(results)
    held = _by(results, "heldout", sources, "auroc")
    yield Section(f"## Held-out rows, AUROC by source\n\nSystems may be chosen by these.\n\n{held}")
    kinds = sorted({name for cell in results.every() for name in cell.get("triples", {})})
    if kinds:
        yield Section("## Own triples: paraphrase above near-miss\n\n" + _rows(results, kinds, _triple))
    for measure in ("ndcg@10", "mrr@10"):
        yield Section(f"## {measure}\n\n" + "\n\n".join(_retrieval(results, measure)))
    shown = next((cell["cosines"] for cell in results.every() if "cosines" in cell), None)
    if shown:
        yield Section("## Pooled cosines\n\n" + _means(shown), plots.cosines(shown))
    yield Section(f"## Configuration\n\n```toml\n{config.strip()}\n```")


def _head(results: Results) -> Section:
    grid = results.grid
    rows = f"at most {grid.rows:,} of a source" if grid.rows else "all there are"
    missing = f"\n\nNot measured yet: {', '.join(results.missing)}." if results.missing else ""
    return Section(f"""# Laboratory: {grid.name}

Every trained system saw the same rows ({rows}); figures are means over its seeds, ± is their deviation. Report sets
were never trained on, and no threshold or weight was chosen on them: those come from held-out rows of the training
sources. Every set holds true pairs beside near-misses: a system that rejects everything has an AUROC of 0.5 and accepts
nothing. A set counts under the profile that labels most of its rows.{missing}""")


def _systems(results: Results) -> Section:
    rows = []
    for system in results.systems:
        quality = [results.spread(system.name, _over(figure)) for figure in ("auroc", "accepted", "accuracy")]
        held = results.spread(system.name, _over("auroc", "heldout"))
        milliseconds, stored = (results.spread(system.name, _cost(name)).mean for name in ("ms", "bytes"))
        told, seeds = f"**{system.name}**: {system.about}", len(results.cells[system.name]) if system.trained else ""
        rows.append((told, seeds, *quality, held, f"{milliseconds:.1f}", f"{stored:.0f}"))
    head = ("system", "seeds", "AUROC", "true accepted", "accuracy", "held-out AUROC", "ms", "bytes a token")
    return Section(
        f"""## Systems

{table(head, rows)}

Means over the report sets; true pairs accepted are those at 5 % accepted near-misses; accuracy is at the threshold
fitted on held-out rows. Milliseconds are for 100 stored candidates of 128 tokens and a query of 16, by onnxruntime on 2
threads, in float32 but for the bundle.""",
        plots.quality_and_cost(results),
    )


def _by_category(results: Results) -> Section:
    tables = [found for cell in results.every() for part in ("sets", "heldout") for found in cell[part].values()]
    named = (item for found in tables if found for item in found[main_profile(found)]["categories"].items())
    names = sorted({name for name, row in named if row["own"]})
    about = "Means over the sets, held-out rows included, that hold true pairs of the category."
    return Section(f"## AUROC by category\n\n{about}\n\n{_rows(results, names, _category)}")


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table.

    Example:
        >>> print(table(("system", "AUROC"), [("ours", 0.9)]))
        | system | AUROC |
        |---|---|
        | ours | 0.9 |
    """
    lines = [head, ["---"] * len(head), *rows]
    text = ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]
    return "\n".join([text[0], text[1].replace(" ", ""), *text[2:]])


def _rows(results: Results, names: Sequence[str], figure: Callable[[str], Figure]) -> str:
    """A table with a row for each system and a column for each name."""
    systems = results.systems
    return table(
        ("system", *names),
        [(system.name, *(results.spread(system.name, figure(name)) for name in names)) for system in systems],
    )


def _by(results: Results, part: str, names: Sequence[str], figure: str) -> str:
    return _rows(results, names, lambda name: lambda cell: of_set(cell, part, name, figure))


def _retrieval(results: Results, measure: str) -> Iterator[str]:
    """A table for each collection."""
    for collection in dict.fromkeys(name for cell in results.every() for name in cell["retrieval"] if name != "knobs"):
        yield f"### {collection}\n\n" + _rows(results, POLICIES, partial(_ranked, collection, measure))


def _means(shown: Table) -> str:
    """The mean cosine of each kind of pair."""
    middles = [(low + high) / 2 for low, high in pairwise(shown["edges"])]
    means = {name: sum(m * share for m, share in zip(middles, shown[name], strict=True)) for name in plots.COLOURS}
    return table(("pairs", "mean cosine"), [(name, f"{value:.2f}") for name, value in means.items()])


def _over(figure: str, part: str = "sets") -> Figure:
    return lambda cell: over_sets(cell, figure, part)


def _cost(name: str) -> Figure:
    return lambda cell: cell["cost"][name]


def _triple(name: str) -> Figure:
    return lambda cell: cell.get("triples", {}).get(name)


def _ranked(collection: str, measure: str, policy: str) -> Figure:
    return lambda cell: cell["retrieval"].get(collection, {}).get(policy, {}).get(measure)


def _category(name: str) -> Figure:
    def figure(cell: Table) -> float | None:
        found = [value for part in ("sets", "heldout") if (value := of_category(cell, name, part)) is not None]
        return sum(found) / len(found) if found else None

    return figure
