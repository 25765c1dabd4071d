"""Near-misses that deny what a sentence says, or say what it denies; and contractions, which change nothing."""

from __future__ import annotations

from random import Random

from onnx_export.generators.edits_changes import inflect_back
from onnx_export.generators.edits_rewrites import like, put
from onnx_export.generators.edits_words import CONTRACTIONS
from onnx_export.generators.phrase import inflect
from onnx_export.generators.rule import Rule
from onnx_export.generators.spans import (
    BE_FORMS,
    HAVE_FORMS,
    MODALS,
    NOUNS,
    asked,
    clause,
    low,
    negated,
    person,
    phrase,
    plural,
    plurals,
)
from onnx_export.generators.tagging import Tokens, tagger

#: Words whose place beside a "not" decides what it denies.
SCOPING = frozenset(
    "all every each both everyone everybody everything some someone somebody something many most several always only "
    "just also too still already yet either any anyone anything ever because until if unless whether so as than even "
    "neither nor but necessarily enough far sure longer necessary much at".split()
)
FULL = {short: long for long, short in CONTRACTIONS.items() if short.endswith("n't")}


def deny(tokens: Tokens, rng: Random) -> Tokens | None:
    """A "not" put behind the main clause's finite verb."""
    found = clause(tokens)
    if found is None or negated(tokens) or SCOPING & set(low(tokens)):
        return None
    words, verb = low(tokens), tokens[found.verb]
    word = words[found.verb]
    if word in BE_FORMS | MODALS or (
        word in HAVE_FORMS and tokens[found.verb + 1 :] and tokens[found.verb + 1].tag == "VVN"
    ):
        return put(tokens, found.verb + 1, found.verb + 1, ["not"]) if found.verb + 1 < len(tokens) else None
    coordinated = {"and", "or", ","} & set(words[found.verb :])
    if word in HAVE_FORMS or coordinated or found.verb != found.end:
        return None
    base = {"VVD": inflect_back(verb.word), "VVZ": present_base(verb.word), "VVB": word}.get(verb.tag, "")
    if not base:
        return None
    does = "did" if verb.tag == "VVD" else "do" if plural(tokens, found.end) else "does"
    return put(tokens, found.verb, found.verb + 1, [does, "not", base])


def present_base(word: str) -> str:
    """The base of a verb's third person, empty when unsure.

    Example:
        >>> present_base("chases"), present_base("carries")
        ('chase', 'carry')
    """
    base = str(tagger().tag_sent(["He", word, "it"])[1][1]).lower()
    return base if inflect(base, "VBZ") == word.lower() else ""


def affirm(tokens: Tokens, rng: Random) -> Tokens | None:
    """A "not" taken away."""
    words = low(tokens)
    nots = [i for i, word in enumerate(words) if word == "not" or word in FULL]
    if len(nots) != 1 or sum(w in ("no", "never", "nor", "neither", "without") for w in words) or asked(tokens):
        return None
    at = nots[0]
    if SCOPING & set(words):
        return None
    if words[at] in FULL:
        helper, start = FULL[words[at]].split()[0], at
    else:
        helper, start = words[at - 1] if at else "", at - 1
    if start < 1 or at + 1 >= len(words):
        return None
    if helper in BE_FORMS | MODALS | HAVE_FORMS and tokens[at + 1].word not in (",", "."):
        return put(tokens, start, at + 1, [like(helper, tokens[start].word)])
    base = words[at + 1]
    if helper not in ("do", "does", "did") or tokens[at + 1].tag not in ("VVI", "VVB", "VHI", "VHB") or " " in base:
        return None
    made = {"did": inflect(base, "VBD"), "does": inflect(base, "VBZ"), "do": base}[helper]
    return put(tokens, start, at + 2, [made])


def lacking(tokens: Tokens, rng: Random) -> Tokens | None:
    """ "With a" by "without a", or the other way round."""
    words = low(tokens)
    for at in range(1, len(words) - 1):
        noun = tokens[at - 1].tag in NOUNS or words[at - 1] in ("people", "men", "women")
        bare = words[at] == "without" and tokens[at + 1].tag in ("NN1", "NN2") and words[at + 1] not in SAID_WITHOUT
        end = max(phrase(tokens, at + 1), at + 1 + bare)
        closed = (
            end > at + 1
            and tokens[end - 1].tag in ("NN1", "NN2")
            and (end >= len(words) - 1 or words[end] not in ("of", "to", "and", "that", ","))
            and (end == len(words) or tokens[end].tag not in NOUNS)
        )
        if not noun or not closed:
            continue
        if words[at] == "with" and words[at + 1] in ("a", "an") and owner(words[at - 1]) and not negated(tokens):
            return put(tokens, at, at + 1, ["without"])
        if (
            words[at] == "without"
            and sum(w in ("not", "no", "never") for w in words) == 0
            and words[at + 1] not in ("any", "the")
        ):
            return put(tokens, at, at + 1, ["with"])
    return None


#: What "without" is said of as a way of speaking.
SAID_WITHOUT = frozenset("doubt question fail warning exception end success avail regard reason cause saying".split())
OWNERS = frozenset(
    "shirt hat car truck house room building bed table desk kitchen bathroom plate boat bench street wall "
    "cake pizza bike motorcycle dress jacket dog cat horse bear building tower window couch sofa chair bowl "
    "sandwich hotel apartment flat restaurant cafe laptop phone bag recipe account card plan camera villa cabin "
    "campsite".split()
)


def owner(word: str) -> bool:
    """Whether "with" behind the noun tells what it has."""
    return person(word) or word in OWNERS or word in plurals(OWNERS)


def contraction(tokens: Tokens, rng: Random) -> Tokens | None:
    """A negated auxiliary contracted, or in full."""
    words = low(tokens)
    for at in range(len(words)):
        two = " ".join(words[at : at + 2])
        if (
            two in CONTRACTIONS
            and two.endswith("not")
            and at
            and not {"whether", "or", "only"} & set(words[at : at + 3])
            and tokens[at + 1].gap
        ):
            return put(tokens, at, at + 2, [like(CONTRACTIONS[two], tokens[at].word)])
        if words[at] in FULL and at and not asked(tokens) and tokens[at - 1].tag in (*NOUNS, "PNP", "EX0", "DT0"):
            return put(tokens, at, at + 1, like(FULL[words[at]], tokens[at].word).split())
    return None


NEGATION = (
    Rule("deny", "negation", 0, deny, "The dog is asleep.", "The dog is not asleep."),
    Rule("affirm", "negation", 0, affirm, "The dog did not bark.", "The dog barked."),
    Rule("lacking", "negation", 0, lacking, "A man with a hat sings.", "A man without a hat sings."),
    Rule("contraction", "contraction", 1, contraction, "It did not rain.", "It didn't rain."),
)
