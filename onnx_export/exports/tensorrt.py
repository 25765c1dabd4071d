"""What TensorRT's ONNX parser does not take, seen in a graph without TensorRT."""

from __future__ import annotations

from pathlib import Path

import onnx

#: Operators that onnx-tensorrt's table of operators marks as not supported, or whose output's shape hangs on numbers,
#: which splits a graph: of those that an encoder's export may hold.
NOT_TAKEN = frozenset(
    "BitShift Compress ConcatFromSequence ConvInteger Det DynamicQuantizeLinear MatMulInteger Multinomial NonZero "
    "QLinearConv QLinearMatMul SequenceAt SequenceConstruct SequenceEmpty SequenceInsert Shrink SplitToSequence "
    "StringNormalizer TfIdfVectorizer Unique".split()
)
#: What ends a zero point that TensorRT takes: it knows int8 with none.
ROUNDING = ("QuantizeLinear", "DequantizeLinear")


def fault_for_tensorrt(path: Path) -> str:
    """What TensorRT would leave to another provider in a graph; empty for nothing that is known of.

    No graph was run with TensorRT, for want of one: this holds it against the table that its parser publishes.
    """
    graph = onnx.load(str(path)).graph
    kinds = {node.op_type for node in graph.node}
    foreign = sorted({node.domain for node in graph.node} - {"", "ai.onnx"})
    missing = sorted(kinds & NOT_TAKEN)
    if foreign:
        return f"{path.name}: operators of {', '.join(foreign)}, which TensorRT does not know"
    if missing:
        return f"{path.name}: operators {', '.join(missing)}, which TensorRT does not take"
    if kinds & {*ROUNDING}:
        return f"{path.name}: products in whole numbers, whose zero points TensorRT does not take"
    return ""
