"""Tagged tokens of a sentence that go back to text exactly as they came, spaced punctuation included."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

_TOKEN = re.compile(r"(\s*)(\d[\d,.]*\d(?!\w)%?|\w+(?:[-’']\w+)*%?|[^\w\s])")
BE = frozenset("is are was were be been being".split())


@dataclass(frozen=True, slots=True)
class Token:
    """A word, its CLAWS5 tag, and the blank before it."""

    word: str
    tag: str
    gap: str = " "

    def to(self, word: str) -> Token:
        """The same place with another word."""
        return replace(self, word=word)


Tokens = tuple[Token, ...]


@lru_cache(maxsize=1)
def tagger() -> Any:
    """HanTa's English tagger, loaded once."""
    from HanTa import HanoverTagger  # here, because it takes seconds and only generating needs it

    return HanoverTagger.HanoverTagger("morphmodel_en.pgz")


@lru_cache(maxsize=50_000)
def tag(text: str) -> Tokens:
    """The tagged tokens of `text`; `text_of` gives it back.

    Example:
        >>> [token.tag for token in tag("The dog chased the cat .")]
        ['AT0', 'NN1', 'VVD', 'AT0', 'NN1', 'PUN']
        >>> text_of(tag("Well , it's 5.5 km."))
        "Well , it's 5.5 km."
    """
    found = _TOKEN.findall(text)
    tags = tagger().tag_sent([word for _, word in found]) if found else []
    return tuple(Token(word, tagged[2], gap) for (gap, word), tagged in zip(found, tags, strict=True))


def text_of(tokens: Tokens) -> str:
    """The text of the tokens, first letter a capital where the first blank-less token asks for it.

    Example:
        >>> text_of((Token("Rain", "NN1", ""), Token("fell", "VVD")))
        'Rain fell'
    """
    return "".join(token.gap + token.word for token in tokens).strip()


def chunks(tokens: Tokens) -> list[tuple[int, int]]:
    """Where the plain noun phrases stand: (start, end), end exclusive.

    Example:
        >>> chunks(tag("The big dog chased a cat ."))
        [(0, 3), (4, 6)]
    """
    found, start = [], 0
    while start < len(tokens):
        end = start + (tokens[start].tag in ("AT0", "DPS") and tokens[start].word.lower() not in ("no", "every"))
        while end < len(tokens) and tokens[end].tag in ("AJ0", "ORD"):
            end += 1
        nouns = end
        while end < len(tokens) and tokens[end].tag in ("NN1", "NN2", "NP0", "NN0"):
            end += 1
        if end > nouns and (tokens[start].tag in ("AT0", "DPS", "NP0", "NN2") or tokens[start].word[0].isupper()):
            found.append((start, end))
        start = max(end, start + 1)
    return found


def recase(tokens: Tokens, model: Tokens) -> Tokens:
    """`tokens` with the first one capital, and no gap, as in `model`; a common word moved inside goes lower-case.

    Example:
        >>> model = tag("The dog saw a cat .")
        >>> text_of(recase((Token("a", "AT0"), Token("cat", "NN1"), Token("saw", "VVD"), Token("The", "AT0")), model))
        'A cat saw the'
    """
    first = tokens[0].word
    if model[0].word[:1].isupper():
        first = first[:1].upper() + first[1:]
    leads = [t.word == model[0].word and t.word.istitle() and t.tag not in ("NP0", "PNP") for t in tokens[1:]]
    moved = [t.to(t.word.lower()) if lead else t for t, lead in zip(tokens[1:], leads, strict=True)]
    gaps = [replace(t, gap=t.gap or " ") if t.word[:1].isalnum() else t for t in moved]
    return (Token(first, tokens[0].tag, ""), *gaps)
