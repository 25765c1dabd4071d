"""A grid's cells, a system with a seed each: trained, measured, written; what is done is not done again."""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from onnx_export.checkpoint import load_checkpoint
from onnx_export.config import Config, EncoderConfig, VerifierConfig
from onnx_export.dual_encoder import DualEncoder
from onnx_export.errors import BadResults
from onnx_export.lab.cost import cost
from onnx_export.lab.dense import Dense
from onnx_export.lab.figures import Table, measure, of_run
from onnx_export.lab.files import write_json
from onnx_export.lab.grid import Grid, System
from onnx_export.lab.material import Material
from onnx_export.lab.scorers import BundleScorer, Matrices, Scorer, Searcher, VectorScorer, scorer_of
from onnx_export.lab.words import HybridScorer, WordScorer
from onnx_export.pair import Pair
from onnx_export.train import fit
from plugin_server.bundle import Bundle
from plugin_server.reranker import Reranker
from plugin_server.settings import Settings

#: Bits of a number of a token row.
BITS = 4
#: Systems that search by themselves in place of reranking.
SEARCHERS = (VectorScorer, WordScorer, HybridScorer)
Progress = Callable[[int, int, str], None]
#: What frozen encoders said, by their configuration.
Kept: TypeAlias = "dict[EncoderConfig, Matrices]"


def run(
    grid: Grid, material: Material, output: Path, progress: Progress, known: Mapping[str, Table] | None = None
) -> list[Path]:
    """The figures of every cell, ``<system>/<seed>/figures.json`` under `output`; cells that have theirs are left.

    Args:
        material: of the grid.
        progress: told the cell, the number of cells, and a line.
        known: figures measured before, as `known_figures` reads them, taken for the cells that they are of.

    Raises:
        BadCheckpoint: `output` holds a checkpoint of another configuration.
    """
    todo = list(grid.cells())
    base = VectorScorer(DualEncoder(untrained(grid.base)))
    rows = decides(grid, material)
    dense: Dense | None = None
    kept: Kept = defaultdict(dict)
    written = []
    for number, (system, seed) in enumerate(todo, 1):
        folder = output / system.name / str(seed)
        path = folder / "figures.json"
        decided = digest(system, rows)
        if not (path.exists() and json.loads(path.read_text(encoding="utf-8"))["digest"] == decided):
            if known and decided in known:
                write_json(path, {**known[decided], "system": system.name})
            else:
                told = f"{system.name}, seed {seed}"
                progress(number, len(todo), told)
                dense = dense or Dense.kept(base, material, grid.measuring.depth, output / f"dense-{rows}.json")
                within = _within(progress, number, len(todo), told)
                figures = cell(system, material, dense, base, folder, output / "lower", within, kept)
                write_json(path, {"digest": decided, **figures})
        written.append(path)
    return written


def known_figures(page: Path) -> dict[str, Table]:
    """The figures behind a page, by the digest of their cell.

    Raises:
        BadResults: the file is not one that `onnx_export.lab.report.write` wrote as JSON.
    """
    try:
        cells = json.loads(page.read_text(encoding="utf-8"))
        return {figures["digest"]: figures for seeds in cells.values() for figures in seeds}
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise BadResults(f"{page}: not the JSON that `simgate lab report` writes beside its page: {error!r}") from error


def cell(
    system: System,
    material: Material,
    dense: Dense,
    base: VectorScorer,
    folder: Path,
    lower: Path,
    progress: Progress,
    kept: Kept,
) -> Table:
    """The figures of one system with one seed."""
    started = time.monotonic()
    scorer = scorer_for(system, material, base, folder, lower, progress, kept)
    trained = time.monotonic()
    figures: Table = {
        "system": system.name,
        "kind": system.kind,
        "config": system.config.plain() if system.trained else None,
        **measure(scorer, material, dense, reranks=not isinstance(scorer, SEARCHERS)),
    }
    if isinstance(scorer, SEARCHERS):
        figures["retrieval"] = alone(scorer, material)
    if scorer is base:
        figures["cosines"] = cosines(base, material)
    figures["cost"] = cost(scorer)
    figures["seconds"] = {"training": round(trained - started), "measuring": round(time.monotonic() - trained)}
    return figures


def scorer_for(
    system: System,
    material: Material,
    base: VectorScorer,
    folder: Path,
    lower: Path,
    progress: Progress,
    kept: Kept,
) -> Scorer:
    """The system ready to score: trained, if it has anything to train; frozen encoders are asked for a text once."""
    if system.kind == "cosine":
        return base
    if system.kind == "bm25":
        return WordScorer()
    if system.kind == "hybrid":
        return HybridScorer(base)
    if system.kind == "bundle":
        return BundleScorer(Reranker(Bundle.open(system.bundle), Settings()))
    mixture = replace(material.mixture, heldout=material.heldout)  # all of them would take as long as half the steps
    checkpoint = fit(system.config, mixture, folder, progress, lower)
    model, _ = load_checkpoint(checkpoint)
    encoder = system.config.encoder
    return scorer_of(model, BITS, kept[encoder] if encoder.frozen else None)


def alone(scorer: Searcher, material: Material) -> Table:
    """By collection: nDCG@10 and MRR@10 of the system's own search of the whole collection."""
    table: Table = {}
    for collection in material.collections:
        names = [*collection.documents]
        scores = scorer.matrix([*collection.queries.values()], [*collection.documents.values()])
        run = {
            query: {names[place]: float(row[place]) for place in np.argsort(-row, kind="stable")[:100]}
            for query, row in zip(collection.queries, scores, strict=True)
        }
        table[collection.name] = {"recall": of_run(run, collection.qrels)}
    return table


def cosines(base: VectorScorer, material: Material, bins: int = 40) -> Table:
    """How pooled cosines fall, by kind of pair: shares in bins from -0.2 to 1 over report sets of same meaning or not.

    Every pair whose ``pairs`` label is known counts, all sets weighing the same; random pairs join queries with the
    documents of other rows.
    """
    edges = np.linspace(-0.2, 1, bins + 1)
    shares: dict[str, list[Any]] = {"same meaning": [], "near-miss": [], "random": []}
    for rows in material.sets.values():
        known = [row for row in rows if row.pairs is not None]
        if len({row.pairs for row in known}) < 2:
            continue
        moved = known[len(known) // 3 :] + known[: len(known) // 3]
        mixed = [Pair(a.query, b.document, None, None, "", "", "") for a, b in zip(known, moved, strict=True)]
        for name, part in (
            ("same meaning", [row for row in known if row.pairs == 1]),
            ("near-miss", [row for row in known if row.pairs == 0]),
            ("random", mixed),
        ):
            values = base.scores([(row.query, row.document) for row in part])[:, 0]
            shares[name].append(np.histogram(values.clip(-0.2, 1), edges)[0] / len(part))
    return {"edges": edges.round(4).tolist(), **{name: np.mean(found, 0).tolist() for name, found in shares.items()}}


def digest(system: System, rows: str) -> str:
    """A name of everything that decides a cell's figures but the code.

    Args:
        rows: as `decides` names them.
    """
    own: object = system.config.plain() if system.trained else ""
    if system.kind == "bundle":
        own = Bundle.open(system.bundle).manifest.files
    return _digest([system.kind, own, rows])


def decides(grid: Grid, material: Material) -> str:
    """A name of the rows that every cell of a grid is trained and measured on."""
    sizes = {name: len(rows) for name, rows in material.sets.items()}
    return _digest([asdict(grid.measuring), grid.decides_rows(), asdict(grid.base.encoder), sizes])


def _digest(decided: object) -> str:
    return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:16]


def untrained(config: Config) -> Config:
    """The configuration of the base model's own vectors."""
    return Config(encoder=config.encoder, verifier=VerifierConfig("dual"), training=config.training)


def _within(progress: Progress, number: int, total: int, told: str) -> Progress:
    """Progress of a cell's training, told as the cell's."""
    return lambda done, steps, line: progress(number, total, f"{told}: step {done} of {steps}, {line}")
