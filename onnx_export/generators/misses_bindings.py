"""Near-misses of what belongs to what: two attributes, or two numbers, exchanged."""

from __future__ import annotations

from random import Random

from onnx_export.generators.edits_rewrites import SMALL, like, put
from onnx_export.generators.rule import Rule
from onnx_export.generators.spans import articled, low, phrase
from onnx_export.generators.tagging import Tokens

#: Words of one dimension each; only words of the same one are exchanged, and none of those that say nearly the same.
DIMENSIONS = tuple(
    frozenset(row.split())
    for row in (
        "red blue green yellow black white brown gray orange purple pink golden silver blond blonde",
        "wooden metal plastic leather stone brick glass concrete steel",
        "old young", "large small", "big small", "big little", "tall short", "long short", "wet dry", "empty full",
        "french german italian spanish american british russian chinese japanese indian canadian australian "
        "polish dutch swedish norwegian danish mexican brazilian turkish greek african",
    )
)  # fmt: skip
#: Nouns with which a word of colour or nationality is part of a name.
NAMED_COLOUR = frozenset(
    "house cross belt tea juice wine bread pepper bear flag carpet card board sea army market bean beans "
    "onion onions light lights man men woman women people person boy boys girl girls bit and or language "
    "empire war revolution".split()
)
BESIDE_NUMBER = frozenset("or to the of - least than".split())
CHILDREN = frozenset("boy boys girl girls baby babies child children kid kids".split())


def attributes(tokens: Tokens, rng: Random) -> Tokens | None:
    """The adjectives of two nouns exchanged."""
    words = low(tokens)
    spots = [i for i in range(len(tokens) - 1) if binds(tokens, i)]
    pairs = [(i, j) for i in spots for j in spots if i < j and exchangeable(tokens, i, j)]
    if not pairs:
        return None
    i, j = rng.choice(pairs)
    new = words[j].title() if tokens[j].word[0].isupper() and tokens[i].word[0].isupper() and i else tokens[j].word
    made = put(tokens, i, i + 1, [like(new, tokens[i].word)])
    old = tokens[i].word if i or tokens[j].word[0].isupper() else words[i]
    return articled(put(made, j, j + 1, [old]))


def binds(tokens: Tokens, at: int) -> bool:
    """Whether the word is one adjective alone before its noun."""
    words = low(tokens)
    known = any(words[at] in row for row in DIMENSIONS)
    before = tokens[at - 1] if at else None
    alone = (
        before is None or before.tag in ("AT0", "DPS", "PRP", "CRD", "DT0", "CJC", "VVG", "PRF") or before.word == ","
    )
    touched = (
        before is not None
        and before.word.lower() in ("and", ",", "or")
        and at > 1
        and tokens[at - 2].tag in ("AJ0", "NN1")
        and any(words[at - 2] in row for row in DIMENSIONS)
    )
    nouns = tokens[at + 1].tag in ("NN1", "NN2") and words[at + 1] not in NAMED_COLOUR and tokens[at + 1].gap != ""
    return known and alone and not touched and nouns and tokens[at].word[1:].islower()


def head(tokens: Tokens, at: int) -> int:
    """Where the last noun of the phrase stands."""
    while at + 1 < len(tokens) and tokens[at + 1].tag in ("NN1", "NN2"):
        at += 1
    return at


def exchangeable(tokens: Tokens, i: int, j: int) -> bool:
    """Whether exchanging the two adjectives says something else."""
    words = low(tokens)
    one, two = words[i], words[j]
    nouns = words[head(tokens, i + 1)], words[head(tokens, j + 1)]
    same_row = any(one in row and two in row for row in DIMENSIONS) and one != two and {one, two} != {"blond", "blonde"}
    listed = words[i - 1 : i] == [","] or words.count(one) > 1 or words.count(two) > 1
    aged = {one, two} == {"old", "young"} and bool(CHILDREN & set(nouns))
    return same_row and nouns[0] != nouns[1] and not listed and not aged and not {"respectively", "versa"} & set(words)


def numbered(tokens: Tokens, at: int) -> bool:
    """Whether a number word stands before its plural noun."""
    words = low(tokens)
    fits = words[at] in SMALL and tokens[at + 1].tag in ("NN2", "AJ0")
    apart = at == 0 or (tokens[at - 1].tag not in ("CRD", "ORD") and words[at - 1] not in BESIDE_NUMBER)
    return fits and apart and tokens[phrase(tokens, at) - 1].tag == "NN2"


def amounts(tokens: Tokens, rng: Random) -> Tokens | None:
    """The numbers of two nouns exchanged."""
    words = low(tokens)
    spots = [i for i in range(len(tokens) - 1) if numbered(tokens, i)]
    pairs = [(i, j) for i in spots for j in spots if i < j and words[i] != words[j] and "versa" not in words]
    pairs = [(i, j) for i, j in pairs if words[phrase(tokens, i) - 1] != words[phrase(tokens, j) - 1]]
    if not pairs:
        return None
    i, j = rng.choice(pairs)
    made = put(tokens, i, i + 1, [like(words[j], tokens[i].word)])
    return put(made, j, j + 1, [words[i]])


BINDINGS = (
    Rule("attributes", "binding", 0, attributes, "A red car and a blue bicycle.", "A blue car and a red bicycle."),
    Rule("amounts", "binding", 0, amounts, "Two dogs chased three cats.", "Three dogs chased two cats."),
)
