"""Training pairs of natural sentences: edited beside rewritten, in the style of their source."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from onnx_export.generators.edits_changes import Change, changes, context, names
from onnx_export.generators.edits_rewrites import put, rewrite
from onnx_export.generators.tagging import Tokens, tag, text_of
from onnx_export.pair import Pair

Changes = dict[str, tuple[Change, int]]
#: A sentence, the same meaning in other words, and both again with another meaning.
Block = tuple[str, str, str, str]


def edit_pairs(paraphrases: Sequence[tuple[str, str]], sentences: Sequence[str], count: int, seed: int) -> list[Pair]:
    """At most `count` pairs, two true and two false of each sentence used; the same for the same seed.

    A sentence, its change, and a rewrite of either make a square of four texts. Both true and both false pairs of
    the square hold the same queries and the same documents, so neither side alone says anything of the label.

    Args:
        paraphrases: pairs that say the same; used where the same change can be made to both.
        sentences: single sentences, rewritten by rule.
        count: fewer come back when the sentences do not allow that many.
        seed: of everything drawn.

    Example:
        >>> rows = edit_pairs([], ["A dog is chasing the cat ."], count=4, seed=1)
        >>> [row.pairs for row in rows], len({row.query for row in rows}), len({row.document for row in rows})
        ([1, 1, 0, 0], 2, 2)
    """
    rng = Random(seed)
    table = changes(collect([text for pair in paraphrases for text in pair] + list(sentences)))
    jobs: list[tuple[str, str]] = list(paraphrases) + [(s, s) for s in sentences]
    groups = grouped(jobs)
    rows: list[Pair] = []
    seen: set[frozenset[str]] = set()
    for _ in range(4):
        rng.shuffle(jobs)
        for left, right in jobs:
            if len(rows) + 4 > count:
                return rows
            made = square(left, right, table, rng)
            if made is None or frozenset(made[1]) in seen:
                continue
            seen.add(frozenset(made[1]))
            rows += crossed(*made, f"e{groups[right]}", rng)
    return rows


def grouped(jobs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """A number for every text; a text and its paraphrases share it.

    Example:
        >>> grouped([("a", "b"), ("c", "c"), ("b", "d")])
        {'a': 0, 'b': 0, 'c': 1, 'd': 0}
    """
    found: dict[str, int] = {}
    for number, (left, right) in enumerate(jobs):
        known = found.get(left, found.get(right, number))
        found.setdefault(left, known)
        found.setdefault(right, known)
    return found


def collect(texts: Sequence[str]) -> dict[str, list[str]]:
    """The proper names of about 6,000 of the texts, each once, by the kind of place they stand in.

    Example:
        >>> collect(["He lived in Oslo .", "They met in Rome ."])
        {'in1': ['Oslo', 'Rome']}
    """
    found: dict[str, list[str]] = {}
    for text in texts[:: max(1, len(texts) // 6000)]:
        tokens = tag(text)
        for start, end in names(tokens):
            found.setdefault(context(tokens, start, end), []).append(" ".join(t.word for t in tokens[start:end]))
    return {kind: list(dict.fromkeys(listed)) for kind, listed in found.items() if kind}


def square(left: str, right: str, table: Changes, rng: Random) -> tuple[str, Block] | None:
    """A category and a square of four texts; None where one of them cannot be made.

    The second text says what the first says, the fourth what the third says; the other pairs differ in meaning.
    """
    tokens = tag(right)
    made = change(tokens, table, rng) if 3 < len(tokens) < 60 else None
    if made is None:
        return None
    category, changed = made
    changed = tag(text_of(changed))
    if left == right:
        told, retold = rewritten(tokens, rng), rewritten(changed, rng)
    else:
        told, retold = tag(left), same_change(tokens, changed, tag(left))
    if told is None or retold is None:
        return None
    block = (right, text_of(told), text_of(changed), text_of(retold))
    return (category, block) if len(set(block)) == 4 else None


def same_change(before: Tokens, after: Tokens, other: Tokens) -> Tokens | None:
    """`other` with the words exchanged that `after` has in place of those of `before`.

    None where the words do not stand exactly once in both.

    Example:
        >>> texts = ("In 1994 the old bank failed .", "In 1995 the old bank failed .", "The old bank failed in 1994 .")
        >>> text_of(same_change(*(tag(text) for text in texts)) or ())
        'The old bank failed in 1995 .'
    """
    old, new, words = ([t.word for t in tokens] for tokens in (before, after, other))
    shortest = min(len(old), len(new))
    start = next((i for i in range(shortest) if old[i] != new[i]), shortest)
    end = next((i for i in range(shortest - start) if old[-1 - i] != new[-1 - i]), shortest - start)
    gone, come = old[start : len(old) - end], new[start : len(new) - end]
    spots = [i for i in range(len(words)) if gone and words[i : i + len(gone)] == gone]
    once = sum(old[i : i + len(gone)] == gone for i in range(len(old))) == 1
    return put(other, spots[0], spots[0] + len(gone), come) if len(spots) == 1 and once and 0 < len(come) < 4 else None


def crossed(category: str, block: Block, group: str, rng: Random) -> list[Pair]:
    """The two true and the two false pairs of a square, the same two queries and two documents in both.

    Example:
        >>> rows = crossed("role", ("x1", "x2", "y1", "y2"), "g", Random(1))
        >>> [(row.query, row.document, row.pairs) for row in rows]
        [('x1', 'x2', 1), ('y2', 'y1', 1), ('x1', 'y1', 0), ('y2', 'x2', 0)]
    """
    sides = [block[:2], block[2:]]
    (a, c), (b, d) = (pair if rng.random() < 0.5 else pair[::-1] for pair in sides)
    pairs = ((a, c, 1), (b, d, 1), (a, d, 0), (b, c, 0))
    return [Pair(query, document, label, label, category, "edits", group) for query, document, label in pairs]


def rewritten(tokens: Tokens, rng: Random) -> Tokens | None:
    """`tokens` after one to three rewrites; None when none applies."""
    made = None
    for _ in range(rng.choice((1, 1, 2, 3))):
        made = rewrite(made or tokens, rng) or made
    return made


def change(tokens: Tokens, table: Changes, rng: Random) -> tuple[str, Tokens] | None:
    """A category and the tokens after its change; None when none applies."""
    waiting = dict(table)
    while waiting:
        category = rng.choices(list(waiting), [weight for _, weight in waiting.values()])[0]
        made = waiting.pop(category)[0](tokens, rng)
        if made is not None and text_of(made) != text_of(tokens):
            return category, made
    return None
