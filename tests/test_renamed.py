"""Copies of labelled pairs under other names: both sides alike, or the label would be wrong."""

from __future__ import annotations

import pytest

from onnx_export.generators.renamed import renamed_pairs
from onnx_export.pair import Pair

OTHERS = [
    Pair("Ann met Bob in Lima .", "Bob was met by Ann in Lima .", 1, 1, "role", "own", "2"),
    Pair("Tom and Eve left Cairo .", "Eve and Tom left Cairo .", 1, 1, "role", "own", "3"),
]


def copies(query: str, document: str, seed: int = 1) -> list[Pair]:
    row = Pair(query, document, 0, 0, "role", "own", "1")
    return [made for made in renamed_pairs([row, *OTHERS], 30, seed) if made.group == "1"]


def test_a_name_is_the_same_other_one_on_both_sides() -> None:
    made = copies("Paul sold Rosa a boat .", "Rosa sold Paul a boat .")
    assert made
    for row in made:
        seller, _, buyer, *_ = row.query.split()
        assert row.document == f"{buyer} sold {seller} a boat ."
        assert {seller, buyer}.isdisjoint({"Paul", "Rosa"})
        assert (row.pairs, row.passages, row.category, row.source) == (0, 0, "role", "renamed")


@pytest.mark.parametrize(("query", "document"), [
    ("The lake lies in North Wales .", "The lake lies in the north of Wales ."),
    ("The lake lies in the north of Wales .", "The lake lies in North Wales ."),
])  # fmt: skip
def test_a_name_that_is_written_small_on_one_side_stays(query: str, document: str) -> None:
    made = copies(query, document)
    assert made
    for row in made:
        assert "north" in row.query.lower() and "north" in row.document.lower()
        (one,) = {word for word in row.query.split() if word[0].isupper()} - {"The", "North"}
        assert one != "Wales" and one in row.document.split()


def test_years_move_together() -> None:
    made = copies("Paul was born in 1900 , Rosa in 1910 .", "Rosa was born in 1900 , Paul in 1910 .")
    assert made
    for row in made:
        first, second = (int(word) for word in row.query.split() if word.isdigit())
        assert second - first == 10 and first != 1900
        assert [int(word) for word in row.document.split() if word.isdigit()] == [first, second]


def test_none_are_wanted_and_none_can_be_made() -> None:
    assert renamed_pairs(OTHERS, 0, 1) == []
    assert renamed_pairs([Pair("a red car", "a blue car", 0, 0, "binding", "own", "1")], 5, 1) == []
    assert renamed_pairs(OTHERS, 4, 3) == renamed_pairs(OTHERS, 4, 3)


def test_rows_of_a_group_are_copied_together() -> None:
    texts = (
        "Paul sold Rosa a boat in 1990 .",
        "Rosa bought a boat from Paul in 1990 .",
        "Rosa sold Paul a boat in 1990 .",
    )
    group = [Pair(texts[0], texts[n], label, label, "role", "own", "1") for n, label in ((1, 1), (2, 0))]
    made = renamed_pairs([*group, *OTHERS], 30, 1)
    true = [row.query for row in made if row.group == "1" and row.pairs == 1]
    false = [row.query for row in made if row.group == "1" and row.pairs == 0]
    assert true and true == false, "one text, one copy"
    assert len(set(true)) > 1, "and other names the next time"


def test_a_name_that_another_row_of_the_group_writes_small_stays() -> None:
    row = Pair("Paul lives in North Wales .", "In North Wales lives Paul .", 1, 1, "role", "own", "1")
    small = Pair("Paul lives in North Wales .", "Paul lives in the north of Wales .", 1, 1, "role", "own", "1")
    made = [copy for copy in renamed_pairs([row, small, *OTHERS], 30, 1) if copy.group == "1"]
    assert made
    assert all("North" in copy.query.split() for copy in made)
