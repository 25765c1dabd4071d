"""Pairs that have nothing to do with each other: a verifier trained on near-misses alone is unsure of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from onnx_export.pair import Pair

SOURCE = "unrelated"
#: Sources whose sentences are made of few words: two of them picked at random can say the same.
TEMPLATES = ("hans", "scone")


def unrelated_pairs(rows: Sequence[Pair], count: int, seed: int) -> list[Pair]:
    """At most `count` rows: the query of one row with the document of another, half of them of the same source.

    Example:
        >>> row = Pair("a red car", "a car, red", 1, 1, "binding", "a", "1")
        >>> other = Pair("it rains", "it is raining", 1, 1, "general", "a", "2")
        >>> [(pair.pairs, pair.passages, pair.category) for pair in unrelated_pairs([row, other], 1, seed=1)]
        [(0, 0, 'unrelated')]
    """
    random = Random(seed)
    usable = [row for row in rows if row.source not in TEMPLATES]
    by_source: dict[str, list[Pair]] = {}
    for row in usable:
        by_source.setdefault(row.source, []).append(row)
    result: list[Pair] = []
    for number in range(4 * count if usable else 0):
        row = random.choice(usable)
        other = random.choice(by_source[row.source] if number % 2 else usable)
        if (row.source, row.group) != (other.source, other.group):
            group = f"{row.source}/{row.group}"
            result.append(Pair(row.query, other.document, 0, 0, "unrelated", SOURCE, group))
        if len(result) == count:
            break
    return result
