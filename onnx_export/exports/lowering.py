"""The float32 graphs of a model written in another precision."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from onnx_export.base import plain_tokenizer
from onnx_export.calibration import capped
from onnx_export.convert import RECALL_ROWS, round_products, sealed, shrink_encoder
from onnx_export.errors import ExportFailed
from onnx_export.exports.half import halve
from onnx_export.graphs import shrink
from onnx_export.model import Model
from onnx_export.pair import Pair
from onnx_export.quantisation import quantise_branch
from plugin_server.bundle import ENCODER, TOKENIZER, VERIFIER, Bundle, Manifest
from plugin_server.verifier import Inputs

#: Pairs, about, that show the token branch's largest and smallest numbers; onnxruntime keeps all that they give.
SHOWN = 150


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


def _codes(model: Model, rows: Sequence[Pair]) -> Iterator[Inputs]:
    """The encoder graph's inputs for the rows' texts, one at a time."""
    tokenizer = plain_tokenizer(model.folder)
    tokenizer.enable_truncation(model.window)
    shown = capped(rows, max(2, SHOWN // len({row.source for row in rows})))
    for text in sorted({text for row in shown for text in (row.query, row.document)}):
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        yield {"input_ids": ids, "attention_mask": np.ones_like(ids)}
