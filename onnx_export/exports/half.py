"""A graph in float16, by onnxruntime's own converter."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

#: Sums of squares over a row leave float16's range; with them whatever follows from them in the encoder stays float32:
#: pooling, and what makes vectors and rows of length 1, or recall vectors would be longer or shorter by 3e-4.
SUMS = ("ReduceL2", "ReduceSum")
#: How the converter ends the names of casts behind a node that stays float32.
DOWN = "_cast_to_fp16_node"


def halve(source: Path, target: Path, tail: bool) -> None:
    """Write the graph in float16, weights and arithmetic; inputs and outputs keep their types.

    Args:
        tail: whether what follows from a sum over a row stays float32, or that sum alone.
    """
    model = onnx.load(str(source))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of every mask's -1e9 that becomes -1e4, which hides as much
        half = convert_float_to_float16(
            model,
            keep_io_types=True,
            op_block_list=[*DEFAULT_OP_BLOCK_LIST, *SUMS],
            node_block_list=_after(model.graph, SUMS) if tail else [],
        )
    _splice(half.graph)
    graph = OnnxModel(half)
    graph.prune_graph()
    graph.topological_sort()  # the converter appends casts, where ONNX wants nodes in the order of their computation
    onnx.save(graph.model, str(target))


def _after(graph: onnx.GraphProto, kinds: Sequence[str]) -> list[str]:
    """Names of the nodes that need what a node of these kinds computes."""
    made: set[str] = set()
    names = []
    for node in graph.node:  # in the order of their computation
        if node.op_type in kinds or made.intersection(node.input):
            made.update(node.output)
            names.append(node.name)
    return names


def _splice(graph: onnx.GraphProto) -> None:
    """Nothing; where a number went from float32 through float16 back to float32, it goes straight.

    The converter casts behind and before each node that stays float32, also between two of them and at the outputs,
    and writes the same cast for each reader of a tensor.
    """
    makers: dict[str, onnx.NodeProto] = {}
    for node in [*graph.node]:
        if set(node.output) <= makers.keys():
            graph.node.remove(node)
        makers.update(dict.fromkeys(node.output, node))
    outputs = {value.name for value in graph.output}
    renamed: dict[str, str] = {}
    for node in [*graph.node]:
        before = makers.get(node.input[0]) if _casts_to(node, TensorProto.FLOAT) else None
        if before is not None and _casts_to(before, TensorProto.FLOAT16) and before.name.endswith(DOWN):
            old, new = (
                (before.input[0], node.output[0]) if node.output[0] in outputs else (node.output[0], before.input[0])
            )
            renamed[old] = new
            graph.node.remove(node)
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                while name in renamed:
                    name = renamed[name]
                names[place] = name


def _casts_to(node: onnx.NodeProto, kind: int) -> bool:
    """Whether a node is a cast to that type."""
    return bool(node.op_type == "Cast" and node.attribute[0].i == kind)
