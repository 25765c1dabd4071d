"""Blocks of near-misses and rewritings as training pairs: what `simgate negatives` writes of the given sentences."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from onnx_export.generators.negatives import blocks
from onnx_export.generators.sentences import usable
from onnx_export.pair import Pair

#: Blocks of a sentence, at most.
MOST = 2


def block_pairs(texts: Sequence[str], count: int, seed: int) -> list[Pair]:
    """At most `count` pairs, two true and two false of each block; the same for the same seed.

    Args:
        texts: sentences; those that no rule fits give nothing.
        seed: of the order of the sentences and of what is drawn for each.

    Example:
        >>> rows = block_pairs(["The dog chased the cat."], count=4, seed=1)
        >>> [row.pairs for row in rows], len({row.query for row in rows}), len({row.document for row in rows})
        ([1, 1, 0, 0], 2, 2)
    """
    order = sorted({text for text in texts if usable(text)})
    Random(seed).shuffle(order)
    rows: list[Pair] = []
    for number, text in enumerate(order):
        for block in blocks(text, seed, MOST):
            if len(rows) + len(block) > count:
                return rows
            rows += [
                Pair(pair.query, pair.document, pair.label, pair.label, pair.category, "blocks", f"b{number}")
                for pair in block
            ]
    return rows
