"""Edits and rewrites of natural sentences."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from onnx_export.generators.edits import edit_pairs
from onnx_export.generators.edits_changes import binding, negation, role, spatial
from onnx_export.generators.edits_rewrites import Rewrite, contract, invert, passive, spell, swap_conjuncts
from onnx_export.generators.tagging import tag, text_of

TEXTS = [
    "A dog is chasing the cat .",
    "The cup is above the plate.",
    "Two men did not see the red car and a blue van .",
]
PARAPHRASES = [("In 1994 the old bank of Ohio failed .", "It was in 1994 that the old bank of Ohio failed .")]


def test_pairs_are_repeatable() -> None:
    assert edit_pairs([], TEXTS, count=20, seed=1) == edit_pairs([], TEXTS, count=20, seed=1) != []


def test_no_side_alone_tells_the_label() -> None:
    rows = edit_pairs(PARAPHRASES, TEXTS, count=20, seed=1)
    for side in ("query", "document"):
        found = Counter((getattr(row, side), row.pairs) for row in rows)
        assert all(count == found[text, 1 - label] for (text, label), count in found.items())


def test_a_sentence_keeps_its_group_in_every_turn() -> None:
    assert len({row.group for row in edit_pairs([], TEXTS[:1], count=20, seed=1)}) == 1


def test_a_paraphrase_takes_the_same_change() -> None:
    rows = edit_pairs(PARAPHRASES, [], count=4, seed=3)
    years = [{word for word in f"{row.query} {row.document}".split() if word.isdigit()} for row in rows]
    assert [len(found) for found in years] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("change", "text", "expected", "remark"),
    [
        (role, "The dog chased the cat .", "The cat chased the dog .", "the capital stays in front"),
        (role, "The car is near the bus.", None, "near is symmetric"),
        (binding, "A red car and a blue van.", "A blue car and a red van.", "colours exchanged"),
        (spatial, "The cup is above the plate.", "The cup is below the plate.", "no blank before the full stop"),
        (negation, "The dog is asleep .", "The dog is not asleep .", "after the auxiliary"),
        (spell, "They saw three dogs .", "They saw 3 dogs .", "word to digits"),
        (contract, "It did not rain.", "It didn't rain.", "contraction"),
        (invert, "The cup is above the plate.", "The plate is below the cup.", "inverse and exchanged"),
        (passive, "A dog is chasing the cat .", "The cat is being chased by a dog .", "active to passive"),
        (swap_conjuncts, "The dog and the cat slept .", "The cat and the dog slept .", "order of conjuncts"),
    ],
)
def test_one_step(change: Rewrite, text: str, expected: str | None, remark: str) -> None:
    made = change(tag(text), Random(0))
    assert (text_of(made) if made else None) == expected, remark
