"""Pairs written by hand: two texts of one meaning, and two of another in nearly the same words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from onnx_export.pair import Pair

#: Squares, one a line.
WRITTEN = Path(__file__).parent / "written.jsonl"
#: What the texts of a square are: statements count under both profiles; questions, among themselves, under ``pairs``
#: alone; a query and the passage that satisfies it under ``passages``.
STATEMENTS, QUESTIONS, SEARCHES = KINDS = ("statements", "questions", "searches")


@dataclass(frozen=True, slots=True)
class Square:
    """Four texts: `a` and `a2` go together, and so do `b` and `b2`; `a` and `b` share words but not their meaning.

    Attributes:
        kind: one of `KINDS`.
        category: what `a` and `b` differ in.
        domain: what the texts are about.
    """

    kind: str
    category: str
    domain: str
    a: str
    a2: str
    b: str
    b2: str

    def pairs(self, group: str) -> list[Pair]:
        """Two true pairs and the two false ones that cross them, then the two sides that only look alike.

        Example:
            >>> texts = "trails for dogs", "Dogs may come.", "trails without dogs", "No dogs."
            >>> rows = Square("searches", "negation", "trails", *texts).pairs("g")
            >>> [(row.document, row.pairs, row.passages) for row in rows if row.query == "trails for dogs"]
            [('Dogs may come.', None, 1), ('No dogs.', None, 0), ('trails without dogs', 0, None)]
        """
        crossed = [(self.a, self.a2, 1), (self.b, self.b2, 1), (self.a, self.b2, 0), (self.b, self.a2, 0)]
        rows = [self._row(query, document, label, group) for query, document, label in crossed]
        if self.kind == SEARCHES:
            return [*rows, Pair(self.a, self.b, 0, None, self.category, "written", group)]
        return [*rows, self._row(self.a, self.b, 0, group), self._row(self.a2, self.b2, 0, group)]

    def _row(self, query: str, document: str, label: int, group: str) -> Pair:
        pairs = None if self.kind == SEARCHES else label
        passages = None if self.kind == QUESTIONS else label
        return Pair(query, document, pairs, passages, self.category, "written", group)


def squares(path: Path = WRITTEN) -> list[Square]:
    """Every square that was written."""
    return [Square(**json.loads(line)) for line in path.read_text(encoding="utf-8").split("\n") if line]


def written_pairs(most: int = 0) -> list[Pair]:
    """Every pair of the first `most` squares, of all for 0; a square is a group."""
    return [row for number, square in enumerate(squares()[: most or None]) for row in square.pairs(str(number))]
