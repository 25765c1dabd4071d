"""The ONNX graphs: the same numbers as torch, at any batch and length, in full and in the shipped small form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from tiny import tiny_config

from onnx_export.graphs import BLOCK, OPSET, SMALL, ServedVerifier, export_encoder, export_verifier, shrink
from onnx_export.model import Model
from onnx_export.verifiers import KINDS
from plugin_server.bundle import ENCODER, VERIFIER


@pytest.fixture(scope="module")
def model(tiny_base_folder: Path) -> Model:
    torch.manual_seed(4)
    return Model(tiny_config(tiny_base_folder)).eval()


@pytest.fixture(scope="module")
def full(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both graphs in float32, the verifier of its ordinary width."""
    folder = tmp_path_factory.mktemp("full")
    export_encoder(model.encoder, folder / ENCODER)
    export_verifier(KINDS["alignment"](64, layers=1), 64, folder / VERIFIER)
    return folder


@pytest.fixture(scope="module")
def small(full: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both graphs as they are shipped."""
    folder = tmp_path_factory.mktemp("small")
    for name in (ENCODER, VERIFIER):
        shrink(full / name, folder / name)
    return folder


def texts(batch: int, tokens: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Random ids and a mask that leaves out ever more of the end."""
    ids = np.random.default_rng(batch * 100 + tokens).integers(5, 400, (batch, tokens))
    lengths = np.maximum(1, tokens - np.arange(batch))
    return ids, (np.arange(tokens)[None] < lengths[:, None]).astype(np.int64)


def run(path: Path, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> list[NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(str(path))
    found: list[NDArray[np.float32]] = session.run(["recall", "tokens"], {"input_ids": ids, "attention_mask": mask})
    return found


SHAPES = [(1, 1), (1, 8), (2, 8), (5, 3), (3, 40), (1, 256)]


@pytest.mark.parametrize(("batch", "tokens"), SHAPES)
def test_encoder_is_torch(model: Model, full: Path, batch: int, tokens: int) -> None:
    ids, mask = texts(batch, tokens)
    with torch.no_grad():
        oracle = [part.numpy() for part in model.encoder(torch.from_numpy(ids), torch.from_numpy(mask))]
    for found, wanted in zip(run(full / ENCODER, ids, mask), oracle, strict=True):
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).max() < 1e-5
    assert not oracle[1][mask == 0].any(), "rows of padding are zero"


@pytest.mark.parametrize(("batch", "tokens"), SHAPES)
def test_small_encoder_keeps_recall(full: Path, small: Path, batch: int, tokens: int) -> None:
    ids, mask = texts(batch, tokens)
    (wanted, wanted_rows), (found, rows) = run(full / ENCODER, ids, mask), run(small / ENCODER, ids, mask)
    assert (wanted * found).sum(1).min() >= 0.9999
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    assert (wanted_rows * rows).sum(2)[mask == 1].min() > 0.998


def test_recall_is_the_base_models_own(tiny_base_folder: Path, small: Path) -> None:
    from transformers import AutoModel

    base = AutoModel.from_pretrained(str(tiny_base_folder), add_pooling_layer=False).eval()
    ids, mask = texts(4, 30)
    with torch.no_grad():
        hidden = base(torch.from_numpy(ids), torch.from_numpy(mask)).last_hidden_state.numpy()
    mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    assert (run(small / ENCODER, ids, mask)[0] * mean).sum(1).min() >= 0.9999


@pytest.mark.parametrize("name", [ENCODER, VERIFIER])
def test_small_form_is_smaller_and_valid(full: Path, small: Path, name: str) -> None:
    assert (small / name).stat().st_size < 0.8 * (full / name).stat().st_size
    graph = onnx.load(str(small / name))
    onnx.checker.check_model(graph, full_check=True)
    assert graph.opset_import[0].version == OPSET
    large = [t for t in graph.graph.initializer if t.data_type == TensorProto.FLOAT and np.prod(t.dims) >= SMALL]
    assert not large, "no large weight is left in float32"


def test_inputs_and_outputs(small: Path) -> None:
    encoder, verifier = (onnxruntime.InferenceSession(str(small / name)) for name in (ENCODER, VERIFIER))
    assert [(item.name, item.type) for item in encoder.get_inputs()] == [
        ("input_ids", "tensor(int64)"),
        ("attention_mask", "tensor(int64)"),
    ]
    assert [item.name for item in encoder.get_outputs()] == ["recall", "tokens"]
    assert [(item.name, item.type) for item in verifier.get_inputs()] == [
        ("query", "tensor(int8)"),
        ("query_length", "tensor(int64)"),
        ("document", "tensor(int8)"),
        ("document_length", "tensor(int64)"),
    ]
    assert [item.name for item in verifier.get_outputs()] == ["logits", "best"]


def gather_graph(path: Path, values: NDArray[np.float32]) -> Path:
    """A graph that looks rows up in a table."""
    node = onnx.helper.make_node("Gather", ["table", "ids"], ["rows"], axis=0)
    ids = onnx.helper.make_tensor_value_info("ids", TensorProto.INT64, ["b", "t"])
    rows = onnx.helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["b", "t", values.shape[1]])
    graph = onnx.helper.make_graph([node], "table", [ids], [rows], [numpy_helper.from_array(values, "table")])
    opset = [onnx.helper.make_opsetid("", OPSET)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    return path


@pytest.mark.parametrize(
    ("width", "step", "remark"),
    [
        (BLOCK, 0.5 / 127, "int8: half a step of a block's largest number"),
        (4 * BLOCK, 0.5 / 127, "several blocks a row"),
        (BLOCK + 1, 2**-11, "a width that blocks do not fill: float16"),
    ],
)
def test_table_is_rounded_by_block(tmp_path: Path, width: int, step: float, remark: str) -> None:
    random = np.random.default_rng(0)
    values = (random.normal(size=(200, width)) * 10.0 ** random.integers(-3, 3, (200, 1))).astype(np.float32)
    values[7] = 0
    shrink(gather_graph(tmp_path / "full.onnx", values), tmp_path / "small.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "small.onnx"))
    [found] = session.run(["rows"], {"ids": np.arange(200).reshape(20, 10)})
    assert found.shape == (20, 10, width)
    error = np.abs(found.reshape(200, width) - values)
    # the scale itself is a float16, which adds 0.05 % of the number
    assert (error <= np.abs(values).max(1, keepdims=True) * (step + 6e-4) + 1e-6).all(), remark
    assert not found.reshape(200, width)[7].any(), "a row of zeros stays one"


def test_small_tables_stay_as_they_are(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(8, BLOCK)).astype(np.float32)
    shrink(gather_graph(tmp_path / "full.onnx", values), tmp_path / "small.onnx")
    [found] = onnxruntime.InferenceSession(str(tmp_path / "small.onnx")).run(["rows"], {"ids": np.arange(8)[None]})
    assert np.array_equal(found[0], values)


def test_served_verifier_takes_lengths_for_masks(model: Model) -> None:
    random = torch.Generator().manual_seed(1)
    query, document = (torch.randint(-127, 128, (2, rows, 16), generator=random, dtype=torch.int8) for rows in (5, 7))
    lengths = torch.tensor([5, 3]), torch.tensor([7, 2])
    unit = [torch.nn.functional.normalize(rows.float(), dim=-1) for rows in (query, document)]
    masks = [torch.tensor([[1.0] * 5, [1, 1, 1, 0, 0]]), torch.tensor([[1.0] * 7, [1, 1, 0, 0, 0, 0, 0]])]
    with torch.no_grad():
        logits, best = ServedVerifier(model.verifier)(query, lengths[0], document, lengths[1])
        assert torch.allclose(logits, model.verifier(unit[0], masks[0], unit[1], masks[1]), atol=1e-6)
    assert torch.allclose(best[1, :3], (unit[0][1, :3] @ unit[1][1, :2].T).amax(1), atol=1e-6), (
        "padding matches nothing"
    )
