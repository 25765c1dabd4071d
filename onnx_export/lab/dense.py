"""Queries with the hits that the base model's dense search finds for them, to be reranked by every system alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onnx_export.lab.files import write_json
from onnx_export.lab.material import Material
from onnx_export.lab.scorers import VectorScorer
from onnx_export.sources import Collection


@dataclass(frozen=True, slots=True)
class Asked:
    """One query and its dense hits, best first.

    Attributes:
        query: the text.
        places: (k,) numbers of the hits among the documents.
        cosines: (k,) falling.
    """

    query: str
    places: NDArray[np.int64]
    cosines: NDArray[np.float64]

    @classmethod
    def of(cls, query: str, places: list[int], cosines: list[float]) -> Asked:
        """From what `plain` gives."""
        return cls(query, np.array(places, np.int64), np.array(cosines, np.float64))

    def plain(self) -> tuple[str, list[int], list[float]]:
        """As JSON can hold it."""
        return self.query, self.places.tolist(), self.cosines.tolist()


@dataclass(frozen=True, slots=True)
class Dense:
    """What the base model finds.

    Attributes:
        collections: for each collection the hits of its queries, in their order.
        heldout: for each source the hits of its queries among the held-out passages, and the place of the passage that
            answers it, None if it is not among them.
    """

    collections: dict[str, list[Asked]]
    heldout: dict[str, list[tuple[Asked, int | None]]]

    @classmethod
    def kept(cls, base: VectorScorer, material: Material, depth: int, path: Path) -> Dense:
        """The `depth` best hits of every query, read from the file, or searched for and written to it."""
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            collections = {name: [Asked.of(*item) for item in items] for name, items in kept["collections"].items()}
            held = {
                name: [(Asked.of(*item), place) for *item, place in items] for name, items in kept["heldout"].items()
            }
            return cls(collections, held)
        found = cls.search(base, material, depth)
        kept = {
            "collections": {name: [item.plain() for item in items] for name, items in found.collections.items()},
            "heldout": {
                name: [[*item.plain(), place] for item, place in items] for name, items in found.heldout.items()
            },
        }
        write_json(path, kept)
        return found

    @classmethod
    def search(cls, base: VectorScorer, material: Material, depth: int) -> Dense:
        """The `depth` best hits of every query."""
        found = {
            item.name: hits(base, [*item.queries.values()], [*item.documents.values()], depth)
            for item in material.collections
        }
        number = {text: place for place, text in enumerate(material.passages)}
        heldout = {}
        for source, rows in material.asked.items():
            asked = hits(base, [row.query for row in rows], material.passages, depth)
            heldout[source] = [
                (item, _place(item, number[row.document])) for item, row in zip(asked, rows, strict=True)
            ]
        return cls(found, heldout)


def hits(base: VectorScorer, queries: Sequence[str], documents: Sequence[str], depth: int) -> list[Asked]:
    """The best documents of every query."""
    cosines = base.matrix(queries, documents)
    orders = np.argsort(-cosines, axis=1, kind="stable")[:, :depth]
    return [Asked(text, order, row[order]) for text, order, row in zip(queries, orders, cosines, strict=True)]


def run_of(
    collection: Collection, asked: Sequence[Asked], scores: Sequence[NDArray[np.float64]]
) -> dict[str, dict[str, float]]:
    """The scores by query and document name; a hit at minus infinity is dropped."""
    names = list(collection.documents)
    return {
        query: {names[place]: float(score) for place, score in zip(item.places, row, strict=True) if score > -np.inf}
        for query, item, row in zip(collection.queries, asked, scores, strict=True)
    }


def _place(item: Asked, wanted: int) -> int | None:
    seen = np.flatnonzero(item.places == wanted)
    return int(seen[0]) if len(seen) else None
