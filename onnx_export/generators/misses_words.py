"""Near-misses of one word: its opposite, or another thing of the same kind; and synonyms, which change nothing."""

from __future__ import annotations

from functools import lru_cache
from random import Random

from onnx_export.generators.edits_rewrites import like, put
from onnx_export.generators.phrase import inflect
from onnx_export.generators.rule import Rule
from onnx_export.generators.spans import BE_FORMS, NOUNS, animate, articled, low, negated, person
from onnx_export.generators.tagging import Tokens
from onnx_export.generators.vocabulary_opposites import (
    EQUAL_ADJECTIVES,
    EQUAL_NOUNS,
    EQUAL_OTHERS,
    EQUAL_VERBS,
    IDIOMS,
    KINDS,
    OPPOSED_ADJECTIVES,
    OPPOSED_ADVERBS,
    OPPOSED_NOUNS,
    OPPOSED_VERBS,
)

#: Words that hang on the sex of a person; where they stand, a man is not turned into a woman.
SEXED = frozenset("he she his her him hers himself herself mr mrs mother father king queen".split())
POSTURES = frozenset("sit sits sat sitting stand stands stood standing".split())
POSED_BY = frozenset("until for up down out off back a the tall still".split())
BEFORE_ADJECTIVES = ("AT0", "DPS", "CRD", "DT0", "PRP")


def opposite(tokens: Tokens, rng: Random) -> Tokens | None:
    """A word by its opposite."""
    if negated(tokens):
        return None
    words = set(low(tokens))
    found = [
        (i, other)
        for i in range(len(tokens))
        for other in opposites_of(tokens, i)
        if other not in words and not near(tokens, i) & IDIOMS
    ]
    if not found:
        return None
    at, new = rng.choice(found)
    return articled(put(tokens, at, at + 1, [like(new, tokens[at].word)]))


def near(tokens: Tokens, at: int) -> frozenset[str]:
    """The word with the one before and with the one behind it."""
    words = low(tokens)
    return frozenset((" ".join(words[max(0, at - 1) : at + 1]), " ".join(words[at : at + 2])))


def opposites_of(tokens: Tokens, at: int) -> list[str]:
    """The opposites of the word at a place, as it is used there."""
    word, told = tokens[at].word.lower(), tokens[at].tag
    if at and tokens[at].word[:1].isupper():
        return []
    if told == "AJ0" and (at or word != "open") and word in pairs(OPPOSED_ADJECTIVES) and describes(tokens, at):
        if word == "old" and not lives(tokens, at):
            return ["new"]
        tall = word == "short" and any(person(t.word) for t in tokens[at + 1 : at + 3])
        return ["tall"] if tall else [pairs(OPPOSED_ADJECTIVES)[word]]
    if told in ("AV0", "AVP") and word in pairs(OPPOSED_ADVERBS):
        return [pairs(OPPOSED_ADVERBS)[word]]
    penn = {"VVD": "VBD", "VVG": "VBG", "VVZ": "VBZ", "VVI": "VB", "VVB": "VB"}.get(told)
    if told == "VVD" and tokens[-1].word == "?" and BE_FORMS & set(low(tokens[:at])):
        return []  # a participle: "Where was it bought?" asks nearly what "Where was it sold?" does
    table = verb_forms(OPPOSED_VERBS, penn) if penn else {}
    if at + 1 < len(tokens) and tokens[at + 1].tag == "AVP":
        return []
    if word in POSTURES and not posed(tokens, at):
        return []
    if word in table and (at == 0 or tokens[at - 1].tag not in ("AT0", "AJ0", "DPS")):
        return [table[word]]
    sexless = not SEXED & set(low(tokens))
    if told in ("NN1", "NN2") and word in noun_forms(OPPOSED_NOUNS, told) and sexless:
        after = tokens[at + 1].tag if at + 1 < len(tokens) else "PUN"
        return [noun_forms(OPPOSED_NOUNS, told)[word]] if after not in NOUNS else []
    return []


def lives(tokens: Tokens, at: int) -> bool:
    """Whether the adjective is said of somebody."""
    return any(animate(token.word) or token.word.lower() == "people" for token in tokens[max(0, at - 3) : at + 4])


def posed(tokens: Tokens, at: int) -> bool:
    """Whether it is a person or a beast on four legs that sits or stands, and not for a time."""
    words = low(tokens)
    before = at - 1
    while before > 0 and words[before] in BE_FORMS | {"who", "that"}:
        before -= 1
    going_on = words[at + 1] if at + 1 < len(words) else ""
    return before >= 0 and (person(words[before]) or words[before] == "people") and going_on not in POSED_BY


def describes(tokens: Tokens, at: int) -> bool:
    """Whether an adjective stands before its noun, or alone behind a form of be."""
    before = tokens[at - 1] if at else None
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    attributive = (
        after is not None and after.tag in ("NN1", "NN2", "AJ0") and (before is None or before.tag in BEFORE_ADJECTIVES)
    )
    ends = after is None or after.tag in ("PUN", "PRP", "CJC", "CJS")
    alone = before is not None and before.word.lower() in BE_FORMS | {"very", "quite", "too"} and ends
    return attributive or alone


@lru_cache(maxsize=16)
def pairs(rows: str) -> dict[str, str]:
    """Both directions of rows `one/other`; `one>other` goes one way.

    Example:
        >>> pairs("wet/dry,shut>open") == {"wet": "dry", "dry": "wet", "shut": "open"}
        True
    """
    made: dict[str, str] = {}
    for row in rows.replace("\n", "").split(","):
        one, mark, other = row.partition(">" if ">" in row else "/")
        made.setdefault(one, other)
        if mark == "/":
            made.setdefault(other, one)
    return made


@lru_cache(maxsize=16)
def verb_forms(rows: str, penn: str) -> dict[str, str]:
    """Every verb's form of a Penn tag with that of its partner.

    Example:
        >>> verb_forms("win/lose", "VBD")
        {'won': 'lost', 'lost': 'won'}
    """
    return {_form(one, penn): _form(other, penn) for one, other in pairs(rows).items()}


def _form(verb: str, penn: str) -> str:
    return verb if penn == "VB" else inflect(verb, penn)


@lru_cache(maxsize=8)
def noun_forms(rows: str, told: str) -> dict[str, str]:
    """Every noun with its partner, both in the plural for NN2."""
    many = told == "NN2"
    return {(inflect(a, "NNS") if many else a): (inflect(b, "NNS") if many else b) for a, b in pairs(rows).items()}


def entity(tokens: Tokens, rng: Random) -> Tokens | None:
    """A well-known name by another of its kind."""
    words = set(low(tokens))
    found = [
        (i, other)
        for i, token in enumerate(tokens)
        for kind in KINDS
        if token.word in kind
        and (i or token.word != "Mark")
        and alone(tokens, i)
        and low(tokens).count(token.word.lower()) == 1
        for other in kind
        if other.lower() not in words
    ]
    if not found:
        return None
    at = rng.choice(sorted({i for i, _ in found}))
    new = rng.choice([other for i, other in found if i == at])
    return placed(tokens, at, new)


#: What sports have of their own.
PLAYED_BY = frozenset(
    ("player players team teams game games match matches coach club clubs tournament league season").split()
)


def placed(tokens: Tokens, at: int, new: str) -> Tokens:
    """The tokens with another name, an article before it set right."""
    return articled(put(tokens, at, at + 1, [new]))


def alone(tokens: Tokens, at: int) -> bool:
    """Whether the word is a whole name, not a part of a longer one."""
    before = tokens[at - 1] if at else None
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    inside = before is not None and before.word[:1].isupper() and (at > 1 or before.tag == "NP0")
    title = before is not None and before.word in ("of", "de") and at > 1 and tokens[at - 2].word[:1].isupper()
    goes_on = after is not None and (
        after.word[:1].isupper() or after.word in ("-", "'", "–", "&", "/") or (after.word == "of")
    )
    played = (
        tokens[at].word.islower() and after is not None and after.tag in NOUNS and after.word.lower() not in PLAYED_BY
    )
    named = before is not None and before.word.lower() in ("ice", "field", "table", "beach", "mini", "disc", "air")
    if (
        played
        or named
        or (after is not None and after.word.lower() in ("press", "toast", "fries", "doors", "door", "oven"))
    ):
        return False
    hyphen = before is not None and before.word in ("-", "–", "&", "/", '"', "“", "'")
    return not inside and not goes_on and not hyphen and not title


def synonym(tokens: Tokens, rng: Random) -> Tokens | None:
    """A word by a synonym in the same form."""
    words = set(low(tokens))
    found = [(i, new) for i in range(len(tokens)) if (new := same_meaning(tokens, i)) and new not in words]
    if not found:
        return None
    at, new = rng.choice(found)
    return articled(put(tokens, at, at + 1, like(new, tokens[at].word).split()))


def same_meaning(tokens: Tokens, at: int) -> str:
    """A synonym of the word at a place, as it is used there; empty for none."""
    word, told = tokens[at].word.lower(), tokens[at].tag
    before = tokens[at - 1].tag if at else "PUN"
    after = tokens[at + 1].tag if at + 1 < len(tokens) else "PUN"
    if (at and tokens[at].word[:1].isupper()) or (at + 1 < len(tokens) and tokens[at + 1].gap == "" and after != "PUN"):
        return ""
    penn = {"VVD": "VBD", "VVG": "VBG", "VVZ": "VBZ", "VVI": "VB", "VVB": "VB", "VVN": "VBN"}.get(told)
    if penn and after not in ("AVP",):
        return verb_forms(EQUAL_VERBS, penn).get(word, "")
    if told in ("NN1", "NN2") and after not in NOUNS and before not in (*NOUNS, "AV0", "CJT", "DTQ", "PNP"):
        return noun_forms(EQUAL_NOUNS, told).get(word, "")
    if (
        told == "AJ0"
        and (before in BEFORE_ADJECTIVES or before in ("VBZ", "VBB", "VBD"))
        and near(tokens, at).isdisjoint(IDIOMS)
    ):
        return pairs(EQUAL_ADJECTIVES).get(word, "") if after in ("NN1", "NN2", "PUN", "PRP") else ""
    far = word in ("nearly", "almost") and negated(tokens[max(at - 2, 0) : at])  # "not nearly": far
    loose = told in ("AV0", "PRP", "CJS") and not (told == "AV0" and after in NOUNS) and not far
    return pairs(EQUAL_OTHERS).get(word, "") if loose else ""


WORDS = (
    Rule("opposite", "antonym", 0, opposite, "The old door is open.", "The old door is closed."),
    Rule("entity", "entity", 0, entity, "She was born in Norway.", "She was born in Japan."),
    Rule("synonym", "synonym", 1, synonym, "The kids bought a sofa.", "The kids bought a couch."),
)
