"""Rewritings that change the order of clauses, phrases of time and conjuncts."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from onnx_export.generators.edits_rewrites import swap_conjuncts
from onnx_export.generators.rule import Rule
from onnx_export.generators.spans import (
    ENDS,
    FINITE,
    MARKS,
    MODALS,
    clause,
    joined,
    last,
    low,
    movable,
    negated,
    phrase,
)
from onnx_export.generators.tagging import Token, Tokens
from onnx_export.generators.vocabulary_edits import LASTING

OPENERS = frozenset("when because although though if while after before since until unless whenever once".split())
#: Words before a clause that hold on to it.
HOLDING = frozenset(
    "only just even especially particularly not but and or right long shortly soon immediately day days year years "
    "week weeks month months hours minutes more than , ; as is was are were even".split()
)
#: Words that may begin a further clause.
LINKING = frozenset("and but or so".split()) | OPENERS
#: Words behind which a phrase of time may belong to a part of the sentence alone.
JOINING = frozenset("and but or that which who to , as than".split())
#: Verbs whose clause a subordinate one may belong to.
HOPING = frozenset(
    (
        "hope hopes hoped think thinks thought say says believe believes wish know knows feel feels guess "
        "mean see sees tell tells ask asks wonder learn decide remember"
    ).split()
)
THIRD = frozenset("he she it they him her his its their them this that these those".split())
HELPERS = frozenset("is are was were been being be has have had also".split())
MONTHS = frozenset(
    "january february march april june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday".split()
)


def clause_order(tokens: Tokens, rng: Random) -> Tokens | None:
    """A subordinate clause from the front to the end, or from the end to the front."""
    words, stop = low(tokens), last(tokens)
    commas = [i for i in range(stop) if words[i] == ","]
    if (
        stop == len(tokens)
        or stop > 32
        or {'"', "“", "(", ":", ";", "'", "”", "-", "–"} & set(words)
        or words[-1] == "?"
    ):
        return None
    if words[0] in OPENERS and len(commas) == 1:
        return to_the_end(tokens, commas[0])
    spots = [i for i in range(3, stop - 2) if words[i] in OPENERS]
    return to_the_front(tokens, spots[0]) if len(spots) == 1 and not commas else None


def to_the_end(tokens: Tokens, comma: int) -> Tokens | None:
    """ "When X, Y" as "Y when X"."""
    words, stop = low(tokens), last(tokens)
    side, main = tokens[1:comma], tokens[comma + 1 : stop]
    found = clause(main)
    inner = clause(side)
    if found is None or inner is None or found.start or {"and", "or", "but", "then", "so", "that"} & set(low(main)):
        return None
    if LINKING & set(low(side)) or nested(main) or told_twice(side):
        return None
    if set(low(main)) & THIRD or words[0] == "while":
        return None
    if words[0] in ("because", "until", "since") and negated(main):
        return None
    lead = replace(tokens[0], word=words[0], gap=" ")
    return joined(tokens, main, (lead,), side, tokens[stop:])


def to_the_front(tokens: Tokens, at: int) -> Tokens | None:
    """ "Y when X" as "When X, Y"."""
    words, stop = low(tokens), last(tokens)
    main, side = tokens[:at], tokens[at + 1 : stop]
    found, inner = clause(main), clause(side)
    if words[at - 1] in HOLDING or tokens[at - 1].tag.startswith("AV") or found is None or inner is None:
        return None
    if {"and", "or", "but", "that", "who", "which", "to", "what", "how", "whether", "so", "where", "said"} & set(
        words[:at]
    ):
        return None
    if LINKING & set(low(side)) or HOPING & set(words[:at]):
        return None
    if nested(main) or told_twice(side) or negated(main) or words[at] == "while" or not movable(tokens, 0):
        return None
    if len(side) > 14:
        return None
    pronoun = words[0] in THIRD and words[at + 1] != words[0]
    if pronoun or (words[0] in ("a", "an") and words[at + 1] in THIRD):
        return None
    comma = Token(",", "PUN", tokens[-1].gap)
    return joined(tokens, (tokens[at],), side, (comma,), main, tokens[stop:])


def nested(part: Tokens) -> bool:
    """Whether the part has more than one clause: two finite verbs, or two verbs besides auxiliaries."""
    return told_twice(part) or sum(token.tag.startswith("VV") for token in part) > 1


def told_twice(part: Tokens) -> bool:
    """Whether the part has two finite verbs."""
    return sum(token.tag in FINITE - {"VVN"} for token in part) > 1


def time_order(tokens: Tokens, rng: Random) -> Tokens | None:
    """A phrase of time from the end to the front, or from the front to the end."""
    words, stop = low(tokens), last(tokens)
    if (
        negated(tokens)
        or stop == len(tokens)
        or stop < 5
        or stop > 30
        or words[-1] == "?"
        or '"' in words
        or "“" in words
    ):
        return None
    front = time_phrase(tokens, 0)
    if front and words[front] == "," and words.count(",") == 1:
        main = tokens[front + 1 : stop]
        found = clause(main)
        if tokens[front + 1].word[0].isdigit() or (found and later_verbs(main, found.verb)):
            return None
        if found is None or {"and", "but", "or", "when", "that", "which", "who", "because", "if", "to"} & set(
            low(main)
        ):
            return None
        lead = replace(tokens[0], word=words[0], gap=" ")
        return joined(tokens, main, (lead, *tokens[1:front]), tokens[stop:])
    return time_to_front(tokens, words, stop)


def time_to_front(tokens: Tokens, words: list[str], stop: int) -> Tokens | None:
    """The phrase of time at the end put in front."""
    start = next((i for i in range(4, stop) if time_phrase(tokens, i) == stop), 0)
    before = tokens[:start]
    found = clause(before)
    if not start or found is None or found.start or not movable(tokens, 0):
        return None
    if later_verbs(before, found.verb) or (OPENERS | JOINING) & set(words[:start]):
        return None
    tight = tokens[start - 1].tag in ("VVN", "VVG") and start - 1 != found.verb and words[start - 2] not in HELPERS
    several = sum(token.tag[:2] in ("VV", "VB", "VH", "VD", "VM") for token in before) > 3
    if tight or several or before[-1].tag in ("PRP", "CRD"):
        return None
    comma = Token(",", "PUN", tokens[-1].gap)
    lead = tokens[start].to(words[start].title())
    return joined(tokens, (lead, *tokens[start + 1 : stop]), (comma,), before, tokens[stop:])


def later_verbs(tokens: Tokens, verb: int) -> bool:
    """Whether a verb beyond the main one's group could take the phrase for its own."""
    group = verb
    while group + 1 < len(tokens) and tokens[group].word.lower() in HELPERS | MODALS | {"not", "never"}:
        group += 1
        if tokens[group].tag[:1] != "V" and tokens[group].tag not in ("AV0", "XX0"):
            break
    return any(token.tag[:1] == "V" for token in tokens[group + 1 :])


def time_phrase(tokens: Tokens, start: int) -> int:
    """Where a phrase of time that begins here ends; 0 when none does."""
    words = low(tokens)
    size = len(words)
    if start + 1 >= size:
        return 0
    one, two = words[start], words[start + 1]
    if one in ("in", "during") and two.isdigit() and len(two) == 4:
        return start + 2
    if one in ("in", "on") and two in MONTHS:
        return start + 2 + sum(1 for w in words[start + 2 : start + 4] if w.isdigit())
    if one in ("in", "on", "during", "at") and start + 2 < size and two == "the" and words[start + 2] in LASTING:
        return start + 3 if words[start + 2] not in ("course", "past", "second", "minute", "time", "period") else 0
    if (
        one in ("last", "next")
        and words[start - 1] != "the"
        and two in LASTING - {"time", "course", "second", "minute", "past", "period"}
    ):
        return start + 2
    return start + 1 if one in ("yesterday", "tomorrow", "today") else 0


def conjuncts(tokens: Tokens, rng: Random) -> Tokens | None:
    """Two noun phrases around "and" in the other order."""
    words = low(tokens)
    if {"respectively", "between", "from", "then", "first", "both", "either", "former", "latter"} & set(words):
        return None
    if words.count("and") != 1 or "," in words:
        return None
    at = words.index("and")
    unclear = {"of", "with"} & set(words[max(0, at - 5) : at + 5]) or "." in words[:-1] or {"'", "`"} & set(words)
    if unclear or any(token.tag == "DPS" or token.word in MARKS for token in tokens):
        return None
    made = swap_conjuncts(tokens, rng)
    end = phrase(tokens, at + 1)
    start = next(
        (i for i in range(at - 1, -1, -1) if tokens[i].tag in ("AT0", "PRP", "PRF") or tokens[i].tag[:1] == "V"), 0
    )
    after = tokens[end] if end < len(tokens) else None
    closed = after is None or after.word in ENDS or after.word.lower() in ("are", "were", "have") or after.tag == "VVD"
    tied_to_noun = tokens[start].tag == "PRP" or (start and tokens[start - 1].tag == "PRP")
    loose = tied_to_noun and not any(token.tag[:1] == "V" for token in tokens[:start])
    alike = (tokens[at - 1].tag == "NP0") == (tokens[end - 1].tag == "NP0")
    named = tokens[at - 1].tag == "NP0" and tokens[at - 2].tag != "NP0" and end > at + 2
    surname = named and (at < 2 or tokens[at - 2].tag != "PRP")
    return made if closed and alike and not loose and not surname else None


ORDER = (
    Rule(
        "clause_order", "clause_order", 1, clause_order,
        "The crowd left when the rain started.", "When the rain started, the crowd left.",
    ),
    Rule("time_order", "clause_order", 1, time_order, "The old bank closed in 1994.", "In 1994, the old bank closed."),
    Rule("conjuncts", "conjunct_order", 1, conjuncts, "The dog and the cat slept.", "The cat and the dog slept."),
)  # fmt: skip
