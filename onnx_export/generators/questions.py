"""How a question is built: what asks, its auxiliary, its subject and the rest; and the same as a clause."""

from __future__ import annotations

from dataclasses import dataclass, replace

from onnx_export.generators.phrase import inflect
from onnx_export.generators.spans import BE_FORMS, HAVE_FORMS, MARKS, MODALS, NOUNS, last, low
from onnx_export.generators.tagging import Token, Tokens

ASKING = frozenset("what where who when why how which".split())
DO_FORMS = frozenset("do does did".split())
AUXILIARIES = BE_FORMS | HAVE_FORMS | MODALS | DO_FORMS
#: Tags between the word that asks and the auxiliary: "how many old houses", "which of the two", "how often".
BETWEEN = ("AJ0", "AV0", "CRD", "DT0", "ORD", "PRF", "AT0", "DPS", "AJS", *NOUNS)
#: Prepositions a question may begin with: "In which year …".
LEADING = frozenset("in at on by for from to of with during under for about".split())
#: Tags before the noun in a noun phrase.
BEFORE_NOUNS = ("AT0", "DPS", "DT0", "AJ0", "AJC", "AJS", "CRD", "ORD")
#: What shows that more than one question is asked, or that the words are quoted.
SPLITTING = frozenset({",", ";", ":", "-", "–", "'", "?", "!", "."}) | MARKS
#: Tags of what may follow a subject: what is said of it.
SAYING = (
    "VVN",
    "VVD",
    "VVG",
    "VVI",
    "VVB",
    "AJ0",
    "AJC",
    "AJS",
    "PRP",
    "TO0",
    "AV0",
    "AVP",
    "AT0",
    "VBI",
    "VHI",
    "VBN",
    "XX0",
)


@dataclass(frozen=True, slots=True)
class Question:
    """A plain question: tokens[:asking] ask, and are nothing where it is answered by yes or no.

    Attributes:
        asking: where the words that ask end.
        helper: where the auxiliary stands; `asking` as well, or -1 where what asks is the subject ("Who won?").
        start, end: the subject; both `asking` where what asks is the subject.
        stop: where the closing mark stands, or the number of tokens.
    """

    asking: int
    helper: int
    start: int
    end: int
    stop: int


def question(tokens: Tokens) -> Question | None:
    """The parts of a plain question, None when unsure.

    Example:
        >>> from onnx_export.generators.tagging import tag
        >>> question(tag("When did the old bank fail?"))
        Question(asking=1, helper=1, start=2, end=5, stop=6)
        >>> question(tag("Who won the race?"))
        Question(asking=1, helper=-1, start=1, end=1, stop=4)
        >>> question(tag("The bank failed."))
    """
    words, stop = low(tokens), last(tokens)
    if stop < 3 or words[-1] in (".", "!") or SPLITTING & set(words[:stop]):
        return None
    lead = int(words[0] in LEADING and words[1] in ("what", "which"))
    if words[lead] not in ASKING:
        asking = 0
    else:
        asking = lead + 1
        while asking < stop and tokens[asking].tag in BETWEEN and words[asking] not in AUXILIARIES:
            asking += 1
    if asking >= stop - 1 or (words[-1] != "?" and (asking == 0 or words[asking] not in AUXILIARIES)):
        return None
    if words[asking] not in AUXILIARIES:
        many = asking > 1 and (words[1] == "many" or tokens[asking - 1].tag == "NN2")
        told = tokens[asking].tag in ("VVD", "VVZ", *(["VVB"] if many else []))
        heads = words[lead] in ("who", "what", "which") or (words[lead] == "how" and many)
        return Question(asking, -1, asking, asking, stop) if told and heads and not lead else None
    start = asking + 1
    end = subject(tokens, start, stop)
    if words[asking] in BE_FORMS and words[start] == "there":
        end = start + 1
    elif words[asking] in DO_FORMS and end == stop > start + 1:
        end -= 1  # a verb that might be a noun: "did the war end"
    counted = words[0] == "how" and asking > 1 and words[1] == "many" and words[start] != "there"
    if counted and words[asking] in BE_FORMS and end == stop:
        return Question(asking, -1, asking, asking, stop)
    if end > start:
        return Question(asking, asking, start, end, stop) if settles(tokens, asking, end, stop) else None
    heads = words[0] in ("who", "what", "which") or (words[0] == "how" and asking > 1)
    own = tokens[start].tag in ("VVN", "VVG", "VVI", "PRP", "VBN", "VBI") and words[asking] not in DO_FORMS
    return Question(asking, -1, asking, asking, stop) if heads and own and not lead else None


def subject(tokens: Tokens, start: int, stop: int) -> int:
    """Where the noun phrase behind an auxiliary ends, what is tied to it by "of" included; the place itself for none.

    Example:
        >>> from onnx_export.generators.tagging import tag
        >>> subject(tag("the symptoms of diabetes"), 0, 4), subject(tag("it rain"), 0, 2), subject(tag("to pay"), 0, 2)
        (4, 1, 0)
    """
    if start >= stop:
        return start
    if tokens[start].tag == "PNP" or tokens[start].word.lower() in ("there", "one", "it", "this"):
        lone = start + 1 >= stop or tokens[start + 1].tag not in NOUNS
        if lone or tokens[start].tag == "PNP":
            return start + 1
    nouns = start
    while nouns < stop and (tokens[nouns].tag in BEFORE_NOUNS or owner(tokens, nouns)):
        nouns += 1
    end = nouns
    while end < stop and tokens[end].tag in NOUNS:
        end += 1
    if end == nouns:
        return start
    further = subject(tokens, end + 1, stop) if end + 1 < stop and tokens[end].word.lower() == "of" else 0
    return further if further > end + 1 else end


def owner(tokens: Tokens, at: int) -> bool:
    """Whether the token is an owner or a participle before a noun."""
    token, following = tokens[at], tokens[at + 1].tag if at + 1 < len(tokens) else ""
    owns = token.word.endswith(("'s", "’s")) and token.word.lower() not in ("it's", "that's", "what's")
    return following in (*NOUNS, "AJ0", "AJS", "ORD", "CRD") and (owns or (token.tag == "VVN" and following in NOUNS))


def settles(tokens: Tokens, helper: int, end: int, stop: int) -> bool:
    """Whether what follows the subject is what the auxiliary asks for."""
    word = tokens[helper].word.lower()
    if end == stop:
        return word in BE_FORMS and helper > 0
    tag, following = tokens[end].tag, tokens[end].word.lower()
    if word in DO_FORMS:
        return base(tokens, end) is not None
    if word in HAVE_FORMS:
        return tag in ("VVN", "VBN", "VHN", "VVD")
    if word in MODALS:
        return tag in ("VVI", "VVB", "VBI", "VHI", "VDI") or following in ("be", "have")
    rest = [token.tag for token in tokens[end:stop]]
    if tokens[end - 1].word.lower() != "there" and helper and not plainly(rest, tokens[0].word.lower()):
        return False
    return tag in SAYING and following not in ("that", "who", "which", "and", "or")


def plainly(rest: list[str], asks: str) -> bool:
    """Whether the tags behind a form of be and its subject belong to that be: no noun's own clause or participle."""
    goes_on = rest[0] in ("AT0", "DPS", "PNP", *NOUNS)
    owned = asks in ("what", "who", "which") and rest[0] in ("VVN", "VVD") and "PRP" in rest[1:-1]
    split = rest[0] == "PRP" and (rest[-1] == "PRP" or bool({"VVN", "VVD", "VVG"} & set(rest)))
    return not (goes_on or owned or split)


def base(tokens: Tokens, at: int) -> str | None:
    """The verb in its base form at the place, None where there is none."""
    if tokens[at].tag == "AV0" and at + 1 < len(tokens) and tokens[at + 1].tag[:1] == "V":
        return None  # "did it just stop": the verb comes later
    fits = tokens[at].tag in ("VVI", "VVB", "VHI", "VHB", "VDI", "VDB", "NN1", "AJ0", "AV0")
    word = tokens[at].word.lower()
    return word if fits and word.isalpha() and inflect(word, "VBZ") != word else None


def told(tokens: Tokens, found: Question) -> Tokens:
    """The question as a clause: "when the old bank failed", "whether the pool is open"; what asks stands first.

    Example:
        >>> from onnx_export.generators.tagging import tag, text_of
        >>> asked = tag("Does the hotel have a pool?")
        >>> text_of(told(asked, question(asked)))
        'whether the hotel has a pool'
    """
    asks = tokens[: found.asking] or (Token("whether", "NEW"),)
    asks = (replace(asks[0], word=asks[0].word.lower()), *asks[1:])
    if found.helper < 0:
        return (*asks, *tokens[found.asking : found.stop])
    subject, rest = tokens[found.start : found.end], tokens[found.end : found.stop]
    helper = tokens[found.helper]
    word = helper.word.lower()
    if word in DO_FORMS:
        form = {"did": "VBD", "does": "VBZ"}.get(word)
        verb = rest[0].word.lower()
        rest = (rest[0].to(inflect(verb, form) if form else verb), *rest[1:])
        return (*asks, *subject, *rest)
    return (*asks, *subject, replace(helper, word=word, gap=" "), *rest)
