"""The grammar's pairs: the same for a seed, balanced, and a near-miss in the forms of the truth."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from onnx_export.frames import Meaning, all_frames, draw, near_miss, read_block
from onnx_export.grammar import grammar_pairs

ROWS = grammar_pairs(6000, seed=3)


def test_the_same_seed_gives_the_same_pairs() -> None:
    assert grammar_pairs(500, seed=3) == ROWS[:500]
    assert grammar_pairs(500, seed=4) != ROWS[:500]


def test_every_category_is_balanced() -> None:
    found = Counter((row.category, row.passages) for row in ROWS)
    assert all(abs(found[name, 0] - found[name, 1]) <= 0.04 * found[name, 1] for name in all_frames())


def test_length_says_nothing_of_the_label() -> None:
    mean = [sum(len(r.document.split()) for r in ROWS if r.passages == k) / (len(ROWS) / 2) for k in (0, 1)]
    assert mean[0] == pytest.approx(mean[1], rel=0.02)


def test_equal_texts_are_rare() -> None:
    assert sum(row.query == row.document for row in ROWS) < 0.02 * len(ROWS)


def test_every_form_and_question_of_every_frame_can_be_said() -> None:
    for frame in (frame for frames in all_frames().values() for frame in frames):
        truth = draw(frame, Random(1))
        for meaning in (truth, near_miss(truth, Random(2))):
            assert all(meaning.say(form, Random(0)) for form in (*meaning.forms, *frame.questions))


@pytest.mark.parametrize(
    ("block", "values", "missed", "remark"),
    [
        ("role past a:person b:person a<>b\n{a} saw {b}", {"a": "Ann", "b": "Bo"}, "Bo saw Ann", "roles exchanged"),
        ("x past a:day @\nit is {a}\n==\nit is not {a}", {"a": "Friday"}, "it is not Friday", "the other part"),
    ],
)
def test_near_miss(block: str, values: dict[str, str], missed: str, remark: str) -> None:
    other = near_miss(Meaning(read_block(block), 0, dict(values)), Random(0))
    assert other.say(other.forms[0], Random(0)) == missed, remark
