"""The widest matrix products of a graph in whole numbers."""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from onnx_export.graphs import INT8_PART, SMALL
from plugin_server.verifier import Inputs

#: Weights of fewer numbers stay as they are: what rounding costs would not come back.
WIDE = 8192


def quantise_verifier(source: Path, target: Path, batches: Iterable[Inputs]) -> int:
    """How many products of the verifier graph were rounded; the graph is written in standard QDQ form.

    Weights become int8 with a scale for each output, what they are multiplied with uint8 with one fixed scale each,
    taken from the batches' smallest and largest numbers. As no scale depends on what else is in a batch, neither does a
    pair's reading. Weights use 7 bits, so that processors without VNNI, which add up pairs of products in 16 bits, get
    the same sums. On 2 cores with AMX 100 pairs take three quarters of the time; no source of held-out rows lost more
    than 0.0006 of its AUROC.

    Args:
        source: as `onnx_export.graphs.export_verifier` wrote it.
        batches: inputs of the graph, as they are when it serves.
    """
    return _quantise(source, target, batches, WIDE, "")


def quantise_branch(source: Path, target: Path, batches: Iterable[Inputs]) -> int:
    """How many products of the encoder graph's token branch were rounded, as `quantise_verifier` does it.

    Recall and the layers that it shares are left alone, and so is what they read: the branch has roundings of its own.
    Weights that `shrink` leaves in float32 are left too. On 2 cores token rows take half to three quarters
    of the time; a number of a row moved by 0.09 at most.
    """
    return _quantise(source, target, batches, SMALL, INT8_PART)


def _quantise(source: Path, target: Path, batches: Iterable[Inputs], least: int, part: str) -> int:
    """How many products were rounded: those of nodes named `part…` with a weight of so many numbers."""
    graph = onnx.load(str(source)).graph
    shared = {name for node in graph.node if not node.name.startswith(part) for name in node.input}
    sizes = {tensor.name: math.prod(tensor.dims) for tensor in graph.initializer if tensor.name not in shared}
    wide = [
        node.name
        for node in graph.node
        if node.op_type == "MatMul" and sizes.get(node.input[1], 0) >= least and node.name.startswith(part)
    ]
    if not wide:
        shutil.copyfile(source, target)
        return 0
    root = logging.getLogger()
    level = root.level
    try:
        root.setLevel(logging.ERROR)  # it recommends a step that this graph does not need
        quantize_static(
            source,
            target,
            _Reader(iter(batches)),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=wide,
            extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul"], "DedicatedQDQPair": bool(part)},
        )
    finally:
        root.setLevel(level)
    return len(wide)


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime carries no types
    """The batches, in the form that onnxruntime asks for."""

    def __init__(self, batches: Iterator[Inputs]) -> None:
        self._batches = batches

    def get_next(self) -> Inputs | None:
        """The next batch, None after the last."""
        return next(self._batches, None)
