"""Training rows that a report row has seen: found by equal texts and by nearly equal word sets."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable

from onnx_export.pair import Label, Pair
from onnx_export.sources.text import key_of, words_of

#: A text of fewer words may stand in a training and a report row by chance.
TEXT_WORDS = 5

#: Two rows are near copies from this Jaccard similarity of their word sets (query and document together) on.
NEAR = 0.9

#: Sources made from templates, whose sentences meet by chance: only an equal pair is an overlap.
TEMPLATES = frozenset({"hans", "scone"})

#: Sources whose short hypotheses meet by chance: of a single text only the document (the premise) counts.
PREMISES = frozenset({"snli"})


def drop_overlap(train: list[Pair], report: Iterable[Pair]) -> tuple[list[Pair], dict[str, int]]:
    """The training rows without those that overlap with a report row, and how many of each source went.

    A row goes when its query or document, of `TEXT_WORDS` words or more, equals any text of a report row, when its
    pair equals a report pair in either order, or when the words of the pair nearly equal those of a report pair
    (`NEAR`). Texts are compared by their lower-case words. `TEMPLATES` and `PREMISES` name the exceptions.

    Args:
        train: rows of any sources.
        report: rows that must stay unseen.

    Returns:
        (rows, removed): the rows in their order; removed counts by source, sources without a removal left out.

    Example:
        >>> old = Pair("Ann sees the old dog.", "The old dog sees Ann.", 0, 0, "role", "paws_wiki", "1")
        >>> new = Pair("Eve hears a young cat.", "A young cat hears Eve.", 0, 0, "role", "paws_wiki", "2")
        >>> rows, removed = drop_overlap([old, new], [Pair("ann sees the old dog", "x", 0, 0, "role", "test", "3")])
        >>> rows == [new], removed
        (True, {'paws_wiki': 1})
    """
    seen = _Seen(report)
    rows: list[Pair] = []
    removed: Counter[str] = Counter()
    for row in train:
        if seen.overlaps(row):
            removed[row.source] += 1
        else:
            rows.append(row)
    return rows, dict(removed)


class _Seen:
    """The texts and pairs of the report rows."""

    def __init__(self, report: Iterable[Pair]) -> None:
        self._texts: set[str] = set()
        self._pairs: set[tuple[str, str]] = set()
        for row in report:
            query, document = key_of(row.query), key_of(row.document)
            self._texts.update(text for text in (query, document) if len(text.split()) >= TEXT_WORDS)
            self._pairs.update(((query, document), (document, query)))
        self._near = _NearSets({frozenset(f"{query} {document}".split()) for query, document in self._pairs})

    def overlaps(self, row: Pair) -> bool:
        query, document = key_of(row.query), key_of(row.document)
        if (query, document) in self._pairs:
            return True
        if row.source in TEMPLATES:
            return False
        if document in self._texts or (query in self._texts and row.source not in PREMISES):
            return True
        return self._near.holds(frozenset(words_of(f"{query} {document}")))


class _NearSets:
    """Word sets, to be asked whether one of them nearly equals another.

    Two sets of Jaccard similarity t share a word among the rarest (1 - t) of either (prefix filtering,
    Bayardo, Ma & Srikant 2007), so only sets that share such a word are compared.
    """

    def __init__(self, sets: Iterable[frozenset[str]]) -> None:
        # Sorted, so that the order of a Python set never decides anything.
        members = sorted(sets, key=sorted)
        self._spread = Counter(word for one in members for word in one)
        self._holders: dict[str, list[frozenset[str]]] = defaultdict(list)
        for one in members:
            for word in self._rarest(one):
                self._holders[word].append(one)

    def holds(self, one: frozenset[str]) -> bool:
        smallest, largest = NEAR * len(one), len(one) / NEAR
        for word in self._rarest(one):
            for other in self._holders.get(word, ()):
                if smallest <= len(other) <= largest:
                    shared = len(one & other)
                    if shared >= NEAR * (len(one) + len(other) - shared):
                        return True
        return False

    def _rarest(self, one: frozenset[str]) -> list[str]:
        first = len(one) - math.ceil(NEAR * len(one)) + 1
        return sorted(one, key=lambda word: (self._spread[word], word))[:first]


def drop_contradictions(rows: list[Pair]) -> list[Pair]:
    """The rows without repetitions, and without any pair that a source labels in two ways.

    Example:
        >>> yes, no = Pair("a", "b", None, 1, "x", "doc", "1"), Pair("a", "b", 0, 0, "x", "doc", "1")
        >>> drop_contradictions([yes, no]), drop_contradictions([yes, yes]) == [yes]
        ([], True)
    """
    labels: dict[tuple[str, str], set[tuple[Label, Label]]] = defaultdict(set)
    first: dict[tuple[str, str], Pair] = {}
    for row in rows:
        labels[row.query, row.document].add((row.pairs, row.passages))
        first.setdefault((row.query, row.document), row)
    return [row for pair, row in first.items() if len(labels[pair]) == 1]
