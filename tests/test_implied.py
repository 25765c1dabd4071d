"""Pairs whose labels follow from those of other pairs."""

from __future__ import annotations

from itertools import combinations

import pytest

from onnx_export.generators.implied import implied_pairs
from onnx_export.pair import Pair


def row(query: str, document: str, label: int | None, group: str = "1") -> Pair:
    return Pair(query, document, label, label, "role", "own", group)


def made(*rows: Pair, wanted: int = 100) -> dict[str, int | None]:
    """Labels by the two sentences, in alphabetical order."""
    return {"".join(sorted(pair.query + pair.document)): pair.pairs for pair in implied_pairs(rows, wanted, 1)}


@pytest.mark.parametrize(
    ("rows", "expected", "remark"),
    [
        ([row("a", "b", 1), row("b", "c", 1)], {"ac": 1}, "the same as a third"),
        ([row("a", "b", 1), row("c", "b", 0)], {"ac": 0}, "other than one that says the same"),
        ([row("a", "b", 1), row("c", "d", 1), row("d", "a", 0)], {"ac": 0, "bc": 0, "bd": 0}, "of two meanings"),
        ([row("a", "b", 0), row("b", "c", 0)], {}, "two that differ from a third may say the same"),
        ([row("a", "b", 1), row("b", "c", None)], {}, "nothing follows from an unknown label"),
        ([row("a", "b", 1), row("b", "c", 1), row("a", "c", 0)], {}, "a contradiction"),
        ([row("a", "b", 1), row("b", "a", 1)], {}, "the other way round is no other pair"),
    ],
)
def test_what_follows(rows: list[Pair], expected: dict[str, int], remark: str) -> None:
    assert made(*rows) == expected, remark
    assert made(*reversed(rows)) == expected, "in any order"


def test_a_contradiction_spoils_its_own_group_alone() -> None:
    broken = [row("a", "b", 1), row("b", "c", 1), row("a", "c", 0)]
    assert made(*broken, row("d", "e", 1, "2"), row("e", "f", 1, "2")) == {"df": 1}


def test_a_pair_stays_in_its_group() -> None:
    (pair,) = implied_pairs([row("a", "b", 1, "7"), row("b", "c", 1, "7")], 9, 1)
    assert pair == Pair("a", "c", 1, 1, "role", "implied", "7")


def test_a_chain_gives_every_pair_that_is_not_there() -> None:
    chain = [row(one, other, 1) for one, other in zip("abcde", "bcdef", strict=False)]
    assert set(made(*chain)) == {"".join(two) for two in combinations("abcdef", 2)} - {"ab", "bc", "cd", "de", "ef"}
    assert len(made(*chain, wanted=4)) == 4
