"""The pairs written by hand: every square is whole, and none is in a set that is reported."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from onnx_export.evaluation.metrics import auroc
from onnx_export.evaluation.pairs import read_triples
from onnx_export.generators.written import KINDS, squares, written_pairs
from onnx_export.sources import drop_overlap

CATEGORIES = {
    *("role", "binding", "spatial", "temporal", "negation", "number", "quantifier"),
    *("comparative", "antonym", "entity", "question"),
}


def test_squares_are_whole_and_none_is_there_twice() -> None:
    texts: Counter[str] = Counter()
    for square in squares():
        assert square.kind in KINDS
        assert square.category in CATEGORIES
        four = (square.a, square.a2, square.b, square.b2)
        assert all(text == text.strip() and text for text in four), square
        texts.update(text.lower() for text in four)
    assert [text for text, count in texts.items() if count > 1] == []


def test_both_labels_have_the_same_texts_on_either_side() -> None:
    rows = [row for row in written_pairs() if row.passages is not None or row.pairs is not None]
    crossed = [row for square in squares() for row in square.pairs("0")[:4]]
    assert len(rows) > len(crossed) >= 4
    for side in ("query", "document"):
        true, false = (
            Counter(getattr(row, side) for row in crossed if 1 - label in (row.pairs, row.passages)) for label in (0, 1)
        )
        assert true == false


def test_words_in_common_do_not_tell_the_label() -> None:
    def alike(left: str, right: str) -> float:
        a, b = (set(text.lower().strip(".?!").split()) for text in (left, right))
        return len(a & b) / len(a | b)

    for kind in KINDS:
        crossed = [row for s in squares() if s.kind == kind for row in s.pairs("0")[:4]]
        labels = [1 in (row.pairs, row.passages) for row in crossed]
        assert 0.4 < auroc(labels, [alike(row.query, row.document) for row in crossed]) < 0.6, kind
    rows = [row for s in squares() if s.kind != "searches" for row in s.pairs("0")]
    assert 0.4 < auroc([row.pairs for row in rows], [alike(row.query, row.document) for row in rows]) < 0.6, (
        "nor with the sides that only look alike"
    )


def test_no_own_triple_is_among_them() -> None:
    triples = read_triples(Path(__file__).parent / "data" / "triples.jsonl")
    _, removed = drop_overlap(written_pairs(), triples)
    assert removed == {}
