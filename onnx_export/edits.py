"""Training pairs of natural sentences: edited beside rewritten, in the style of their source."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from onnx_export.edits_changes import Change, changes, context, names
from onnx_export.edits_rewrites import rewrite
from onnx_export.edits_tagging import Tokens, tag, text_of
from onnx_export.pair import Pair

Changes = dict[str, tuple[Change, int]]


def edit_pairs(
    paraphrases: Sequence[tuple[str, str]], sentences: Sequence[str], count: int, seed: int
) -> list[Pair]:
    """At most `count` pairs, a positive and a negative for each sentence used; the same for the same seed.

    Args:
        paraphrases: pairs that say the same; the negative edits one side.
        sentences: single sentences; the positive is rewritten, the negative edited and as often rewritten.
        count: fewer come back when the sentences do not allow that many.
        seed: of everything drawn.

    Example:
        >>> rows = edit_pairs([], ["A dog is chasing the cat ."], count=2, seed=1)
        >>> [row.pairs for row in rows]
        [1, 0]
    """
    rng = Random(seed)
    table = changes(collect([text for pair in paraphrases for text in pair] + list(sentences)))
    jobs: list[tuple[str, str]] = list(paraphrases) + [(s, s) for s in sentences]
    rows: list[Pair] = []
    seen: set[tuple[str, str]] = set()
    for turn in range(4):
        rng.shuffle(jobs)
        for index, (left, right) in enumerate(jobs):
            if len(rows) >= count:
                return rows[:count]
            made = twins(left, right, table, f"e{seed}-{turn}-{index}", rng)
            if made and not seen & {(row.query, row.document) for row in made}:
                seen.update((row.query, row.document) for row in made)
                rows += [row for row in made]
    return rows[:count]


def collect(texts: Sequence[str]) -> dict[str, list[str]]:
    """The proper names of the texts by where they stand."""
    found: dict[str, list[str]] = {}
    for text in texts[:4000]:
        tokens = tag(text)
        for start, end in names(tokens):
            found.setdefault(context(tokens, start, end), []).append(" ".join(t.word for t in tokens[start:end]))
    return found


def twins(left: str, right: str, table: Changes, group: str, rng: Random) -> list[Pair]:
    """A positive and a negative of one sentence or paraphrase; empty where either cannot be made."""
    tokens = tag(right)
    if not 3 < len(tokens) < 60:
        return []
    kept = rewritten(tokens, rng, least=int(left == right))
    base = rewritten(tokens, rng, least=int(left == right and rng.random() < 0.75))
    changed = change(base or tokens, table, rng)
    if kept is None or changed is None:
        return []
    category, edited = changed
    texts = (text_of(kept), text_of(edited))
    if left in texts or texts[0] == texts[1]:
        return []
    order = rng.random() < 0.5
    return [
        Pair(left if order else text, text if order else left, label, label, category, "edits", group)
        for text, label in zip(texts, (1, 0), strict=True)
    ]


def rewritten(tokens: Tokens, rng: Random, least: int) -> Tokens | None:
    """`tokens` after `least` to two rewrites; None when not even `least` applies."""
    done = 0
    for _ in range(max(least, rng.choice((0, 1, 1, 2)))):
        made = rewrite(tokens, rng)
        done += made is not None
        tokens = made or tokens
    return tokens if done >= least else None


def change(tokens: Tokens, table: Changes, rng: Random) -> tuple[str, Tokens] | None:
    """A category and the tokens after its change; None when none applies."""
    waiting = dict(table)
    while waiting:
        category = rng.choices(list(waiting), [weight for _, weight in waiting.values()])[0]
        made = waiting.pop(category)[0](tokens, rng)
        if made is not None and text_of(made) != text_of(tokens):
            return category, made
    return None
