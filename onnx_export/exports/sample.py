"""Pairs that bundles are held against torch with, where no held-out rows are at hand: none is of a report set."""

from __future__ import annotations

import json
from dataclasses import replace

from onnx_export.calibration import capped
from onnx_export.generators.written import written_pairs
from onnx_export.pair import Pair
from onnx_export.parity import TEXTS
from plugin_server.demo import CORPUS, QUERIES

#: Pairs of each kind of hand-written row, and passages that make a long document.
SHARE, JOINED = 30, 6


def sample_rows() -> list[Pair]:
    """Hand-written pairs by category, the demo's questions with its passages, and the same with long documents.

    They go from one word to a whole window, and from near-misses to texts that have nothing to do with each other.

    Example:
        >>> rows = sample_rows()
        >>> {"written_negation", "passages", "long"} <= {row.source for row in rows}, len(rows) > 300
        (True, True)
    """
    written = [replace(row, source=f"written_{row.category}") for row in written_pairs()]
    passages = [json.loads(line)["text"] for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    asked = [json.loads(line)["query"] for line in QUERIES.read_text(encoding="utf-8").splitlines()]
    fixed = [_row(query, document, "lengths") for query, document in TEXTS]
    short = [
        _row(query, passages[(number * 29 + step * 7) % len(passages)], "passages")
        for number, query in enumerate(asked)
        for step in range(4)
    ]
    long = [
        _row(query, " ".join(passages[start : start + JOINED]), "long")
        for query, start in zip(asked, range(0, len(passages), JOINED), strict=False)
    ]
    return [*capped(written, SHARE), *fixed, *short, *long]


def _row(query: str, document: str, source: str) -> Pair:
    return Pair(query, document, None, None, "general", source, "")
