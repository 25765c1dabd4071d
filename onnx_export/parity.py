"""How far torch, float32 ONNX and the shipped small form are apart, measured on the same texts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from onnx_export.base import plain_tokenizer
from onnx_export.graphs import ServedVerifier
from onnx_export.model import Model
from plugin_server.blob import quantise
from plugin_server.bundle import ENCODER, VERIFIER
from plugin_server.session import open_session

#: Pairs of several lengths, for parity alone.
TEXTS = (
    ("rain", "It rained."),
    ("The nurse thanked the driver.", "The driver was thanked by the nurse."),
    (
        "Which train leaves before noon?",
        "The express leaves at 11:40, the night train at 23:05; both stop in Dijon. " * 3,
    ),
    (
        "tickets are not refundable",
        "Tickets can be refunded until the day before departure, at the counter or by post. " * 10,
    ),
)


def parity(model: Model, full: Path, shipped: Path, bits: int) -> dict[str, float]:
    """Largest differences: of recall cosine from 1, and of token rows and logits, against torch in float32.

    Args:
        full: folder with the graphs in float32.
        shipped: folder with the graphs in the shipped form.
        bits: of a number of a token row.
    """
    tokenizer = plain_tokenizer(model.folder)
    tokenizer.enable_truncation(model.window)
    verifier = ServedVerifier(model.verifier).eval()
    figures: dict[str, float] = {}
    for name, folder in (("onnx", full), ("shipped", shipped)):
        encoder_graph = open_session(folder / ENCODER)
        verifier_graph = open_session(folder / VERIFIER)
        recall, rows, logits = 0.0, 0.0, 0.0
        for pair in TEXTS:
            inputs = [_inputs(tokenizer.encode(text).ids) for text in pair]
            with torch.no_grad():
                wanted = [[part.numpy() for part in model.encoder(*map(torch.from_numpy, item))] for item in inputs]
            found = [
                encoder_graph.run(["recall", "tokens"], dict(zip(("input_ids", "attention_mask"), i, strict=True)))
                for i in inputs
            ]
            for want, got in zip(wanted, found, strict=True):
                recall = max(recall, 1 - float((want[0] * got[0]).sum()))
                rows = max(rows, float(np.abs(want[1] - got[1]).max()))
            with torch.no_grad():
                torch_logits = verifier(*map(torch.from_numpy, _served(wanted, bits).values()))[0].numpy()
            onnx_logits = verifier_graph.run(["logits"], _served(found, bits))[0]
            logits = max(logits, float(np.abs(torch_logits - onnx_logits).max()))
        figures |= {f"{name}_recall_cosine_gap": recall, f"{name}_token_rows": rows, f"{name}_logits": logits}
    return figures


def recall_gap(full: Path, shipped: Path, codes: Iterable[list[int]]) -> float:
    """How far the cosine of two encoder graphs' recall vectors falls below 1, over texts given as ids."""
    graphs = [open_session(path) for path in (full, shipped)]
    worst = 0.0
    for ids in codes:
        named = dict(zip(("input_ids", "attention_mask"), _inputs(ids), strict=True))
        one, other = (graph.run(["recall"], named)[0] for graph in graphs)
        worst = max(worst, 1 - float((one * other).sum()))
    return worst


def _inputs(ids: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    array = np.array([ids], np.int64)
    return array, np.ones_like(array)


def _served(encoded: list[list[NDArray[np.float32]]], bits: int) -> dict[str, NDArray[np.int8] | NDArray[np.int64]]:
    """The verifier graph's inputs from the encoder's outputs for query and document."""
    query, document = (quantise(item[1][0], bits)[None] for item in encoded)
    lengths = [np.array([item.shape[1]], np.int64) for item in (query, document)]
    return {"query": query, "query_length": lengths[0], "document": document, "document_length": lengths[1]}
