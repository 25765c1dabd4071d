"""Pairs that no row of a paraphrase set has, but whose labels its rows imply."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import combinations

from onnx_export.pair import Pair
from onnx_export.sources.text import first_linked


def implied_pairs(rows: Iterable[Pair], wanted: int, seed: int) -> list[Pair]:
    """At most `wanted` pairs of sentences that no row holds, with the labels that follow from those that do.

    Sentences that say the same as a third one say the same; where two differ in meaning, all that say the same as the
    one differ from all that say the same as the other. A group whose labels contradict each other gives nothing.

    Args:
        rows: whose groups share no sentence; those without a label under ``pairs`` do not count.

    Example:
        >>> def row(query, document, label):
        ...     return Pair(query, document, label, label, "role", "doc", "1")
        >>> rows = [row("Ann met Eve first", "First, Ann met Eve", 1), row("Ann met Eve first", "Eve met Ann first", 0)]
        >>> [(pair.query, pair.document, pair.pairs) for pair in implied_pairs(rows, 10, 1)]
        [('Eve met Ann first', 'First, Ann met Eve', 0)]
    """
    groups: dict[str, list[Pair]] = {}
    for row in rows:
        if row.pairs is not None:
            groups.setdefault(row.group, []).append(row)
    found = [pair for group in groups.values() for pair in _of_group(group)]
    return random.Random(seed).sample(found, min(wanted, len(found)))


def _of_group(rows: list[Pair]) -> list[Pair]:
    """What the rows of one group imply."""
    classes = {text: text for row in rows for text in (row.query, row.document)}
    classes |= first_linked((row.query, row.document) for row in rows if row.pairs == 1)
    known = {frozenset((row.query, row.document)) for row in rows}
    other = {frozenset((classes[row.query], classes[row.document])) for row in rows if row.pairs == 0}
    if any(len(pair) == 1 for pair in other):
        return []
    found = []
    for one, two in combinations(sorted(classes), 2):
        meanings = frozenset((classes[one], classes[two]))
        label = int(len(meanings) == 1)
        if frozenset((one, two)) not in known and (label or meanings in other):
            found.append(Pair(one, two, label, label, rows[0].category, "implied", rows[0].group))
    return found
