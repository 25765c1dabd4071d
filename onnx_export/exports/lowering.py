"""The float32 graphs of a model written in another precision."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

from onnx_export.base import plain_tokenizer
from onnx_export.calibration import capped
from onnx_export.convert import RECALL_ROWS, SHOWN, round_products, sealed, shrink_encoder
from onnx_export.errors import ExportFailed
from onnx_export.graphs import shrink
from onnx_export.model import Model
from onnx_export.pair import Pair
from onnx_export.quantisation import quantise_branch
from plugin_server.bundle import ENCODER, TOKENIZER, VERIFIER, Bundle, Manifest
from plugin_server.verifier import Inputs

#: Sums of squares of a row leave float16's range; with them whatever comes after them in the encoder stays float32:
#: pooling, norm and projection's length, or recall vectors would be longer or shorter by 3e-4.
SUMS = ("ReduceL2", "ReduceSum")


def lower(precision: str, model: Model, full: Path, output: Path, manifest: Manifest, rows: Sequence[Pair]) -> Bundle:
    """The bundle of that precision in the folder `output`, which holds nothing yet.

    Args:
        full: folder with the graphs in float32 and the tokenizer.
        manifest: as the bundle's will be, but for fingerprint and checksums.
        rows: that show the largest and smallest numbers of what becomes whole numbers, and on which recall must stay.

    Raises:
        ExportFailed: no product of the token branch is large enough for int8.
    """
    shutil.copyfile(full / TOKENIZER, output / TOKENIZER)
    if precision in ("fp32", "fp16"):
        for file in (ENCODER, VERIFIER):
            if precision == "fp32":
                shutil.copyfile(full / file, output / file)
            else:
                halve(full / file, output / file, tail=file == ENCODER)
        return sealed(output, manifest)
    source = full / ENCODER
    if precision == "int8":
        source = full / "branch.onnx"
        if not quantise_branch(full / ENCODER, source, _codes(model, rows)):
            raise ExportFailed("precision int8: no product of the token branch is large enough: give precision shipped")
    texts = [row.document for row in capped(rows, RECALL_ROWS)]
    shrink_encoder(model, source, output / ENCODER, texts)
    shrink(full / VERIFIER, output / VERIFIER)
    return round_products(sealed(output, manifest), full, rows)


def halve(source: Path, target: Path, tail: bool) -> None:
    """Write the graph in float16, weights and arithmetic, by onnxruntime's own converter; inputs and outputs stay.

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
    onnx.save(half, str(target))


def _after(graph: onnx.GraphProto, kinds: Sequence[str]) -> list[str]:
    """Names of the nodes that need what a node of these kinds computes."""
    made: set[str] = set()
    names = []
    for node in graph.node:  # in the order of their computation
        if node.op_type in kinds or made.intersection(node.input):
            made.update(node.output)
            names.append(node.name)
    return names


def _codes(model: Model, rows: Sequence[Pair]) -> Iterator[Inputs]:
    """The encoder graph's inputs for the rows' texts, one at a time."""
    tokenizer = plain_tokenizer(model.folder)
    tokenizer.enable_truncation(model.window)
    for text in sorted({text for row in capped(rows, SHOWN) for text in (row.query, row.document)}):
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        yield {"input_ids": ids, "attention_mask": np.ones_like(ids)}
