"""Questions asked about another name, year or number than the one their passage speaks of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from onnx_export.sources.text import digest

_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w-]+(?: [A-Z][\w-]+)*")
_NUMBER = re.compile(r"(?<![\w.,-])\d+(?:[.,]\d+)*(?![\w-])")
_YEAR = re.compile(r"1\d{3}|20\d{2}")


@dataclass(frozen=True, slots=True)
class Edit:
    """An edited question and what was replaced: category ``entity`` or ``number``."""

    question: str
    category: str


@dataclass(frozen=True, slots=True)
class _Mention:
    """A name or number at its place in a question; only mentions of one kind replace each other."""

    text: str
    start: int
    kind: str


def question_edits(questions: Sequence[str], passages: Sequence[str]) -> Iterator[tuple[int, Edit]]:
    """The number of each question that can be edited, with its edit: at most one a question.

    A name or number that the question shares with its passage gives way to one of the same kind from another
    question, which neither the question nor the passage holds. Names are of one kind when the same word stands
    before them ("in Oslo", "in New York") and they have as many words; numbers when they have as many digits; years
    are a kind of their own. The passage then no longer answers the question.

    Args:
        questions: from one file, so that the names fit.
        passages: the passage of each question.

    Example:
        >>> asked = ["When did people settle in Oslo?", "Who was born in Rome?"]
        >>> [edit for _, edit in question_edits(asked, ["Oslo was settled in 1048.", "Ann was born in Rome."])]
        [Edit(question='When did people settle in Rome?', category='entity'), \
Edit(question='Who was born in Oslo?', category='entity')]
    """
    pools: dict[str, list[str]] = defaultdict(list)
    mentions = [_mentions(question) for question in questions]
    for mention in (mention for found in mentions for mention in found):
        if mention.text not in pools[mention.kind]:
            pools[mention.kind].append(mention.text)
    for number, (question, passage) in enumerate(zip(questions, passages, strict=True)):
        shared = [mention for mention in mentions[number] if _holds(passage, mention.text)]
        if shared:
            mention = shared[digest(question) % len(shared)]
            other = _replacement(mention, pools[mention.kind], f"{question} {passage}")
            if other is not None:
                edited = question[: mention.start] + other + question[mention.start + len(mention.text) :]
                yield number, Edit(edited, "entity" if mention.kind.startswith("name") else "number")


def _mentions(question: str) -> list[_Mention]:
    words = question.split()
    # In a headline-style question capitals mark no names.
    titled = sum(word[0].isupper() for word in words) > len(words) / 2
    found = []
    for match in _NAME.finditer("" if titled else question):
        before = question[: match.start()].split()[-1].lower()
        found.append(_Mention(match[0], match.start(), f"name {before} {len(match[0].split())}"))
    for match in _NUMBER.finditer(question):
        kind = "year" if _YEAR.fullmatch(match[0]) else f"number {len(match[0])}"
        found.append(_Mention(match[0], match.start(), kind))
    return found


def _replacement(mention: _Mention, pool: list[str], known: str) -> str | None:
    """The first of the pool, from a place fixed by the question, of which no word is known already."""
    first = digest(known) % len(pool)
    for other in pool[first:] + pool[:first]:
        if not any(_holds(known, word) for word in other.split()):
            return other
    return None


def _holds(text: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text, re.IGNORECASE) is not None
