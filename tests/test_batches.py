"""Training batches: every row once in order, or drawn by share, the same ones for the same seed."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from onnx_export.base import plain_tokenizer
from onnx_export.batches import Batch, Rows
from onnx_export.errors import BadConfig
from onnx_export.pair import Label, Pair


@pytest.fixture(scope="module")
def tokenizer(tiny_base_folder: Path) -> Tokenizer:
    return plain_tokenizer(tiny_base_folder)


def row(query: str, document: str, pairs: Label, passages: Label, source: str = "a") -> Pair:
    return Pair(query, document, pairs, passages, "general", source, query)


def many(source: str, count: int, start: int = 1) -> list[Pair]:
    """Rows of growing length: the query has one word, the document `start` and more."""
    return [
        row("bus", " ".join(["hill"] * (start + number)), number % 2, number % 2, source) for number in range(count)
    ]


def texts_of(ids: torch.Tensor, mask: torch.Tensor) -> list[tuple[int, ...]]:
    return [tuple(line[kept.bool()].tolist()) for line, kept in zip(ids, mask, strict=True)]


def test_a_batch_by_hand(tokenizer: Tokenizer) -> None:
    rows = Rows([row("the bus", "bus", 1, None), row("bus", "the bus and the bus", 0, 0)], tokenizer)
    batch = rows.batch(np.array([1, 0]))
    assert batch.query_mask.tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert batch.document_mask.tolist() == [[1] * 7, [1, 1, 1, 0, 0, 0, 0]]
    assert texts_of(batch.query, batch.query_mask) == [tuple(tokenizer.encode(t).ids) for t in ("bus", "the bus")]
    assert (batch.query * (1 - batch.query_mask)).sum() == 0, "padded with 0"
    assert batch.labels[0].tolist() == [0, 0]
    assert batch.labels[1, 0] == 1
    assert batch.labels[1, 1].isnan(), "unknown"


def test_exchanged_rows(tokenizer: Tokenizer) -> None:
    rows = Rows([row("the bus", "hill", 1, 1), row("shop", "bread", 0, 0)], tokenizer)
    plain = rows.batch(np.array([0, 1]))
    turned = rows.batch(np.array([0, 1]), np.array([True, False]))
    assert texts_of(turned.query, turned.query_mask)[0] == texts_of(plain.document, plain.document_mask)[0]
    assert texts_of(turned.document, turned.document_mask)[0] == texts_of(plain.query, plain.query_mask)[0]
    assert texts_of(turned.query, turned.query_mask)[1] == texts_of(plain.query, plain.query_mask)[1]


@pytest.mark.parametrize(
    ("labels", "exchangeable", "remark"),
    [
        ([(1, 1), (0, 0)], [True, True], "paraphrases: both profiles agree, in either direction"),
        ([(1, None), (0, 0)], [True, True], "a label that is not known cannot become a wrong one"),
        ([(None, 1), (0, 0)], [False, False], "premises and hypotheses: no true pair holds both ways"),
        ([(0, 1), (1, 1)], [False, True], "the document says more than the query"),
    ],
)
def test_which_rows_may_be_exchanged(
    tokenizer: Tokenizer, labels: list[tuple[Label, Label]], exchangeable: list[bool], remark: str
) -> None:
    rows = Rows([row(str(number), "bus", *both) for number, both in enumerate(labels)], tokenizer)
    assert rows.exchangeable.tolist() == exchangeable, remark


def test_long_texts_are_cut(tokenizer: Tokenizer) -> None:
    rows = Rows([row("bus", "hill " * 500, 1, 1)], tokenizer, window=64)
    assert rows.lengths.tolist() == [[3, 64]]


def test_every_row_once_in_order(tokenizer: Tokenizer) -> None:
    rows = Rows(many("a", 50), tokenizer)
    seen: list[int] = []
    for chosen, batch in rows.in_order(200):
        seen += chosen.tolist()
        assert len(chosen) == len(batch.labels)
        assert len(chosen) * (batch.query.shape[1] + batch.document.shape[1]) <= 200
    assert sorted(seen) == list(range(50))


def test_a_row_longer_than_a_batch_stands_alone(tokenizer: Tokenizer) -> None:
    rows = Rows(many("a", 3, start=100), tokenizer)
    assert [chosen.tolist() for chosen, _ in rows.in_order(50)] == [[0], [1], [2]]


def test_no_rows(tokenizer: Tokenizer) -> None:
    rows = Rows([], tokenizer)
    assert list(rows.in_order(100)) == []
    with pytest.raises(BadConfig, match="none of its sources has a row: a, b"):
        next(rows.drawn({"a": 1.0, "b": 2.0}, 100, 7))


def drawn(rows: Rows, mixture: dict[str, float], count: int, seed: int = 7) -> list[Batch]:
    return list(islice(rows.drawn(mixture, 300, seed), count))


def test_the_same_seed_draws_the_same_batches(tokenizer: Tokenizer) -> None:
    rows = Rows(many("a", 30) + many("b", 30), tokenizer)
    one, same, other = (drawn(rows, {"a": 1, "b": 1}, 30, seed) for seed in (7, 7, 8))
    assert all(
        torch.equal(x.document, y.document) and torch.equal(x.query, y.query) for x, y in zip(one, same, strict=True)
    )
    assert not all(torch.equal(x.document, y.document) for x, y in zip(one, other, strict=True))


def test_shares(tokenizer: Tokenizer) -> None:
    # source by its document: b has many more rows than a, c is not in the mixture, d has a share but no row
    rows = Rows(
        [
            row("bus", "hill", 0, 1, "a"),
            *(row(str(n), "shop", 0, 1, "b") for n in range(50)),
            row("bus", "ten", 0, 1, "c"),
        ],
        tokenizer,
    )
    batches = list(islice(rows.drawn({"a": 3, "b": 1, "d": 9}, 1200, 7), 50))
    counts = Counter(text for batch in batches for text in texts_of(batch.document, batch.document_mask))
    hill, shop, ten = (counts[tuple(tokenizer.encode(text).ids)] for text in ("hill", "shop", "ten"))
    assert ten == 0
    assert hill / (hill + shop) == pytest.approx(0.75, abs=0.03)


def test_drawn_rows_are_exchanged_half_of_the_time(tokenizer: Tokenizer) -> None:
    rows = Rows([row("bus", "shop hill", 1, 1, "a"), row("ten", "shop hill", 0, 1, "b")], tokenizer)
    queries = Counter(
        text for batch in drawn(rows, {"a": 1, "b": 1}, 800) for text in texts_of(batch.query, batch.query_mask)
    )
    bus, turned, ten = (queries[tuple(tokenizer.encode(text).ids)] for text in ("bus", "shop hill", "ten"))
    assert turned / (bus + turned) == pytest.approx(0.5, abs=0.06)
    assert ten / (bus + turned + ten) == pytest.approx(0.5, abs=0.06), "b keeps its direction"


@pytest.mark.parametrize(
    ("labels", "expected", "remark"),
    [
        ((1, 1), [2, -1, 0, 0], "a text in common, on whichever side, but for what may not be exchanged"),
        ((1, 0), [-1, -1, -1, -1], "profiles that disagree keep the direction"),
        ((None, 1), [-1, -1, -1, -1], "and so does what is no paraphrase"),
    ],
)
def test_partners_share_a_text(
    tokenizer: Tokenizer, labels: tuple[int | None, int], expected: list[int], remark: str
) -> None:
    rows = Rows(
        [
            row("bus", "shop", *labels, "a"),
            row("hill", "shop hill", 1, 1, "a"),
            row("ten", "bus", 0, 0, "a"),
            row("shop", "ten hill", 0, 0, "a"),
        ],
        tokenizer,
    )
    assert rows.partners().tolist() == expected, remark


def test_partners_come_along_and_are_exchanged_together(tokenizer: Tokenizer) -> None:
    rows = Rows(
        [
            row("bus", "shop", 1, 1, "a"),
            row("bus", "shop hill", 0, 0, "a"),
            row("ten", "hill hill", 0, 0, "a"),
            row("ten hill", "hill", 1, 1, "b"),
        ],
        tokenizer,
    )
    assert rows.partners().tolist() == [1, 0, -1, -1]
    directions = set()
    for batch in islice(rows.drawn({"a": 1}, 2000, 3, partners=True), 40):
        sides = torch.stack([batch.query_texts, batch.document_texts], dim=1)
        bus = sides[(sides == rows.sides[0, 0]).any(1)]
        found = frozenset(int(column) for column in (bus == rows.sides[0, 0]).nonzero()[:, 1])
        assert len(found) <= 1, "one direction a batch"
        directions |= found
    assert directions == {0, 1}
    whole = next(rows.drawn({"a": 1}, 10**6, 3, partners=True, exchange=False))
    true, false = (int((whole.labels[whole.query_texts == rows.sides[0, 0], 0] == label).sum()) for label in (1, 0))
    assert true == false, "each with its partner"
