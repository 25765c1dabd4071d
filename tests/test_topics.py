"""Topical queries and the passages about them."""

from __future__ import annotations

from random import Random

import pytest

from onnx_export.generators.tagging import tag
from onnx_export.generators.topics import (
    LEFT,
    LONGEST,
    ONE,
    SOURCE,
    TWO,
    condensed,
    phrase,
    phrased,
    taken_out,
    topic_pairs,
)
from onnx_export.pair import Pair

BOAT = "The red boat left the harbour before the storm and reached the lighthouse at noon."
PARAGRAPHS = [
    f"{BOAT} The captain of the boat had warned the crew of the storm in the morning. The harbour was closed for "
    "three days, and the old lighthouse lost its lamp.",
    "The old library stands in the north of the town beside the market hall. The reading room of the library holds "
    "four thousand maps of the old harbour. Three brothers from Dijon paid for the roof after the storm of 1902.",
    "Nurses in the children's ward wash their hands before every visit. The hospital measured fewer infections after "
    "the rule was written on the door of the ward. Visitors read the same rule on a board in the hall beside the lamp.",
    "A turbine turns the wind into electricity through a generator behind the rotor. The gearbox between rotor and "
    "generator needs oil twice a year. A storm stops the rotor before the blades hit the roof of the gearbox.",
]
ROWS = [
    *(Pair("?", text, None, 1, "retrieval", "qed_nq", f"qed_nq:{number}") for number, text in enumerate(PARAGRAPHS)),
    Pair("A boat.", "The boat.", 1, 1, "general", "snli", "1"),
]


def test_a_true_and_a_false_row_of_each_query() -> None:
    made = topic_pairs(ROWS, 60, seed=1)
    assert len(made) == 60
    for true, false in zip(made[::2], made[1::2], strict=True):
        assert true.query == false.query
        assert (true.pairs, true.passages, false.pairs, false.passages) == (None, 1, 0, 0)
        assert true.group == false.group, "a paragraph never parts between training and held-out rows"
        assert true.group in PARAGRAPHS
        assert false.document != true.group
        assert {true.source, false.source} == {SOURCE}
        assert {true.category, false.category} == {"topic"}
        assert max(len(row.document.split()) for row in (true, false)) <= LONGEST


def test_every_way_of_asking_occurs() -> None:
    made = topic_pairs(ROWS, 400, seed=2)[::2]
    assert any(row.query not in row.group and row.query[-1] != "." for row in made), "phrases"
    assert any(row.query in row.group and row.query not in row.document for row in made), "a sentence taken out"
    assert any(row.query not in row.group and row.query[-1] == "." for row in made), "a condensed one"
    assert any(len(row.document) > len(row.group) for row in made), "a longer document"


def test_taken_out() -> None:
    found = {taken_out(PARAGRAPHS[0], Random(seed)) for seed in range(20)}
    assert len(found) == 3, "any of the three sentences"
    for made in found:
        assert made
        sentence, rest = made
        assert sentence not in rest
        assert sorted(f"{sentence} {rest}".split()) == sorted(PARAGRAPHS[0].split()), "nothing else is lost"
        assert len(rest.split()) >= LEFT
    assert taken_out(BOAT, Random(1)) is None, "nothing would be left"
    assert taken_out("", Random(1)) is None


@pytest.mark.parametrize(
    ("sentence", "clause", "remark"),
    [
        (BOAT, "The boat left the harbour before the storm and reached the lighthouse at noon.", "no adjective"),
        ("The crew quickly left the old ship, which sank at noon.", "The crew left the ship.", "main clause"),
        (
            "The crew never left the ship in the harbour.",
            "The crew never left the ship in the harbour.",
            "a telling adverb",
        ),
        ("The crew (three men and a boy) left the ship.", "The crew left the ship.", "no brackets"),
        ("The crew left no.", None, "too short a sentence to begin with"),
        ("The old grey wooden ship sank slowly.", None, "too few words are left"),
        ("", None, "nothing"),
    ],
)
def test_condensed(sentence: str, clause: str | None, remark: str) -> None:
    made = condensed(sentence, Random(1))
    assert made == (None if clause is None else (clause, sentence)), remark


def test_phrased() -> None:
    queries = {made[0] for seed in range(200) if (made := phrased(PARAGRAPHS[1], Random(seed)))}
    assert len(queries) > 30
    assert any("old library" in query for query in queries)
    assert not any("{" in query for query in queries)
    assert phrased("It rained.", Random(1)) is None, "no noun phrase"


@pytest.mark.parametrize(
    ("text", "found"), [("The Old mill", "old mill"), ("NASA", "NASA"), ("Oslo", "Oslo"), ("their Boat", "boat")]
)
def test_phrase(text: str, found: str) -> None:
    assert phrase(tag(text)) == found


def test_forms() -> None:
    assert all(form.count("{x}") == 1 and "{y}" not in form for form in ONE)
    assert all(form.count("{x}") == form.count("{y}") == 1 for form in TWO)


def test_the_same_seed_makes_the_same_rows() -> None:
    assert topic_pairs(ROWS, 20, 1) == topic_pairs(ROWS, 20, 1)
    assert topic_pairs(ROWS, 20, 1) != topic_pairs(ROWS, 20, 2)


def test_nothing_from_nothing() -> None:
    assert topic_pairs([], 10, 1) == []
    assert topic_pairs(ROWS, 1, 1) == [], "not even one query"
    assert topic_pairs(ROWS[:1], 10, 1) == [], "no other paragraph"
