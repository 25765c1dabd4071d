"""Relations with two sides: said the other way round, or with the sides exchanged."""

from __future__ import annotations

from random import Random

from onnx_export.generators.edits_rewrites import relation
from onnx_export.generators.edits_words import CONVERSE
from onnx_export.generators.misses_degrees import opposite_degree
from onnx_export.generators.rewordings_voice import cased, placed, plain
from onnx_export.generators.rule import Rule
from onnx_export.generators.spans import (
    BE_FORMS,
    animate,
    asked,
    clause,
    joined,
    last,
    low,
    many,
    movable,
    negated,
    phrase,
    tied,
)
from onnx_export.generators.tagging import Tokens
from onnx_export.generators.vocabulary_edits import MUTUAL, OBJECT_TO_SUBJECT, SUBJECT_TO_OBJECT, forms

#: What holds both ways.
MUTUAL_PLACES = (
    "next to", "near", "beside", "adjacent to", "alongside", "parallel to", "close to", "far from", "far away from",
    "perpendicular to", "touching", "opposite", "married to", "similar to", "identical to", "different from",
    "connected to", "equal to", "equivalent to", "near to", "friends with", "talking with", "chatting with",
    "arguing with", "dancing with", "shaking hands with", "holding hands with",
)  # fmt: skip
MUTUAL_VERBS = forms(MUTUAL, "VBD") | {"borders": "border", "resembles": "resemble", "bordered": "border"}
#: Relations of place that never hold both ways.
ONE_WAY = (
    "on top of", "above", "below", "under", "underneath", "beneath", "over", "behind", "in front of",
    "at the left side of", "at the right side of", "to the left of", "to the right of", "inside", "in", "on",
    "north of", "south of", "east of", "west of", "part of", "ahead of", "within",
)  # fmt: skip


def mutual(tokens: Tokens, rng: Random) -> Tokens | None:
    """A relation that holds both ways, its two sides exchanged."""
    found = clause(tokens)
    words, stop = low(tokens), last(tokens)
    if found is None or found.start or negated(tokens) or found.end != found.verb:
        return None
    verb, start = found.verb, found.verb + 1
    if words[verb] in BE_FORMS:
        told = next((w for w in MUTUAL_PLACES if words[start : start + len(w.split())] == w.split()), "")
        start += len(told.split())
        if not told or (told == "touching" and any(animate(token.word) for token in tokens)):
            return None
    elif words[verb] not in MUTUAL_VERBS or tokens[verb].tag not in ("VVD", "VVZ"):
        return None
    end = phrase(tokens, start) if tokens[verb].tag in ("VVD", "VVZ") else stop
    left, right, rest = tokens[:verb], tokens[start:end], tokens[end:stop]
    whole = right and (tied(tokens, start) == end or phrase(tokens, start) == end)
    if not whole or not placed(rest) or not plain(left) or not plain(right) or not movable(tokens, 0):
        return None
    if words[verb] in ("resembles", "borders") and many(tokens, start, stop):
        return None
    pronouns = {*SUBJECT_TO_OBJECT, *OBJECT_TO_SUBJECT}
    if {*low(left), *low(right)} & pronouns:
        return None
    be = agreeing(words[verb], many(tokens, start, stop))
    return joined(tokens, right, be, tokens[verb + 1 : start], left, rest, tokens[stop:])


def agreeing(verb: str, plural: bool) -> str:
    """A form of be that agrees; any other verb as it is."""
    pairs = {"is": "are", "was": "were"}
    single = {two: one for one, two in pairs.items()}
    return pairs.get(verb, verb) if plural else single.get(verb, verb)


def converse(tokens: Tokens, rng: Random) -> Tokens | None:
    """A relation of place by its converse, its two sides exchanged."""
    found, place = clause(tokens), relation(tokens)
    words, stop = low(tokens), last(tokens)
    if found is None or place is None or found.start or negated(tokens) or words[found.verb] not in BE_FORMS:
        return None
    start, end, one, other = place
    known = one in CONVERSE and other in CONVERSE and start == found.verb + 1 == found.end + 1
    right = tokens[end:stop]
    if (
        not known
        or phrase(tokens, end) != stop
        or not plain(tokens[: found.end])
        or not plain(right)
        or not movable(tokens, 0)
    ):
        return None
    if {*SUBJECT_TO_OBJECT, *OBJECT_TO_SUBJECT} & {words[0], words[stop - 1]} or right[-1].tag == "CRD":
        return None
    be = agreeing(words[found.verb], many(tokens, end, stop))
    return joined(tokens, right, f"{be} {other}", tokens[: found.end], tokens[stop:])


def comparative_inversion(tokens: Tokens, rng: Random) -> Tokens | None:
    """ "A is longer than B" as "B is shorter than A"."""
    found = clause(tokens)
    words, stop = low(tokens), last(tokens)
    if found is None or found.start or negated(tokens) or words.count("than") != 1 or words[found.verb] not in BE_FORMS:
        return None
    than = words.index("than")
    degree = opposite_degree(tokens, found.verb + 1, than)
    right = tokens[than + 1 : stop]
    if (
        degree is None
        or found.end != found.verb
        or tied(tokens, than + 1, frozenset(["of"])) != stop
        or not plain(right)
    ):
        return None
    left = tokens[: found.end]
    pronoun = low(left)[0] in SUBJECT_TO_OBJECT
    apart = not any(t.tag == "CRD" or t.word[0].isdigit() for t in right) and low(right)[-1] not in OBJECT_TO_SUBJECT
    if not apart or low(right)[0] in SUBJECT_TO_OBJECT or not (plain(left) or pronoun) or not movable(tokens, 0):
        return None
    be = agreeing({"am": "is"}.get(words[found.verb], words[found.verb]), many(tokens, than + 1, stop))
    return joined(tokens, right, f"{be} {degree} than", cased(left, SUBJECT_TO_OBJECT), tokens[stop:])


#: What "smaller" denies, by the comparative that leaves open whether either is large.
UNMARKED = {
    "smaller": "large", "lower": "high", "younger": "old", "slower": "fast", "weaker": "strong",
    "cheaper": "expensive", "narrower": "wide", "easier": "difficult",
    "quieter": "loud", "poorer": "rich", "shallower": "deep", "colder": "warm", "softer": "hard",
}  # fmt: skip


#: Adjectives that "less" does not go with.
SHORT = frozenset({"good", "bad", "big", "small", "tall", "long", "heavy", "thick", *UNMARKED.values()})


def equative(tokens: Tokens, rng: Random) -> Tokens | None:
    """ "Less heavy than" and "lighter than" as "not as heavy as", or the other way round."""
    words = low(tokens)
    for at in range(1, len(words) - 3):
        be, denied = words[at], words[at].removesuffix("n't")
        parted = be in BE_FORMS and words[at + 1] == "not"
        start = at + 1 + parted
        if (parted or denied in BE_FORMS - {be}) and words[start] == "as" and words[start + 2 : start + 3] == ["as"]:
            if words[start + 1] in SHORT:
                continue
            return joined(
                tokens, tokens[:at], f"{denied} less", tokens[start + 1 : start + 2], "than", tokens[start + 3 :]
            )
        if be not in BE_FORMS or negated(tokens) or asked(tokens):
            continue
        less = words[at + 1] == "less" and tokens[at + 2].tag == "AJ0" and words[at + 3] == "than"
        if less and len(tokens) > at + 4 and tokens[at + 4].tag not in ("CRD", "AJ0"):
            return joined(tokens, tokens[: at + 1], "not as", tokens[at + 2 : at + 3], "as", tokens[at + 4 :])
        if words[at + 1] in UNMARKED and words[at + 2] == "than" and tokens[at + 3].tag not in ("CRD", "AJ0"):
            return joined(tokens, tokens[: at + 1], f"not as {UNMARKED[words[at + 1]]} as", tokens[at + 3 :])
    return None


def sides(tokens: Tokens, rng: Random) -> Tokens | None:
    """The two sides of a relation of place that does not hold both ways, exchanged."""
    found = clause(tokens)
    words, stop = low(tokens), last(tokens)
    if found is None or found.start or negated(tokens) or words[found.verb] not in BE_FORMS or found.end != found.verb:
        return None
    start = found.verb + 1
    told = next((w for w in ONE_WAY if words[start : start + len(w.split())] == w.split()), "")
    start += len(told.split())
    return around(tokens, found.end, start, stop) if told else None


def arguments(tokens: Tokens, rng: Random) -> Tokens | None:
    """The two sides of a comparison exchanged."""
    found = clause(tokens)
    words, stop = low(tokens), last(tokens)
    if found is None or found.start or negated(tokens) or words.count("than") != 1 or found.end != found.verb:
        return None
    than = words.index("than")
    compared = than - found.verb < 5 and any(
        t.tag == "AJC" or t.word in ("more", "less") for t in tokens[found.verb : than]
    )
    plain_verb = (
        words[found.verb] in BE_FORMS and compared and words[than - 1] not in ("more", "less", "other", "rather")
    )
    return around(tokens, found.end, than + 1, stop) if plain_verb else None


def around(tokens: Tokens, end: int, start: int, stop: int) -> Tokens | None:
    """The subject, up to `end`, and what stands from `start` to `stop` exchanged; None where that is no noun phrase."""
    left, right = tokens[:end], tokens[start:stop]
    words = {*low(left), *low(right)}
    whole = bool(right) and phrase(tokens, start) == stop and plain(left) and plain(right) and movable(tokens, 0)
    if not whole or words & {*SUBJECT_TO_OBJECT, *OBJECT_TO_SUBJECT} or any(t.tag == "CRD" for t in right):
        return None
    if low(left)[-1] == low(right)[-1]:
        return None
    be = agreeing(low(tokens)[end], many(tokens, start, stop))
    return joined(tokens, right, be, tokens[end + 1 : start], left, tokens[stop:])


RELATIONS = (
    Rule("mutual", "symmetric", 1, mutual, "The bench is near the tree.", "The tree is near the bench."),
    Rule("converse", "converse", 1, converse, "The cup is above the plate.", "The plate is below the cup."),
    Rule("sides", "spatial", 0, sides, "The cup is on the table.", "The table is on the cup."),
    Rule(
        "arguments", "comparative", 0, arguments,
        "The Danube is longer than the Rhine.", "The Rhine is longer than the Danube.",
    ),
    Rule(
        "equative", "comparative_inversion", 1, equative,
        "The van is cheaper than the bus.", "The van is not as expensive as the bus.",
    ),
    Rule(
        "comparative_inversion", "comparative_inversion", 1, comparative_inversion,
        "The Danube is longer than the Rhine.", "The Rhine is shorter than the Danube.",
    ),
)  # fmt: skip
