"""Near-misses of who did what to whom."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random

from onnx_export.generators.edits_rewrites import exchange, like, put
from onnx_export.generators.rule import Rule
from onnx_export.generators.spans import (
    BE_FORMS,
    MARKS,
    MODALS,
    NOUNS,
    animate,
    asked,
    low,
    many,
    movable,
    phrase,
)
from onnx_export.generators.tagging import Tokens
from onnx_export.generators.vocabulary_edits import ACTIONS, GIVING, OBJECT_TO_SUBJECT, SUBJECT_TO_OBJECT, forms

#: Nouns of a relation that does not hold both ways.
RELATIONS = frozenset(
    "father mother son daughter grandson grandfather author founder owner president teacher student pupil successor "
    "predecessor nephew uncle aunt niece capital disciple mentor manager coach parent child subsidiary director "
    "leader creator producer brother-in-law part suburb district division".split()
)
TRAVEL = frozenset(
    "went moved travelled traveled flew drove walked sailed sent transferred relocated emigrated returned "
    "migrated runs ran marched fled transported traded flying driving walking travelling traveling moving "
    "sailing flight flights train trains bus buses ferry ferries ticket tickets trip trips route directions drive "
    "travel travels fly get go going goes walk transfer move ship "
    "import imported importing migrate came come comes coming return upgrade upgraded".split()
)
LEGS = {"from": "to", "to": "from"}
TAKERS = frozenset("the a an".split())
Span = tuple[int, int]
#: Words between a subject and its verb.
BETWEEN = BE_FORMS | MODALS | frozenset("being been has had have also then".split())
#: Tags of a word that a phrase may belong to: before it, and behind it.
JOINED = ("PRP", "PRF", "CJC", "AT0", "AJ0", "DPS", "CRD", "ORD", *NOUNS)
GOING_ON = ("CRD", "PRF", "CJC", "VVG", "AJ0", *NOUNS)
#: Words with which a phrase cannot change places: pronouns, what points to another phrase, and a dish.
UNFIT = frozenset({*SUBJECT_TO_OBJECT, *OBJECT_TO_SUBJECT, "other", "another", "hot"})


def agents(tokens: Tokens, rng: Random) -> Tokens | None:
    """Who acts and who is acted on, exchanged."""
    words = low(tokens)
    if marked(tokens):
        return None
    pairs = [spot for at in range(1, len(tokens) - 1) if (spot := acting(tokens, at))]
    if not pairs or {"each", "together", "both"} & set(words):
        return None
    (a, b), (c, d) = rng.choice(pairs)
    return exchange(tokens, (a, b), (c, d))


def marked(tokens: Tokens) -> bool:
    """Whether quotes, brackets or initials make it unsure where a name ends."""
    return any(token.word in MARKS or token.word == "." for token in tokens[:-1])


def acting(tokens: Tokens, at: int) -> tuple[Span, Span] | None:
    """The two noun phrases around a verb at the place that can change places; None where there is no such verb."""
    words = low(tokens)
    told = {"VVD": "VBD", "VVZ": "VBZ", "VVG": "VBG", "VVN": "VBN", "VVI": "VB"}.get(tokens[at].tag)
    known = words[at] in (ACTIONS if told == "VB" else forms(ACTIONS, told) if told else ())
    if not known or words[at] == "called" or (told == "VBN" and words[at + 1] != "by"):
        return None
    start = at + 1 + (told == "VBN")
    end = phrase(tokens, start)
    back = at - 1
    while back > 0 and words[back] in BETWEEN:
        back -= 1
    wide = range(max(0, back - 4), back + 1)
    first = next((i for i in wide if phrase(tokens, i) == back + 1 and not inside(tokens, i)), back + 1)
    if end <= start or first > back or not fits(tokens, (first, back + 1), (start, end)):
        return None
    return (first, back + 1), (start, end)


def inside(tokens: Tokens, at: int) -> bool:
    """Whether the phrase that begins here goes on to the left, or hangs on a preposition or a conjunction."""
    before = tokens[at - 1]
    return at > 0 and (before.tag in JOINED or before.word.lower() in ("and", "or", "to", "than", "as"))


def fits(tokens: Tokens, left: Span, right: Span) -> bool:
    """Whether the two are of one kind, differ, agree with the verb in either order, and end where they seem to."""
    (a, b), (c, d) = left, right
    words = low(tokens)
    one, two = tokens[a:b], tokens[c:d]
    said = {*words[a:b], *words[c:d]}
    acted = any(animate(x.word) and y.tag in NOUNS for part in (one, two) for x, y in pairwise(part))
    owned = any(t.tag in ("DPS", "ORD") or t.word.endswith(("'s", "’s")) for t in one + two)
    if acted or owned or words[b - 1] == words[d - 1] or said & UNFIT or not movable(tokens, a):
        return False
    after = tokens[d] if d < len(tokens) else None
    if after and (after.tag in GOING_ON or after.word.lower() in ("'", "-", ",", "(", "of", "and", "who")):
        return False
    named = one[-1].tag == two[-1].tag == "NP0"
    same = many(tokens, a, b) == many(tokens, c, d)
    return same and (named or (animate(words[b - 1]) and animate(words[d - 1])))


def pronouns(tokens: Tokens, rng: Random) -> Tokens | None:
    """ "She helped him" as "He helped her"."""
    words = low(tokens)
    if asked(tokens):
        return None
    for at in range(1, len(words) - 1):
        told = {"VVD": "VBD", "VVI": "VB"}.get(tokens[at].tag)
        known = (told == "VBD" and words[at] in forms(ACTIONS, "VBD")) or (told == "VB" and words[at] in ACTIONS)
        who, whom = at - 1, at + 1
        while who > 0 and words[who] in MODALS | {"did", "didn't", "not", "also", "never"}:
            who -= 1
        if (
            not known
            or words[who] not in SUBJECT_TO_OBJECT
            or words[whom] not in OBJECT_TO_SUBJECT
            or words[who] in ("it", "you")
        ):
            continue
        after = tokens[whom + 1] if whom + 1 < len(tokens) else None
        if SUBJECT_TO_OBJECT[words[who]] == words[whom] or (after and after.tag in (*NOUNS, "AJ0", "ORD", "CRD")):
            continue
        if who and tokens[who - 1].word.lower() in ("and", "or"):
            continue
        new = OBJECT_TO_SUBJECT[words[whom]]
        made = put(tokens, whom, whom + 1, [SUBJECT_TO_OBJECT[words[who]]])
        return put(
            made,
            who,
            who + 1,
            ["I" if new == "i" else like(new, tokens[who].word) if tokens[who].word != "I" or not who else new],
        )
    return None


def related(tokens: Tokens, rng: Random) -> Tokens | None:
    """ "Ann is the mother of Ben" as "Ben is the mother of Ann"."""
    words = low(tokens)
    for at in range(2, len(words) - 2):
        if (
            marked(tokens)
            or words[at] not in RELATIONS
            or words[at + 1] != "of"
            or words[at - 1] not in ("the", "a", "an")
        ):
            continue
        left = phrase(tokens, 0)
        end = phrase(tokens, at + 2)
        if left != at - 2 or words[at - 2] not in ("is", "was") or tokens[left - 1].tag != "NP0" or end == at + 2:
            continue
        if (
            tokens[end - 1].tag == "NP0"
            and tokens[at + 2].tag == "NP0"
            and tokens[0].tag == "NP0"
            and words[end : end + 1] != ["and"]
        ):
            return exchange(tokens, (0, left), (at + 2, end))
    return None


def journey(tokens: Tokens, rng: Random) -> Tokens | None:
    """ "From Oslo to Rome" as "from Rome to Oslo"."""
    words = low(tokens)
    if marked(tokens):
        return None
    for at, middle, end in legs(tokens):
        kinds = {tokens[middle - 1].tag == "NP0", tokens[end - 1].tag == "NP0"}
        digits = any(t.tag == "CRD" for t in tokens[at:end])
        if words[at] == "from" and kinds == {True} and not digits and words[middle - 1] != words[end - 1]:
            return exchange(tokens, (at + 1, middle), (middle + 1, end))
    return None


def legs(tokens: Tokens) -> Iterator[tuple[int, int, int]]:
    """Where "from … to …" and "to … from …" stand behind a word of travel: either preposition, and the end.

    Example:
        >>> from onnx_export.generators.tagging import tag
        >>> list(legs(tag("He moved from Oslo to Rome.")))
        [(2, 4, 6)]
    """
    words = low(tokens)
    for at in range(1, len(words) - 3):
        if words[at] not in LEGS or not TRAVEL & set(words[:at]):
            continue
        middle = phrase(tokens, at + 1)
        if middle == at + 1 or middle >= len(words) or words[middle] != LEGS[words[at]]:
            continue
        end = phrase(tokens, middle + 1)
        if end > middle + 1:
            yield at, middle, end


def giver(tokens: Tokens, rng: Random) -> Tokens | None:
    """Who gives and who is given, exchanged."""
    words = low(tokens)
    verbs = {form for tag in ("VBD", "VBZ", "VBG") for form in forms(GIVING, tag)}
    for at in range(1, len(words) - 3):
        if words[at] not in verbs or "to" not in words[at:]:
            continue
        left = phrase(tokens, 0)
        to = words.index("to", at)
        thing, end = phrase(tokens, at + 1), phrase(tokens, to + 1)
        if thing != to or left not in (at, at - 1) or end == to + 1 or not fits(tokens, (0, left), (to + 1, end)):
            continue
        return exchange(tokens, (0, left), (to + 1, end))
    return None


ROLES = (
    Rule("agents", "role", 0, agents, "The dog chased the cat.", "The cat chased the dog."),
    Rule("pronouns", "role", 0, pronouns, "She helped him.", "He helped her."),
    Rule("related", "role", 0, related, "Ann is the mother of Ben.", "Ben is the mother of Ann."),
    Rule("journey", "role", 0, journey, "He moved from Oslo to Rome.", "He moved from Rome to Oslo."),
    Rule("giver", "role", 0, giver, "The girl gave a book to the boy.", "The boy gave a book to the girl."),
)
