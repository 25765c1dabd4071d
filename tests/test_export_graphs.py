"""Graphs in float16, and what TensorRT's parser does not take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from onnx_export.exports.form import REFUSED
from onnx_export.exports.half import halve
from onnx_export.exports.tensorrt import fault_for_tensorrt
from onnx_export.graphs import export_encoder, export_verifier
from onnx_export.quantisation import quantise_branch
from onnx_export.token_encoder import TokenEncoder
from onnx_export.verifiers import Alignment
from plugin_server.bundle import DEFAULT, ENCODER, VERIFIER
from plugin_server.graph import part_of
from plugin_server.session import open_session

IDS = {"input_ids": np.arange(40).reshape(2, 20) + 5, "attention_mask": np.ones((2, 20), np.int64)}


@pytest.fixture(scope="module")
def full(tiny_base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both graphs in float32."""
    folder = tmp_path_factory.mktemp("full")
    encoder = TokenEncoder(tiny_base_folder, 1, 16)
    for tensor in encoder.branch.parameters():
        tensor.data += 0.01  # as training does: export writes equal weights of recall and branch once
    export_encoder(encoder, folder / ENCODER)
    export_verifier(Alignment(16, width=32, layers=1, narrow=16, place=8), 16, folder / VERIFIER)
    return folder


@pytest.fixture(scope="module")
def half(full: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("half")
    halve(full / ENCODER, folder / ENCODER, tail=True)
    halve(full / VERIFIER, folder / VERIFIER, tail=False)
    return folder


@pytest.mark.parametrize("file", [ENCODER, VERIFIER])
def test_weights_are_float16_and_the_graph_is_in_order(file: str, full: Path, half: Path) -> None:
    model = onnx.load(str(half / file))
    onnx.checker.check_model(model, full_check=True)
    wide = [tensor for tensor in model.graph.initializer if np.prod(tensor.dims) > 100]
    assert wide and {tensor.data_type for tensor in wide} == {TensorProto.FLOAT16}
    before, after = (onnxruntime.InferenceSession(str(folder / file)) for folder in (full, half))
    assert [(item.name, item.type) for item in before.get_outputs()] == [
        (item.name, item.type) for item in after.get_outputs()
    ]


def test_lengths_stay_and_nothing_goes_down_and_up_again(full: Path, half: Path) -> None:
    sessions = [open_session(folder / ENCODER) for folder in (full, half)]
    wanted, found = (session.run(["recall", "tokens"], IDS) for session in sessions)
    assert np.abs(np.linalg.norm(found[0], axis=1) - 1).max() < 1e-6
    assert 1e-6 < np.abs(found[1] - wanted[1]).max() < 5e-3, "float16, not float32"
    nodes = onnx.load(str(half / ENCODER)).graph.node
    kinds = {node.output[0]: node.attribute[0].i for node in nodes if node.op_type == "Cast"}
    down = {name for name, kind in kinds.items() if kind == TensorProto.FLOAT16 and name.endswith("_cast_to_fp16")}
    up = [node for node in nodes if node.op_type == "Cast" and node.attribute[0].i == TensorProto.FLOAT]
    assert not [node.name for node in up if node.input[0] in down]


def test_the_part_that_makes_tokens_gives_the_same_rows(half: Path) -> None:
    whole = open_session(half / ENCODER).run(["tokens"], IDS)[0]
    part = open_session(half / ENCODER, raw=part_of((half / ENCODER).read_bytes(), ["tokens"]))
    assert np.array_equal(part.run(["tokens"], IDS)[0], whole)


def test_rounding_the_branch_leaves_recall_alone(full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny base's matrices are smaller than what is worth rounding."""
    assert quantise_branch(full / ENCODER, tmp_path / ENCODER, iter([IDS])) == 0
    assert (tmp_path / ENCODER).read_bytes() == (full / ENCODER).read_bytes()
    monkeypatch.setattr("onnx_export.quantisation.SMALL", 512)
    assert quantise_branch(full / ENCODER, tmp_path / ENCODER, iter([IDS])) > 0
    one, other = (open_session(folder / ENCODER).run(["recall", "tokens"], IDS) for folder in (full, tmp_path))
    assert np.allclose(one[0], other[0], atol=1e-6), "but for the order of sums"
    assert 0 < np.abs(one[1] - other[1]).max() < 0.1


def test_what_tensorrt_does_not_take(full: Path, half: Path, tmp_path: Path) -> None:
    assert [fault_for_tensorrt(folder / file) for folder in (full, half) for file in (ENCODER, VERIFIER)] == [""] * 4
    assert ("shipped", "tensorrt") in REFUSED
    assert "products in whole numbers" in fault_for_tensorrt(DEFAULT / VERIFIER)
    for kind, domain, told in (("NonZero", "", "NonZero"), ("Gelu", "com.microsoft", "com.microsoft")):
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy"]
        graph = helper.make_graph([helper.make_node(kind, ["x"], ["y"], domain=domain)], "g", values[:1], values[1:])
        onnx.save(helper.make_model(graph), str(tmp_path / "one.onnx"))
        assert told in fault_for_tensorrt(tmp_path / "one.onnx")


def test_weights_that_recall_reads_too_are_not_rounded(
    tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before training the branch is a copy of the recall layers, and export writes their matrices once."""
    monkeypatch.setattr("onnx_export.quantisation.SMALL", 512)
    export_encoder(TokenEncoder(tiny_base_folder, 1, 16), tmp_path / ENCODER)
    quantise_branch(tmp_path / ENCODER, tmp_path / "rounded.onnx", iter([IDS]))
    one, other = (open_session(tmp_path / name).run(["recall"], IDS)[0] for name in (ENCODER, "rounded.onnx"))
    assert np.array_equal(one, other)
