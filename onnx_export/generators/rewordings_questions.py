"""Rewritings of questions and search queries: indirect, by other words that ask, in another order, in the passive."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from random import Random

from onnx_export.generators.edits_rewrites import put
from onnx_export.generators.misses_roles import LEGS, legs
from onnx_export.generators.phrase import inflect
from onnx_export.generators.questions import base, question, told
from onnx_export.generators.rewordings_order import MONTHS, THIRD
from onnx_export.generators.rewordings_voice import placed, plain
from onnx_export.generators.rule import Rule
from onnx_export.generators.spans import clause, joined, last, low, many, negated, tied
from onnx_export.generators.tagging import Token, Tokens
from onnx_export.generators.vocabulary_edits import DEEDS, forms

#: Verbs with which "how do I" asks for more than a way to do it.
NO_DEEDS = frozenset("look feel sound seem like think know be have".split())
#: Words behind which "if" means "whether".
WHETHER = frozenset(
    "know see tell check ask wonder wondering sure determine verify find confirm matter care mind out decide test say "
    "even only as and or but than".split()
)


def indirect(frame: str, tokens: Tokens, rng: Random) -> Tokens | None:
    """The question inside a sentence that asks for it; the frame's last character closes it."""
    found = question(tokens)
    if found is None or (low(tokens)[1] == "you" and low(tokens)[0] in ("can", "could", "will", "would")):
        return None  # "Can you tell me …" is a request
    return joined(tokens, frame[:-1], told(tokens, found), (Token(frame[-1], "PUN", ""),))


def how_can(tokens: Tokens, rng: Random) -> Tokens | None:
    """ "How do I" as "How can I", or the other way round."""
    words = low(tokens)
    if not ways(tokens):
        return None
    return put(tokens, 1, 2, ["can" if words[1] == "do" else "do"])


def what_to_do(tokens: Tokens, rng: Random) -> Tokens | None:
    """ "How do I" as "What do I have to do to"."""
    return joined(tokens, "what do", tokens[2:3], "have to do to", tokens[3:]) if ways(tokens) else None


def ways(tokens: Tokens) -> bool:
    """Whether the question is of how one does something."""
    words = low(tokens)
    opened = words[:1] == ["how"] and len(words) > 4 and words[1] in ("do", "can") and words[2] in ("i", "we")
    return opened and base(tokens, 3) is not None and words[3] not in NO_DEEDS and not negated(tokens)


def if_order(tokens: Tokens, rng: Random) -> Tokens | None:
    """A question's condition from its end to its front."""
    words, stop = low(tokens), last(tokens)
    spots = [i for i in range(3, stop - 2) if words[i] == "if"]
    if len(spots) != 1 or words[-1] != "?" or {",", "or", "and", "then"} & set(words):
        return None
    at = spots[0]
    asks, side = tokens[:at], tokens[at + 1 : stop]
    asked = question((*asks, tokens[-1])) or words[:2] == ["what", "happens"]
    if words[at - 1] in WHETHER | {"me", "us"} or not asked or clause(side) is None or THIRD & set(words):
        return None
    return joined(tokens, (tokens[at],), side, (Token(",", "PUN", ""),), asks, tokens[stop:])


def asked_passive(tokens: Tokens, rng: Random) -> Tokens | None:
    """A question in the passive: "Who was … built by", "When was … built by …"."""
    found = question(tokens)
    if found is None or negated(tokens):
        return None
    words, past = low(tokens), forms(DEEDS, "VBD")
    own = found.helper < 0
    if own:
        deed, at = past.get(words[found.asking]), found.asking
    else:
        deed = words[found.end] if words[found.helper] == "did" and words[found.end] in DEEDS else None
        at = found.end
    end = tied(tokens, at + 1, frozenset(["of"])) if deed and at + 1 < found.stop else at
    target, rest = tokens[at + 1 : end], tokens[end : found.stop]
    if deed in (None, "make") or not target or not plain(target) or not placed(rest):
        return None
    be, done = ("was", "were")[many(tokens, at + 1, end)], inflect(deed, "VBN")
    if own:
        return joined(tokens, tokens[:at], be, target, done, "by", rest, tokens[found.stop :]) if not rest else None
    subject = tokens[found.start : found.end]
    if not plain(subject) or subject[0].tag == "PNP" or words[found.asking - 1] in ("what", "who", "which"):
        return None
    return joined(tokens, tokens[: found.asking], be, target, done, "by", subject, rest, tokens[found.stop :])


def journey_order(tokens: Tokens, rng: Random) -> Tokens | None:
    """ "From Oslo to Rome" as "to Rome from Oslo", or the other way round."""
    words, stop = low(tokens), last(tokens)
    for at, middle, end in legs(tokens):
        names = (*tokens[at + 1 : middle], *tokens[middle + 1 : end])
        named = all(token.tag == "NP0" and token.word.lower() not in MONTHS for token in names)
        closed = end == stop or words[end] in ("in", "on", "at", "with", "without", "by", "for")
        lone = not LEGS.keys() & set(words[at - 2 : at]) and tokens[at - 1].tag[:1] in ("N", "V")
        if named and closed and lone:
            first = replace(tokens[middle], gap=" ")
            return (*tokens[:at], first, *tokens[middle + 1 : end], *tokens[at:middle], *tokens[end:])
    return None


QUESTIONS = (
    Rule(
        "would_know", "indirect_question", 1, partial(indirect, "I would like to know ."),
        "When did the bank close?", "I would like to know when the bank closed.",
    ),
    Rule(
        "tell_me", "indirect_question", 1, partial(indirect, "Can you tell me ?"),
        "Is the pool open?", "Can you tell me whether the pool is open?",
    ),
    Rule("how_can", "how_to", 1, how_can, "How do I cancel my order?", "How can I cancel my order?"),
    Rule(
        "what_to_do", "how_to", 1, what_to_do,
        "How do I cancel my order?", "What do I have to do to cancel my order?",
    ),
    Rule(
        "if_order", "clause_order", 1, if_order,
        "Can I get a refund if I pay late?", "If I pay late, can I get a refund?",
    ),
    Rule("asked_passive", "passive", 1, asked_passive, "Who built the bridge?", "Who was the bridge built by?"),
    Rule(
        "journey_order", "phrase_order", 1, journey_order,
        "He moved from Oslo to Rome.", "He moved to Rome from Oslo.",
    ),
)  # fmt: skip
