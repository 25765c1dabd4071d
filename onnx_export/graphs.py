"""The two ONNX graphs of a bundle: exported from torch, then written with smaller weights."""

from __future__ import annotations

import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from optimum.exporters.onnx import export
from torch import Tensor, nn

from onnx_export.encoder_form import encoder_form
from onnx_export.token_encoder import TokenEncoder

#: What graphs are written in, unless told otherwise.
OPSET = 17
#: Initialisers with fewer numbers stay float32: they weigh nothing, and norms and biases keep their full precision.
SMALL = 4096
#: Numbers of an embedding row that share a scale: with one for the whole row, the recall vector's cosine with the base
#: model's fell to 0.99988 on some texts.
BLOCK = 32
#: Nodes with this prefix are the token branch, whose rows are rounded to int8 anyway.
INT8_PART = "/branch"


class ServedVerifier(nn.Module):
    """A verifier with the inputs of the served graph: int8 rows and lengths instead of unit rows and masks."""

    def __init__(self, verifier: nn.Module) -> None:
        super().__init__()
        self.verifier = verifier

    def forward(
        self, query: Tensor, query_length: Tensor, document: Tensor, document_length: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits (b, 2) and the best cosine (b, q) of every query token."""
        rows, columns = _unit(query), _unit(document)
        query_mask, document_mask = _mask(query, query_length), _mask(document, document_length)
        logits = self.verifier(rows, query_mask, columns, document_mask)
        best = (rows @ columns.transpose(1, 2) + (document_mask[:, None, :] - 1) * 4).amax(2)
        return logits, best


def export_encoder(encoder: TokenEncoder, path: Path, opset: int = OPSET) -> None:
    """Write the encoder as float32 ONNX: ``input_ids``, ``attention_mask`` (b, t) in, ``recall``, ``tokens`` out.

    optimum writes it, with what it knows of exporting the base model's kind.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in `_export`
        export(encoder.eval().float(), encoder_form(encoder.config), path, opset=opset)


def export_verifier(verifier: nn.Module, dimension: int, path: Path, opset: int = OPSET) -> None:
    """Write the verifier, the map inside, as float32 ONNX: int8 rows and lengths in, ``logits`` and ``best`` out."""
    rows = torch.randint(1, 100, (2, 16, dimension), dtype=torch.int8)
    length = torch.tensor([16, 9])
    axes = {
        "query": {0: "batch", 1: "query_tokens"},
        "query_length": {0: "batch"},
        "document": {0: "batch", 1: "document_tokens"},
        "document_length": {0: "batch"},
        "logits": {0: "batch"},
        "best": {0: "batch", 1: "query_tokens"},
    }
    names = ["query", "query_length", "document", "document_length"]
    _export(ServedVerifier(verifier), (rows, length, rows, length), path, names, ["logits", "best"], axes, opset)


def export_static(module: nn.Module, inputs: tuple[Tensor, ...], path: Path, names: list[str]) -> None:
    """Write any module as float32 ONNX for inputs of these very shapes: for measuring, not for serving."""
    _export(module, inputs, path, names, ["logits"], {})


def shrink(source: Path, target: Path, tables: bool = True) -> None:
    """Write the graph with smaller weights: float16; int8 with scales for embedding tables and token branch.

    The recall branch keeps float16, so that its vector stays the base model's. Weights become float32 again when
    onnxruntime loads the graph and folds its constants: nothing is computed in lower precision, and a text's result
    does not depend on its batch.

    Args:
        tables: whether embedding tables become int8, which recall shares; else float16.
    """
    model = onnx.load(str(source))
    graph = model.graph
    users: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            users[name].append(node)
    kept: list[TensorProto] = []
    restored: list[onnx.NodeProto] = []
    for tensor in graph.initializer:
        values, used = numpy_helper.to_array(tensor), users[tensor.name]
        if tensor.data_type != TensorProto.FLOAT or values.size < SMALL:
            kept.append(tensor)
        elif tables and [user.op_type for user in used] == ["Gather"] and _has_blocks(values):
            kept += _quantised_table(graph, used[0], values)
        elif all(user.op_type == "MatMul" and user.name.startswith(INT8_PART) for user in used):
            parts, nodes = _quantised_matrix(tensor.name, values)
            kept, restored = kept + parts, restored + nodes
        else:
            half = f"{tensor.name}.float16"
            kept.append(numpy_helper.from_array(values.astype(np.float16), half))
            restored.append(helper.make_node("Cast", [half], [tensor.name], to=TensorProto.FLOAT))
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes = restored + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(target))


def _has_blocks(table: np.ndarray) -> bool:
    """Whether blocks of numbers fill the table's rows."""
    return table.ndim == 2 and table.shape[1] % BLOCK == 0


def _quantised_matrix(name: str, values: np.ndarray) -> tuple[list[TensorProto], list[onnx.NodeProto]]:
    """A weight matrix as int8 with a scale for each output, and the nodes that make it float32 again."""
    scale = (np.abs(values).max(axis=0, keepdims=True) / 127).clip(1e-12).astype(np.float32)
    rows = np.rint(values / scale).astype(np.int8)
    parts = [numpy_helper.from_array(rows, f"{name}.int8"), numpy_helper.from_array(scale, f"{name}.scale")]
    nodes = [
        helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [name]),
    ]
    return parts, nodes


def _quantised_table(graph: onnx.GraphProto, gather: onnx.NodeProto, values: np.ndarray) -> list[TensorProto]:
    """The int8 table with a float16 scale for every `BLOCK` numbers; the Gather becomes gathers of both, multiplied."""
    name, ids, output = gather.input[0], gather.input[1], gather.output[0]
    blocks = values.reshape(len(values), -1, BLOCK)
    scale = (np.abs(blocks).max(axis=2, keepdims=True) / 127).clip(1e-7).astype(np.float16)
    rows = np.rint(blocks / scale.astype(np.float32)).clip(-127, 127).astype(np.int8)
    place = list(graph.node).index(gather)
    parts = [
        helper.make_node("Gather", [f"{name}.int8", ids], [f"{output}.int8"], axis=0),
        helper.make_node("Cast", [f"{output}.int8"], [f"{output}.rows"], to=TensorProto.FLOAT),
        helper.make_node("Gather", [f"{name}.scale", ids], [f"{output}.half"], axis=0),
        helper.make_node("Cast", [f"{output}.half"], [f"{output}.scale"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{output}.rows", f"{output}.scale"], [f"{output}.blocks"]),
        helper.make_node("Reshape", [f"{output}.blocks", f"{name}.shape"], [output]),
    ]
    graph.node.remove(gather)
    for step, node in enumerate(parts):
        graph.node.insert(place + step, node)
    shape = np.array([0, 0, values.shape[1]], np.int64)
    tensors = {f"{name}.int8": rows, f"{name}.scale": scale, f"{name}.shape": shape}
    return [numpy_helper.from_array(tensor, label) for label, tensor in tensors.items()]


def _export(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    path: Path,
    names: list[str],
    outputs: list[str],
    axes: dict[str, dict[int, str]],
    opset: int = OPSET,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of every shape it turns into a constant; parity is measured
        torch.onnx.export(
            module.eval().float(),
            inputs,
            str(path),
            input_names=names,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=opset,
            dynamo=False,
        )


def _unit(rows: Tensor) -> Tensor:
    """int8 rows (b, t, d) as float32 unit rows; rows of padding stay zero."""
    values = rows.float()
    length: Tensor = torch.linalg.vector_norm(values, dim=-1, keepdim=True)
    return values / length.clamp_min(1.0)


def _mask(rows: Tensor, length: Tensor) -> Tensor:
    """1 where a row is no padding, else 0: (b, t) float32."""
    return (torch.arange(rows.shape[1], device=rows.device)[None, :] < length[:, None]).float()
