"""The verifier in whole numbers: close to float32, independent of the batch, in standard operators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from onnx_export.graphs import export_verifier, shrink
from onnx_export.quantisation import WIDE, quantise_verifier
from onnx_export.verifiers import KINDS
from plugin_server.verifier import Inputs, MatrixPair, batches


def pairs(seed: int, count: int) -> list[MatrixPair]:
    """Random rows of 4 bits, queries of up to 20 tokens and documents of up to 60, each with words of the query."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        query = random.integers(1, 8, (random.integers(3, 20), 64)) * random.choice((-1, 1), (64,))
        document = random.integers(1, 8, (random.integers(3, 60), 64)) * random.choice((-1, 1), (64,))
        document[:2] = query[:2]
        made.append((query.astype(np.int8), document.astype(np.int8)))
    return made


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, int]:
    """The verifier of its ordinary shape in float32 and in whole numbers, and how many products were rounded."""
    folder = tmp_path_factory.mktemp("graphs")
    torch.manual_seed(5)
    export_verifier(KINDS["alignment"](64), 64, folder / "full.onnx")
    count = quantise_verifier(folder / "full.onnx", folder / "rounded.onnx", batches(pairs(1, 60), 16))
    shrink(folder / "rounded.onnx", folder / "small.onnx")
    return folder / "full.onnx", folder / "small.onnx", count


def logits(path: Path, inputs: Inputs) -> NDArray[np.float32]:
    found: NDArray[np.float32] = onnxruntime.InferenceSession(str(path)).run(["logits"], inputs)[0]
    return found


def test_close_to_float(graphs: tuple[Path, Path, int]) -> None:
    full, small, count = graphs
    assert count == 13, "words in, and of each layer two products of either attention and of the feed-forward step"
    wanted, found = (
        np.concatenate([logits(path, part) for part in batches(pairs(2, 40), 8)]) for path in (full, small)
    )
    assert 0 < np.abs(wanted - found).max() < 0.1 * wanted.std(axis=0).max()


def test_a_pair_reads_the_same_in_any_batch(graphs: tuple[Path, Path, int]) -> None:
    _, small, _ = graphs
    [together] = batches([pairs(3, 1)[0]] * 7, 7)
    alone = {name: values[:1] for name, values in together.items()}
    assert (logits(small, together) == logits(small, alone)).all()


def test_standard_operators_and_whole_weights(graphs: tuple[Path, Path, int]) -> None:
    full, small, count = graphs
    found = onnx.load(str(small))
    assert all(node.domain in ("", "ai.onnx") for node in found.graph.node)
    whole = [tensor for tensor in found.graph.initializer if tensor.data_type == onnx.TensorProto.INT8 and tensor.dims]
    wide = [onnx.numpy_helper.to_array(tensor) for tensor in whole if np.prod(tensor.dims) >= WIDE]
    assert len(wide) == count
    assert max(np.abs(weight).max() for weight in wide) <= 64, "7 bits: sums of two products fit 16 bits"
    assert small.stat().st_size < full.stat().st_size / 2.5


def test_nothing_wide(tmp_path: Path) -> None:
    verifier = KINDS["alignment"](16, width=32, narrow=16, place=8, layers=1, hidden=64)
    export_verifier(verifier, 16, tmp_path / "full.onnx")
    assert quantise_verifier(tmp_path / "full.onnx", tmp_path / "same.onnx", []) == 0
    assert (tmp_path / "same.onnx").read_bytes() == (tmp_path / "full.onnx").read_bytes()
