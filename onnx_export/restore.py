"""What a run goes on from: an earlier run's checkpoint, or a bundle, whose weights are read back from its graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import Tensor

from onnx_export.checkpoint import build, config_of, load_checkpoint
from onnx_export.config import Config
from onnx_export.errors import BadCheckpoint, BadConfig
from onnx_export.model import Model
from onnx_export.parity import parity
from plugin_server.bundle import ENCODER, VERIFIER, Bundle

#: What numbers of a token row, and logits, of a model that was read back may differ by from those of its graphs.
ROWS, LOGITS = 0.02, 1.0


def carried_on(earlier: Path, config: Config) -> dict[str, Any]:
    """The entries of a checkpoint to go on from with other rows or another schedule.

    Args:
        earlier: another run's checkpoint, or the folder of a bundle, whose weights are `restored`.
        config: of the run that goes on.

    Raises:
        BadCheckpoint: the earlier encoder or verifier is another one, or has had as many steps; as `restored`.
        BundleError: the folder holds no bundle that can be loaded.
    """
    _, state = restored(Bundle.open(earlier)) if earlier.is_dir() else load_checkpoint(earlier)
    wanted = config.plain()
    for part in ("encoder", "verifier"):
        before = state["config"][part]
        if before != wanted[part]:
            raise BadCheckpoint(f"{earlier}: [{part}] is {before} and has to stay so, not {wanted[part]}")
    if config.training.steps <= state["step"]:
        raise BadCheckpoint(
            f"{earlier}: has had {state['step']} steps: give [training] steps, which counts them, a higher number "
            f"than {config.training.steps}"
        )
    steps = [*state.get("before", ()), {"until": state["step"], "config": state["config"]}]
    return state | {"config": wanted, "before": steps}


def restored(bundle: Bundle) -> tuple[Model, dict[str, Any]]:
    """The model of a bundle, its weights rounded as the graphs hold them, and entries like those of its checkpoint.

    A graph names vectors, and the few matrices that it does not transpose, as torch does; the other matrices stand
    behind a product that is named by its module's path. Rounding moved logits by 0.15 at most for the packaged bundle;
    a few steps of training take that back.

    Raises:
        BadCheckpoint: the manifest does not tell how the model was made, or a trained tensor is not in the graphs.

    Example:
        >>> model, state = restored(Bundle.open())
        >>> model.verifier.linear.weight.shape, state["step"] > 0
        (torch.Size([2, 4]), True)
    """
    training = bundle.manifest.training
    try:
        config, steps = config_of(training["config"]), int(training["steps"])
        model = build(config)
    except (KeyError, TypeError, BadConfig) as error:
        raise BadCheckpoint(f"{bundle.folder}: its manifest does not tell how it was trained: {error!r}") from error
    if not isinstance(model, Model):
        raise BadCheckpoint(f"{bundle.folder}: kind {config.verifier.kind!r} has no graphs to read back")
    found: dict[str, Tensor] = {}
    for part, file in (("encoder", ENCODER), ("", VERIFIER)):
        found |= _tensors(bundle.folder / file, part)
    wanted = model.trained()
    for name, tensor in wanted.items():
        if name not in found or found[name].shape != tensor.shape:
            raise BadCheckpoint(f"{bundle.folder}: its graphs hold no {name} of shape {[*tensor.shape]}")
    chosen = {name: found[name] for name in wanted}
    model.load_state_dict(chosen, strict=False)
    state = {"config": training["config"], "step": steps, "trained": chosen, "before": training.get("before", [])}
    gaps = parity(model.eval(), bundle.folder, bundle.folder, bundle.manifest.token_bits)
    if gaps["shipped_token_rows"] > ROWS or gaps["shipped_logits"] > LOGITS:
        raise BadCheckpoint(f"{bundle.folder}: what was read back gives other numbers than its graphs: {gaps}")
    return model, state


def _tensors(path: Path, part: str) -> dict[str, Tensor]:
    """The weights of a graph by the names that torch has for them, those of the module `part` in front."""
    graph = onnx.load(str(path)).graph
    constants = _constants(graph)
    found = {name: value for name, value in constants.items() if not name.startswith(("onnx::", "/"))}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in constants:
            found[f"{_module(node.name)}.weight"] = constants[node.input[1]].T
    found |= _sharpness(graph, constants)
    prefix = f"{part}." if part else ""
    return {prefix + name: torch.from_numpy(np.array(value, np.float32)) for name, value in found.items()}


def _sharpness(graph: onnx.GraphProto, constants: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What the alignment verifier multiplies its map with before each softmax: export parts the tensor in two."""
    makers = {name: node for node in graph.node for name in node.output}
    found = []
    for node in graph.node:
        if node.op_type == "Softmax" and node.name.count("/") == 2:  # the verifier's own, none of its layers'
            scaled = makers[makers[node.input[0]].input[0]]
            found += [constants[name] for name in scaled.input if name in constants]
    return {"verifier.sharpness": np.array(found)} if found else {}


def _constants(graph: onnx.GraphProto) -> dict[str, NDArray[Any]]:
    """What a graph's nodes make of its stored tensors alone, whatever its inputs are, and those tensors, by name."""
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if all(name in known for name in node.input):
            inputs = {name: known[name] for name in node.input}
            made = ReferenceEvaluator(node).run(None, inputs)
            known |= dict(zip(node.output, made, strict=True))
    return known


def _module(node: str) -> str:
    """The dotted name of the module that a node stands for.

    Example:
        >>> _module("/branch.0/attention/self/query/MatMul"), _module("/verifier/blocks.1/feed/feed.2/MatMul")
        ('branch.0.attention.self.query', 'verifier.blocks.1.feed.2')
    """
    steps = node.strip("/").split("/")[:-1]  # the last is the operator
    inside = zip(["", *steps], steps, strict=False)  # a step of an nn.Sequential repeats the name before it
    return ".".join(step.removeprefix(f"{before}.") for before, step in inside)
