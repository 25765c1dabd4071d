"""The verifier: a pair's score is a function of the pair alone, and torch, ONNX and shipped form agree."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from tiny import tiny_config

from onnx_export.graphs import ServedVerifier, export_verifier, shrink
from onnx_export.model import Model
from plugin_server import Bundle
from plugin_server.blob import TokenMatrix, quantise
from plugin_server.bundle import VERIFIER
from plugin_server.verifier import BATCH_CELLS, Reading, Verifier

Pair = tuple[TokenMatrix, TokenMatrix]
KINDS = ("alignment", "patches")


@pytest.fixture(params=KINDS)
def bundle(request: pytest.FixtureRequest, tiny: Bundle, tiny_patches: Bundle) -> Bundle:
    return {"alignment": tiny, "patches": tiny_patches}[request.param]


def matrix(rows: int, random: np.random.Generator) -> TokenMatrix:
    """A matrix of random directions."""
    return quantise(random.normal(size=(rows, 16)).astype(np.float32), 8)


def pairs_of(seed: int, count: int = 12) -> list[Pair]:
    """Pairs of random lengths, some of them on the border of a bucket."""
    random = np.random.default_rng(seed)
    lengths = [1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 64]
    return [(matrix(random.choice(lengths), random), matrix(random.choice(lengths), random)) for _ in range(count)]


def close(one: Reading, other: Reading) -> bool:
    """Whether two readings are the same but for rounding."""
    return one.logits == pytest.approx(other.logits, abs=1e-5) and one.best == pytest.approx(other.best, abs=1e-5)


def padded(pair: Pair, rows: int, columns: int, batch: int = 1) -> dict[str, NDArray[np.int8] | NDArray[np.int64]]:
    """The graph's inputs for one pair, `batch` times, with so many more rows of padding."""
    query, document = (
        np.repeat(np.pad(part, ((0, more), (0, 0)))[None], batch, axis=0)
        for part, more in zip(pair, (rows, columns), strict=True)
    )
    lengths = [np.full(batch, len(part), np.int64) for part in pair]
    return {"query": query, "query_length": lengths[0], "document": document, "document_length": lengths[1]}


@pytest.mark.parametrize("seed", range(3))
def test_a_pair_is_read_alike_in_any_batch_and_order(bundle: Bundle, seed: int) -> None:
    verifier, pairs, random = Verifier(bundle, 1), pairs_of(seed), Random(seed)
    alone = [verifier.read([pair])[0] for pair in pairs]
    for _ in range(4):
        chosen = random.choices(range(len(pairs)), k=random.randint(2, 40))
        found = verifier.read([pairs[number] for number in chosen])
        assert all(close(reading, alone[number]) for reading, number in zip(found, chosen, strict=True))


def test_no_pair_gives_no_reading(bundle: Bundle) -> None:
    assert Verifier(bundle, 1).read([]) == []


def test_a_batch_of_several_runs_keeps_its_order(bundle: Bundle) -> None:
    verifier, random = Verifier(bundle, 1), np.random.default_rng(0)
    query, documents = matrix(100, random), [matrix(120, random) for _ in range(30)]
    assert 112 * 128 * len(documents) > BATCH_CELLS
    found = verifier.read([(query, document) for document in documents])
    assert all(close(found[n], verifier.read([(query, documents[n])])[0]) for n in (0, 17, 18, 19, 29))


@pytest.mark.parametrize(
    ("rows", "columns", "batch", "remark"),
    [
        (1, 0, 1, "a row of padding"),
        (0, 1, 1, "a column"),
        (3, 5, 1, "a few of both"),
        (16, 16, 1, "a bucket more"),
        (100, 200, 1, "nothing but padding, nearly"),
        (0, 0, 9, "nine times"),
        (7, 13, 5, "padded, five times"),
    ],
)
@pytest.mark.parametrize("lengths", [(1, 1), (3, 4), (4, 3), (16, 16), (17, 30)])
def test_padding_changes_nothing(
    bundle: Bundle, lengths: tuple[int, int], rows: int, columns: int, batch: int, remark: str
) -> None:
    session, random = onnxruntime.InferenceSession(str(bundle.folder / VERIFIER)), np.random.default_rng(1)
    pair = (matrix(lengths[0], random), matrix(lengths[1], random))
    bare_logits, bare_best = session.run(["logits", "best"], padded(pair, 0, 0))
    logits, best = session.run(["logits", "best"], padded(pair, rows, columns, batch))
    assert np.abs(logits - bare_logits).max() < 1e-5, remark
    assert np.abs(best[:, : lengths[0]] - bare_best).max() < 1e-5, remark


@pytest.mark.parametrize("kind", KINDS)
def test_torch_is_onnx_is_shipped(tiny_base_folder: Path, kind: str, tmp_path: Path) -> None:
    torch.manual_seed(3)
    verifier = Model(tiny_config(tiny_base_folder, kind)).eval().verifier
    export_verifier(verifier, 16, tmp_path / "full.onnx")
    shrink(tmp_path / "full.onnx", tmp_path / "small.onnx")
    full, small = (onnxruntime.InferenceSession(str(tmp_path / name)) for name in ("full.onnx", "small.onnx"))
    for pair in pairs_of(4, 20):
        inputs = padded(pair, 0, 0)
        with torch.no_grad():
            oracle = [part.numpy() for part in ServedVerifier(verifier)(*map(torch.from_numpy, inputs.values()))]
        for session, allowed in ((full, 2e-5), (small, 2e-2)):
            logits, best = session.run(["logits", "best"], inputs)
            assert np.abs(logits - oracle[0]).max() < allowed
            assert np.abs(best - oracle[1]).max() < 1e-5


def axis(*numbers: int) -> TokenMatrix:
    """Unit rows along the axes of these numbers; a negative one points the other way."""
    rows = np.zeros((len(numbers), 16), np.int8)
    for row, number in enumerate(numbers):
        rows[row, abs(number) - 1] = 127 if number > 0 else -127
    return rows


def between(one: int, other: int) -> TokenMatrix:
    """A row half-way between two axes: its cosine with either is 0.7071."""
    return quantise((axis(one)[0] / 127.0 + axis(other)[0] / 127.0)[None].astype(np.float32), 8)


@pytest.mark.parametrize(
    ("query", "document", "best", "remark"),
    [
        (axis(1, 2), axis(1, 2), [1, 1], "the same words"),
        (axis(1, 2), axis(2, 1), [1, 1], "in another order"),
        (axis(1, 2), axis(2), [0, 1], "the first word is not there"),
        (axis(1), axis(-1), [-1], "the best of a document may be below 0: padding is no 0"),
        (axis(1), axis(-1, 2, -1), [0], "at a right angle is better than against"),
        (between(1, 2), axis(1, 3), [0.7071], "half-way"),
        (axis(1, 2, 3), np.vstack([axis(4), between(2, 3)]), [0, 0.7071, 0.7071], "two words share a match"),
    ],
)
def test_best_by_hand(
    bundle: Bundle, query: TokenMatrix, document: TokenMatrix, best: list[float], remark: str
) -> None:
    [reading] = Verifier(bundle, 1).read([(query, document)])
    assert reading.best == pytest.approx(best, abs=1e-4), remark
    assert reading.maxsim == pytest.approx(sum(best) / len(best), abs=1e-4)
    assert len(reading.logits) == 2


def test_a_row_counts_by_its_direction(bundle: Bundle) -> None:
    [one, other] = Verifier(bundle, 1).read([(axis(1, 2), axis(2, 3)), (axis(1, 2) // 127 * 3, axis(2, 3) // 127)])
    assert close(one, other)
