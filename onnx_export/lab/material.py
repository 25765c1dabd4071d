"""What every system of a grid is trained and measured on, the same rows for all."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from onnx_export import sources
from onnx_export.calibration import capped, load_rows, save_rows
from onnx_export.evaluation.evaluate import every, some_queries
from onnx_export.evaluation.pairs import read_triples
from onnx_export.lab.grid import Grid
from onnx_export.mixture import Mixture
from onnx_export.ordering import CATEGORIES, RETRIEVAL
from onnx_export.pair import Pair


@dataclass(frozen=True, slots=True)
class Material:
    """Rows to train on and rows to measure with.

    Attributes:
        mixture: training rows, and all held-out ones.
        heldout: of those, the ones that thresholds are fitted on and that systems may be chosen by.
        sets: report sets by name.
        asked: held-out rows whose query asks for their document, by source: weights of policies are chosen on them.
        passages: the documents that those queries search in.
        collections: to be searched, for the report.
    """

    mixture: Mixture
    heldout: list[Pair]
    sets: dict[str, list[Pair]]
    asked: dict[str, list[Pair]]
    passages: list[str]
    collections: list[sources.Collection]

    @classmethod
    def prepare(cls, grid: Grid, data: Path, triples: Path | None, folder: Path) -> Material:
        """The rows of a grid; what takes minutes to make is kept in `folder`.

        Raises:
            DataMissing: a data set is not in `data`.
        """
        mixture, much = _mixture(grid, data, folder), grid.measuring
        sets = {name: every(rows, much.rows) for name, rows in sources.report_pairs(data).items()}
        if triples:
            sets["triples"] = read_triples(triples)
        found = [row for row in mixture.heldout if row.source in RETRIEVAL and row.category in CATEGORIES]
        asked = {name: [row for row in found if row.source == name and row.passages == 1] for name in RETRIEVAL}
        return cls(
            mixture=mixture,
            heldout=capped(mixture.heldout, much.heldout),
            sets=sets,
            asked={name: every(rows, much.queries) for name, rows in asked.items() if rows},
            passages=sorted({row.document for row in found}),
            collections=[some_queries(load(data), much.queries) for load in (sources.scifact, sources.cranfield)],
        )


def _mixture(grid: Grid, data: Path, folder: Path) -> Mixture:
    """The grid's training and held-out rows, from `folder` if they are there."""
    decided = json.dumps(grid.decides_rows(), sort_keys=True)
    digest = hashlib.sha256(decided.encode()).hexdigest()[:16]
    paths = [folder / f"{digest}.{name}" for name in ("train.jsonl", "heldout.jsonl", "rows.json")]
    if all(path.exists() for path in paths):
        return Mixture(load_rows(paths[0]), load_rows(paths[1]), json.loads(paths[2].read_text(encoding="utf-8")))
    whole = Mixture.build(grid.base, data, grid.squares)
    train = some_groups(whole.train, grid.rows)
    counts = whole.counts | {"train": dict.fromkeys(whole.counts["train"], 0)}
    for row in train:
        counts["train"][row.source] += 1
    folder.mkdir(parents=True, exist_ok=True)
    save_rows(paths[0], train)
    save_rows(paths[1], whole.heldout)
    paths[2].write_text(json.dumps(counts), encoding="utf-8")
    return Mixture(train, whole.heldout, counts)


def some_groups(rows: Sequence[Pair], count: int) -> list[Pair]:
    """Whole groups of each source, in an order that their names decide, until `count` rows are there; all for 0.

    Example:
        >>> rows = [Pair("q", str(n), 1, 1, "general", "s", str(n // 2)) for n in range(8)]
        >>> [row.group for row in some_groups(rows, 3)], len(some_groups(rows, 0))
        (['3', '3', '0', '0'], 8)
    """
    if not count:
        return list(rows)
    groups: dict[str, dict[str, list[Pair]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        groups[row.source][row.group].append(row)
    chosen = []
    for source in sorted(groups):
        own: list[Pair] = []
        for name in sorted(groups[source], key=lambda name: hashlib.sha256(name.encode()).digest()):
            if len(own) >= count:
                break
            own += groups[source][name]
        chosen += own
    return chosen
