"""Rewritings of a plain clause as a whole: active and passive, cleft, existential, dative."""

from __future__ import annotations

from random import Random

from onnx_export.generators.edits_rewrites import inflect_base
from onnx_export.generators.phrase import inflect
from onnx_export.generators.rule import Rule
from onnx_export.generators.spans import (
    BE_FORMS,
    FINITE,
    HAVE_FORMS,
    MODALS,
    NOUNS,
    animate,
    asked,
    clause,
    joined,
    last,
    low,
    many,
    movable,
    negated,
    person,
    phrase,
    tied,
)
from onnx_export.generators.tagging import Tokens
from onnx_export.generators.vocabulary_edits import DEEDS, GIVING, OBJECT_TO_SUBJECT, SUBJECT_TO_OBJECT, forms

#: Prepositions of a phrase that may stay behind the verb when the clause turns round.
PLACES = frozenset("in at on to into from through across during near under over onto behind".split())
#: Words in a noun phrase whose place in the sentence matters to what it says.
SCOPED = frozenset(
    "all every each both some any many most several few much no only more less fewer another other same different its "
    "his her their my our your own himself herself themselves itself one".split()
)
WHO = frozenset("he she we they i you".split())


def passive(tokens: Tokens, rng: Random) -> Tokens | None:
    """The passive of an active clause."""
    found = clause(tokens)
    if found is None or negated(tokens):
        return None
    act = active_verb(tokens, found.verb)
    if act is None or found.end != found.verb:
        return None
    words, start = act
    end = tied(tokens, start, frozenset(["of"]))
    subject, target, rest = tokens[found.start : found.end], tokens[start:end], tokens[end : last(tokens)]
    told = tokens[found.verb].tag == "VVD" or low(tokens)[found.verb] in HAVE_FORMS
    perfect = low(tokens)[found.verb] in HAVE_FORMS and end - start == 1
    if perfect or (told and rest and not dated(rest)):
        return None
    if end == start or not movable(tokens, found.start) or not plain(subject) or not plain(target) or not placed(rest):
        return None
    be = {"was": ("was", "were"), "is": ("is", "are"), "has": ("has", "have"), "": ("", "")}[words[0]]
    done = f"{be[many(tokens, start, end)]} {words[1]}".strip()
    agent = cased(subject, SUBJECT_TO_OBJECT)
    return joined(
        tokens, tokens[: found.start], cased(target, OBJECT_TO_SUBJECT), done, rest, "by", agent, tokens[last(tokens) :]
    )


def active_verb(tokens: Tokens, verb: int) -> tuple[tuple[str, str], int] | None:
    """What the passive says for the verb (its be or have to agree, and the rest), and where the object begins."""
    words = low(tokens)
    word, following = words[verb], words[verb + 1] if verb + 1 < len(words) else ""
    past, now, ing, done = (forms(DEEDS, tag) for tag in ("VBD", "VBZ", "VBG", "VBN"))
    if word in BE_FORMS and following in ing:
        return ("was" if word in ("was", "were") else "is", f"being {inflect(ing[following], 'VBN')}"), verb + 2
    if word in HAVE_FORMS and following in done:
        return ("has", f"been {following}") if word != "had" else ("", f"had been {following}"), verb + 2
    if word in MODALS and following in DEEDS:
        return ("", f"{word} be {inflect(following, 'VBN')}"), verb + 2
    if tokens[verb].tag == "VVD" and word in past:
        return ("was", inflect(past[word], "VBN")), verb + 1
    if tokens[verb].tag == "VVZ" and word in now:
        return ("is", inflect(now[word], "VBN")), verb + 1
    return None


def active(tokens: Tokens, rng: Random) -> Tokens | None:
    """The active of a passive clause that names who did it."""
    found = clause(tokens)
    words, stop = low(tokens), last(tokens)
    if found is None or negated(tokens) or found.end != found.verb or words[found.verb] not in BE_FORMS:
        return None
    be, at = words[found.verb], found.verb + 1
    ongoing = at < stop and words[at] == "being"
    at += ongoing
    base = forms(DEEDS, "VBN").get(words[at]) if at + 1 < stop else None
    if base is None or words[at + 1] != "by":
        return None
    end = tied(tokens, at + 2)
    agent, target = tokens[at + 2 : end], tokens[found.start : found.end]
    who = end > at + 2 and (person(agent[-1].word) or agent[-1].tag == "NP0" or person(agent[1 % len(agent)].word))
    if end != stop or not who or not plain(agent) or not plain(target) or not movable(tokens, found.start):
        return None
    group = many(tokens, at + 2, end)
    if ongoing:
        verb = f"{('was', 'were')[group] if be in ('was', 'were') else ('is', 'are')[group]} {inflect(base, 'VBG')}"
    elif be in ("was", "were"):
        verb = inflect(base, "VBD")
    else:
        verb = base if group else inflect(base, "VBZ")
    return joined(
        tokens,
        tokens[: found.start],
        cased(agent, OBJECT_TO_SUBJECT),
        verb,
        cased(target, SUBJECT_TO_OBJECT),
        tokens[stop:],
    )


def plain(part: Tokens) -> bool:
    """Whether a noun phrase says the same wherever in the clause it stands."""
    words = low(part)
    if any(
        animate(one) and tokens_tag in NOUNS
        for one, tokens_tag in zip(words[:-1], [t.tag for t in part[1:]], strict=True)
    ):
        return False
    return (
        bool(words)
        and not SCOPED & set(words)
        and words[0] not in ("it", "that", "this", "these", "those", "there", "you")
    )


def placed(rest: Tokens) -> bool:
    """Whether what follows the object is nothing, or one short phrase of place or time."""
    if not rest:
        return True
    words = low(rest)
    return (
        words[0] in PLACES
        and len(rest) < 7
        and phrase(rest, 1) == len(rest)
        and rest[-1].tag in (*NOUNS, "CRD")
        and not SCOPED & set(words)
    )


def dated(rest: Tokens) -> bool:
    """Whether a phrase tells a year, or a place by its name."""
    return low(rest)[0] in ("in", "at", "during") and (rest[-1].word.isdigit() or rest[-1].tag == "NP0")


def cased(part: Tokens, table: dict[str, str]) -> Tokens:
    """A pronoun in its other case; any other phrase as it is."""
    word = part[0].word.lower()
    if len(part) > 1 or word not in table:
        return part
    return (part[0].to("I" if table[word] == "i" else table[word]),)


def cleft(tokens: Tokens, rng: Random) -> Tokens | None:
    """The subject put in front: "It was … that …"."""
    found = clause(tokens)
    if found is None or found.start or found.end != found.verb or negated(tokens) or not movable(tokens, 0):
        return None
    subject, verb = tokens[: found.end], tokens[found.verb]
    words = low(tokens)
    action = verb.tag in ("VVD", "VVZ") or (
        words[found.verb] in BE_FORMS and [t.tag for t in tokens[found.verb + 1 : found.verb + 2]] == ["VVG"]
    )
    single = not {"and", "or", "but", ",", ";", "that", "if"} & set(words)
    if not action or not single or not plain(subject) or len(subject) > 8 or (len(subject) == 1 and words[0] in WHO):
        return None
    if verb.tag == "VVD" and any(token.tag in FINITE - {"VVN"} for token in tokens[found.verb + 1 :]):
        return None
    be = "was" if verb.tag == "VVD" or words[found.verb] in ("was", "were") else "is"
    head = next(
        (i for i in range(1, found.end) if words[i] in ("in", "on", "at", "with", "of", "from", "near")), found.end
    )
    link = "who" if person(words[head - 1]) else "that"
    return joined(tokens, f"it {be}", subject, link, tokens[found.verb :])


def existential(tokens: Tokens, rng: Random) -> Tokens | None:
    """ "There is …" put before an indefinite subject, or taken away."""
    words = low(tokens)
    if words[:1] == ["there"] and len(words) > 4 and words[1] in BE_FORMS:
        end = phrase(tokens, 2)
        indefinite = words[2] in ("a", "an") or tokens[2].tag == "CRD"
        going = end < len(tokens) and tokens[end].tag == "VVG" and tokens[end].word.endswith("ing")
        if negated(tokens) or not indefinite or not going or animate_head(words[end - 1]) is False:
            return None
        return joined(tokens, tokens[2:end], words[1], tokens[end:])
    found = clause(tokens)
    if found is None or found.start or found.end != found.verb or negated(tokens) or words[found.verb] not in BE_FORMS:
        return None
    indefinite = words[0] in ("a", "an") or (tokens[0].tag == "CRD" and words[0] != "one")
    after = found.verb + 1
    going = after < len(tokens) and tokens[after].tag == "VVG" and tokens[after].word.endswith("ing")
    where = after < len(tokens) and words[after] in ("in", "on", "under", "near", "behind", "above", "below", "inside")
    if not indefinite or not (going or where) or "," in words or not movable(tokens, 0):
        return None
    return joined(tokens, "there", words[found.verb], tokens[: found.end], tokens[after:])


def animate_head(word: str) -> bool:
    """Whether somebody, not something, is meant."""
    return person(word) or word in ("people", "dog", "dogs", "cat", "cats", "horse", "horses", "bird", "birds")


def dative(tokens: Tokens, rng: Random) -> Tokens | None:
    """ "gave the book to the girl" as "gave the girl the book", or the other way round."""
    words = low(tokens)
    verbs = {form for tag in ("VBD", "VBG", "VBZ") for form in forms(GIVING - {"teach", "pass"}, tag)}
    for at, word in enumerate(words):
        if word not in verbs or not tokens[at].tag.startswith("VV"):
            continue
        middle = phrase(tokens, at + 1)
        if middle == at + 1 or middle >= len(words):
            continue
        turned = words[middle] == "to"
        start = middle + turned
        end = phrase(tokens, start)
        closed = end > start and (end == last(tokens) or words[end] in ("in", "at", "on", "during", ","))
        thing, receiver = (tokens[at + 1 : middle], tokens[start:end])
        if not turned:
            thing, receiver = receiver, thing
        if not closed or not receives(receiver) or len(thing) < 2 or receives(thing):
            continue
        return joined(
            tokens, tokens[: at + 1], *((receiver, thing) if turned else (thing, "to", receiver)), tokens[end:]
        )
    return None


def receives(part: Tokens) -> bool:
    """Whether the phrase names one who can be given something."""
    word = part[-1].word.lower() if part else ""
    return person(word) or word in OBJECT_TO_SUBJECT or word == "people"


def relative(tokens: Tokens, rng: Random) -> Tokens | None:
    """A person's "wearing a hat" as "who is wearing a hat", or the other way round."""
    words = low(tokens)
    if asked(tokens):
        return None
    for i in range(1, min(12, len(tokens) - 2)):
        if not person(words[i]) and words[i] != "people":
            continue
        told = words[i + 1] == "who" and words[i + 2] in ("is", "are") and i + 3 < len(tokens)
        if told and tokens[i + 3].tag == "VVG" and tokens[i + 3].word.endswith("ing"):
            return (*tokens[: i + 1], *tokens[i + 3 :])
        if {"and", "or"} & set(words[max(0, i - 4) : i]):
            continue
        ongoing = tokens[i + 1].tag == "VVG" and words[i + 1].endswith("ing") and inflect_base(words[i + 1])
        start = next((j for j in range(i - 1, -1, -1) if tokens[j].tag in ("AT0", "CRD", "DT0")), -1)
        if ongoing and start >= 0 and start in (i - 1, i - 2, i - 3) and "was" not in words and "were" not in words:
            be = "are" if many(tokens, i, i + 1) else "is"
            return joined(tokens, tokens[: i + 1], f"who {be}", tokens[i + 1 :])
    return None


VOICE = (
    Rule("passive", "passive", 1, passive, "The dog chased the cat.", "The cat was chased by the dog."),
    Rule("active", "passive", 1, active, "The cat was chased by the man.", "The man chased the cat."),
    Rule("cleft", "cleft", 1, cleft, "The dog chased a cat.", "It was the dog that chased a cat."),
    Rule(
        "existential", "existential", 1, existential, "A man is playing a guitar.", "There is a man playing a guitar."
    ),
    Rule("dative", "dative", 1, dative, "The girl gave a book to the boy.", "The girl gave the boy a book."),
    Rule("relative", "relative", 1, relative, "A man wearing a hat sings.", "A man who is wearing a hat sings."),
)
