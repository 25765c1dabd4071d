"""Copies of labelled pairs under other names and years: both sides are renamed alike, so the label stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import TypeAlias

from onnx_export.generators.tagging import Tokens, tag, text_of
from onnx_export.pair import Pair

#: A row, and its query and document tagged.
Read: TypeAlias = tuple[Pair, Tokens, Tokens]
MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
#: Names of a closed kind stay within it; those that are also common words stay as they are.
STAY = frozenset(("March", "May", "August"))
CLOSED = {word: kind for kind in (MONTHS, DAYS) for word in kind if word not in STAY}
#: Numbers that are years, and how far all years of a pair are moved.
YEARS, MOVE = range(1500, 2030), 40


def renamed_pairs(rows: Sequence[Pair], count: int, seed: int) -> list[Pair]:
    """At most `count` copies of rows that name somebody or something on both sides; the same for the same seed.

    The rows of a group are copied together: a name becomes the same other name in all their texts, no two the same one;
    it stays where one of the texts writes it small ("North Wales", "the north of Wales"). Years move by one distance.
    What is true of a pair is true of its copy, rows that share a text still do, and nothing is learnt of Rome by heart.

    Example:
        >>> row = Pair("They flew from Oslo to Rome .", "From Rome they flew to Oslo .", 0, 0, "role", "s", "1")
        >>> other = Pair("He saw Lima and Kyoto .", "He saw Kyoto and Lima .", 1, 1, "role", "s", "2")
        >>> [made.document for made in renamed_pairs([row, other], count=2, seed=1)]
        ['He saw Rome and Oslo .', 'From Lima they flew to Kyoto .']
    """
    if not count:  # tagging takes minutes
        return []
    rng = Random(seed)
    groups: dict[tuple[str, str], list[Read]] = defaultdict(list)
    pools: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        left, right = tag(row.query), tag(row.document)
        if names(left) & names(right):
            groups[row.source, row.group].append((row, left, right))
            for word in names(left) | names(right):
                pools[_pool(word)].add(word)
    known = {name: sorted(words) for name, words in pools.items()}
    order, made = sorted(groups), list[Pair]()
    while order and len(made) < count:
        rng.shuffle(order)
        for name in order:
            made += _copies(groups[name], known, rng)
            if len(made) >= count:
                break
    return made[:count]


def _copies(group: Sequence[Read], known: Mapping[str, Sequence[str]], rng: Random) -> list[Pair]:
    """A copy of each row of a group, all under the same other names."""
    texts = [tokens for _, *sides in group for tokens in sides]
    said = {token.word for tokens in texts for token in tokens}
    others = table(sorted(set[str]().union(*map(names, texts))), known, rng)
    words = {name: other for name, other in others.items() if name.lower() not in said}
    moved = rng.randrange(1, MOVE) * rng.choice((-1, 1))
    made = []
    for row, *sides in group:
        query, document = (text_of(_renamed(tokens, words, moved)) for tokens in sides)
        made.append(replace(row, query=query, document=document, source="renamed"))
    return made


def names(tokens: Tokens) -> set[str]:
    """The words of a sentence that are names, and written as such wherever they stand.

    Example:
        >>> sorted(names(tag("However , Ann met Bob in Rome .")))
        ['Ann', 'Bob', 'Rome']
    """
    common = {token.word for token in tokens if token.tag != "NP0"}
    found = {t.word for t in tokens if t.tag == "NP0" and t.word[:1].isupper() and t.word.isalpha() and len(t.word) > 2}
    return found - common - STAY


def table(words: Sequence[str], pools: Mapping[str, Sequence[str]], rng: Random) -> dict[str, str]:
    """Another name for each, no two the same, none of them among the words; a word stays where none is left."""
    taken, found = set(words), {}
    for word in words:
        pool = pools[_pool(word)]
        free = [other for other in rng.sample(pool, min(12, len(pool))) if other not in taken]
        if free:
            found[word] = free[0]
            taken.add(free[0])
    return found


def _pool(word: str) -> str:
    """The kind of a name: names of a closed kind, demonyms and the like by their ending, or any."""
    if word in CLOSED:
        return CLOSED[word][0]
    return word[-3:] if word.endswith(("ian", "ish", "ese", "can", "man")) else ""


def _renamed(tokens: Tokens, words: Mapping[str, str], moved: int) -> Tokens:
    return tuple(token.to(words.get(token.word) or _moved(token.word, moved)) for token in tokens)


def _moved(word: str, years: int) -> str:
    year = word.isdigit() and len(word) == 4 and int(word) in YEARS
    return str(int(word) + years) if year else word
