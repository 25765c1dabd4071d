"""Models read back from the graphs of real bundles."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from test_train import MIXTURE, Told, config_of, tensors
from tiny import tiny_bundle

from onnx_export.checkpoint import load_checkpoint, write_state
from onnx_export.convert import convert
from onnx_export.errors import BadCheckpoint
from onnx_export.restore import carried_on, restored
from onnx_export.train import fit
from plugin_server.bundle import VERIFIER, Bundle
from plugin_server.bundle_file import sha256


@pytest.fixture(scope="module", params=["alignment", "patches"])
def made(request: pytest.FixtureRequest, tiny_base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of ten steps, with a bundle beside its checkpoint."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    convert(fit(config_of(tiny_base_folder, request.param, steps=10), MIXTURE, folder, Told()), folder / "bundle")
    return folder


def test_weights_come_back(made: Path) -> None:
    """Every trained tensor, as near as the graphs' int8 and float16 are."""
    model, state = restored(Bundle.open(made / "bundle"))
    wanted = tensors(made / "checkpoint.pt")
    assert set(wanted) == set(state["trained"]) == set(model.trained())
    for name, tensor in wanted.items():
        step = float(tensor.abs().max()) / 60  # products in whole numbers have weights of 7 bits
        assert torch.allclose(model.state_dict()[name], tensor, atol=step), name
    assert state["step"] == 10


def test_training_goes_on(made: Path, tiny_base_folder: Path, tmp_path: Path) -> None:
    config = load_checkpoint(made / "checkpoint.pt")[0].config
    config = replace(config, training=replace(config.training, steps=30))
    write_state(tmp_path / "checkpoint.pt", carried_on(made / "bundle", config))
    told = Told()
    path = fit(config, MIXTURE, tmp_path, told)
    assert told.steps == [20]
    assert [part["until"] for part in load_checkpoint(path)[1]["before"]] == [10]


def test_the_packaged_bundle_comes_back() -> None:
    model, state = restored(Bundle.open())
    assert state["step"] > 0
    assert {"encoder.projection.weight", "verifier.sharpness"} <= set(model.trained())


def test_a_bundle_that_does_not_tell_how_it_was_made(tiny_base_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="manifest does not tell how it was trained"):
        restored(tiny_bundle(tiny_base_folder, tmp_path))


def altered(bundle: Bundle, change: onnx.ModelProto) -> Bundle:
    """The bundle with another verifier, its checksum made right."""
    onnx.save(change, str(bundle.folder / VERIFIER))
    manifest = bundle.manifest
    manifest = replace(manifest, files=manifest.files | {VERIFIER: sha256(bundle.folder / VERIFIER)})
    manifest.write(bundle.folder)
    return Bundle.open(bundle.folder)


def test_graphs_of_another_make_are_refused(tiny_base_folder: Path, tmp_path: Path) -> None:
    """A weight that is not where it is looked for is told by name; one that stands for another, by what comes out."""
    path = fit(config_of(tiny_base_folder, steps=2), MIXTURE, tmp_path, Told())
    bundle = convert(path, tmp_path / "bundle")
    graph = onnx.load(str(bundle.folder / VERIFIER))

    for node in graph.graph.node:
        node.input[:] = [name.replace("verifier.head.1.bias", "other") for name in node.input]
    for tensor in graph.graph.initializer:
        tensor.name = tensor.name.replace("verifier.head.1.bias", "other")
    with pytest.raises(BadCheckpoint, match=r"its graphs hold no verifier\.head\.1\.bias of shape \[2\]"):
        restored(altered(bundle, graph))

    bias = numpy_helper.from_array(np.array([9.0, 9.0], np.float32), "verifier.head.1.bias")
    graph.graph.initializer.append(bias)  # used by nothing
    with pytest.raises(BadCheckpoint, match="other numbers than its graphs"):
        restored(altered(bundle, graph))
    assert json.loads((bundle.folder / "bundle.json").read_text())["verifier"] == "alignment"
