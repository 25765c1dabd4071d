"""The grammar's pairs: the same for a seed, balanced, and a near-miss in the forms of the truth."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from onnx_export.generators.frames import Meaning, all_frames, answers, draw, near_miss, read_block
from onnx_export.generators.grammar import grammar_pairs

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


@pytest.mark.parametrize(
    ("head", "exchange", "question", "expected", "remark"),
    [
        ("role past a:person b:person", "a<>b", "who saw {b}", False, "another was seen"),
        ("role past a:person b:person", "a~", "who saw {b}", True, "somebody else, but an answer"),
        ("role past a:person b:person", "b~", "who saw {b}", False, "somebody else was seen"),
        ("binding past a:person x:mood &", "x<>y", "who was {x}", True, "somebody was, either way"),
        ("comparative past a:person d:adj_person", "d!", "which is {d.more}, {a} or {b}", True, "a choice is made"),
        ("number past n:count t:countable", "n~", "how many {t}", True, "another number"),
        ("cause past a:clause", "@", "why {a.yes}", False, "the other part gives no reason"),
    ],
)
def test_a_near_miss_may_answer(head: str, exchange: str, question: str, expected: bool, remark: str) -> None:
    frame = read_block(f"{head}\nit rained")
    assert answers(question, Meaning(frame, 0, {}, exchange)) is expected, remark


def test_questions_have_as_many_true_as_false_passages() -> None:
    asked = Counter(row.passages for row in ROWS if row.query.endswith("?"))
    assert asked[0] > 100
    assert asked[0] == pytest.approx(asked[1], rel=0.1)
