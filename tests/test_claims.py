"""Claims and the passages that hold them, or only a near-miss of them."""

from __future__ import annotations

import pytest

from onnx_export.generators.claims import (
    LONGEST,
    PASSAGE_WORDS,
    SHORTEST,
    SOURCE,
    claim_pairs,
    claims_in,
    hidden_pairs,
    paragraph_claims,
)
from onnx_export.pair import Label, Pair

PARAGRAPHS = [
    "The old library stands in the north of the town. The nurse thanked the driver before the meeting began. "
    "It was built in 1902 by three brothers from Dijon.",
    "The red boat left the harbour before the storm. The small dog chased a black cat through the garden. "
    "Nobody saw the captain after the second trip.",
    "A tall man opened the heavy door at noon. The teacher praised the young student in front of the class. "
    "The museum is larger than the theatre beside it.",
]


def row(number: int, pairs: Label, passages: Label, source: str = "snli", category: str = "general") -> Pair:
    return Pair(
        f"Query {number} asks.", f"Document number {number} of {source}", pairs, passages, category, source, str(number)
    )


ROWS = [row(number, number % 2, number % 2) for number in range(40)] + [row(n, None, 1, "scone") for n in range(10)]


@pytest.mark.parametrize(
    ("paragraph", "claims", "remark"),
    [
        ("The library is open on Sundays from nine.", ["The library is open on Sundays from nine."], "one sentence"),
        ("Too short a one.", [], "fewer words than a claim has"),
        (" ".join(["word"] * (LONGEST + 1)) + ".", [], "more words"),
        (" ".join(["word"] * LONGEST) + ".", [" ".join(["word"] * LONGEST) + "."], "just as many"),
        ("Is the library open on Sundays from nine?", [], "a question claims nothing"),
        ("The library is open on Sundays from nine", [], "no end"),
        ("", [], "nothing"),
        (
            "The bus to Dijon left at ten. “The driver was late again,” she said.",
            ["The bus to Dijon left at ten.", "“The driver was late again,” she said."],
            "a quotation begins a sentence",
        ),
    ],
)
def test_claims_in(paragraph: str, claims: list[str], remark: str) -> None:
    assert claims_in(paragraph) == claims, remark


def test_claims_of_paragraphs() -> None:
    made = paragraph_claims(PARAGRAPHS, 40, seed=1)
    assert {pair.passages for pair in made} == {0, 1}, "both labels"
    for pair in made:
        assert pair.document in PARAGRAPHS
        assert pair.group == pair.document, "a paragraph never parts between training and held-out rows"
        assert pair.source == SOURCE
        assert len(pair.query.split()) >= SHORTEST - 2
        assert pair.pairs == (0 if pair.passages == 0 else None), "a claim never says all that a passage says"
        if pair.passages == 0:
            assert pair.query not in pair.document, "a near-miss does not stand in the passage"


def test_hidden_rows() -> None:
    by_query = {(pair.query, pair.source): pair for pair in ROWS}
    made = hidden_pairs(ROWS, 30, seed=1)
    assert len(made) == 30
    for pair in made:
        source, _, group = pair.group.partition("/")
        original = by_query[pair.query, source]
        assert original.group == group
        assert original.document in pair.document, "the document is still there"
        assert pair.passages == original.passages, "the label stays"
        assert pair.pairs == (0 if pair.passages == 0 else None)
        others = {name for name in ("snli", "scone") if f"of {name}" in pair.document}
        assert others == {source}, "hidden among documents of its own source"
        assert len(pair.document.split()) <= PASSAGE_WORDS
        assert pair.document.endswith(".")


def test_half_of_each_kind() -> None:
    retrieval = [Pair("?", text, None, 1, "retrieval", "squadshifts", text) for text in PARAGRAPHS]
    made = claim_pairs([*ROWS, *retrieval, row(99, 1, None, "unknown")], 40, seed=1)
    hidden = [pair for pair in made if "/" in pair.group]
    assert len(hidden) == 20
    assert not any(pair.group.startswith(("unknown/", "squadshifts/")) for pair in hidden), (
        "only rows whose label is known"
    )
    assert all(pair.document in PARAGRAPHS for pair in made if pair not in hidden)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_makes_the_same_rows(seed: int) -> None:
    retrieval = [Pair("?", text, None, 1, "retrieval", "squadshifts", text) for text in PARAGRAPHS]
    assert claim_pairs(ROWS + retrieval, 30, seed) == claim_pairs(ROWS + retrieval, 30, seed)
    assert claim_pairs(ROWS + retrieval, 30, seed) != claim_pairs(ROWS + retrieval, 30, seed + 1)


def test_nothing_from_nothing() -> None:
    assert claim_pairs([], 10, 1) == []
    assert claim_pairs(ROWS, 0, 1) == []
