"""Near-misses of questions and instructions: another thing asked, who did it to whom, on and off."""

from __future__ import annotations

from random import Random

from onnx_export.generators.edits_rewrites import like, put
from onnx_export.generators.phrase import inflect
from onnx_export.generators.questions import question
from onnx_export.generators.rewordings_voice import dated, plain
from onnx_export.generators.rule import Rule
from onnx_export.generators.spans import animate, joined, low, negated, phrase
from onnx_export.generators.tagging import Tokens
from onnx_export.generators.vocabulary_edits import ACTIONS, forms

#: What else may be asked, and is not nearly the same: "how do I find" asks almost what "where do I find" does.
OTHERWISE = {"when": ("where", "why"), "where": ("when", "why"), "why": ("when", "where"), "how": ("when",)}
#: Verbs that say a state, of which nobody asks when or where.
STATES = frozenset(
    "mean differ compare feel look sound seem spell pronounce say call locate located situated reside live lie".split()
)
#: Verbs of a switch, and of a door.
SWITCHING, ENTERING = frozenset("turn switch".split()), frozenset("log sign opt clock".split())
TURNED = {"on": "off", "off": "on", "in": "out", "out": "in"}
#: What is turned on and off.
SWITCHED = frozenset(
    "light lights lamp lamps tv television radio heating heater oven stove engine alarm notification notifications "
    "authentication location feature features mode phone computer laptop camera microphone bluetooth wifi power "
    "machine device screen fan pump water gas tap sync backup backups autopay protection verification tracking "
    "cookies sound subtitles captions setting settings option options router printer conditioning server".split()
)


def wh(tokens: Tokens, rng: Random) -> Tokens | None:
    """When by where, where by why and so on: another thing is asked of the same."""
    found = question(tokens)
    if found is None or found.helper != 1 or found.end >= found.stop or negated(tokens):
        return None
    word, helper, deed = (tokens[i].word.lower() for i in (0, 1, found.end))
    fits = tokens[found.end].tag in ("VVN", "VVD", "VVG", "VBN") or helper not in ("is", "are", "was", "were")
    place = word == "where" and tokens[found.stop - 1].tag == "PRP"  # "Where did they come from?"
    if word not in OTHERWISE or not fits or deed in STATES or place:
        return None
    return put(tokens, 0, 1, [like(rng.choice(OTHERWISE[word]), tokens[0].word)])


def asked_role(tokens: Tokens, rng: Random) -> Tokens | None:
    """ "Who helped Ann" as "Who did Ann help", or the other way round."""
    found = question(tokens)
    words = low(tokens)
    if found is None or negated(tokens) or not (words[0] == "who" or animate(words[found.asking - 1])):
        return None
    if found.helper < 0:
        deed = forms(ACTIONS, "VBD").get(words[found.asking])
        start = found.asking + 1
        end = phrase(tokens, start)
        whom, rest = tokens[start:end], tokens[end : found.stop]
        if deed is None or not named(whom) or (rest and not dated(rest)):
            return None
        return joined(tokens, tokens[: found.asking], "did", whom, deed, tokens[end:])
    whom = tokens[found.start : found.end]
    if words[found.helper] != "did" or found.end >= found.stop or not named(whom):
        return None
    deed, rest = words[found.end], tokens[found.end + 1 : found.stop]
    if deed not in ACTIONS or (rest and not dated(rest)):
        return None
    return joined(tokens, tokens[: found.asking], inflect(deed, "VBD"), whom, rest, tokens[found.stop :])


def named(part: Tokens) -> bool:
    """Whether the phrase is a name, or somebody, who might act and be acted on."""
    return bool(part) and plain(part) and (part[-1].tag == "NP0" or animate(part[-1].word))


def switch(tokens: Tokens, rng: Random) -> Tokens | None:
    """On by off, in by out, behind a verb of a switch or a door."""
    words = low(tokens)
    if negated(tokens):
        return None
    for at in range(len(words) - 1):
        verb = root(words[at])
        if verb in SWITCHING:
            end = at + 1 if words[at + 1] in ("on", "off") else phrase(tokens, at + 1)
            thing = phrase(tokens, end + 1) if end == at + 1 else end
            bare = thing if thing > end + 1 or end > at + 1 else min(end + 3, len(words))
            fits = SWITCHED & set(words[at + 1 : bare])
            if end < len(words) and words[end] in ("on", "off") and fits and words[end + 1 : end + 2] != ["to"]:
                return put(tokens, end, end + 1, [TURNED[words[end]]])
        if verb in ENTERING and words[at + 1] in ("in", "out"):
            after = words[at + 2] if at + 2 < len(words) else "."
            link = {("in", "to"): "of", ("out", "of"): "to"}.get((words[at + 1], after))
            if after in (".", "?", ",", "and", "with", "from", "on", "automatically", "again"):
                return put(tokens, at + 1, at + 2, [TURNED[words[at + 1]]])
            if link:
                return put(tokens, at + 1, at + 3, [TURNED[words[at + 1]], link])
    return None


def root(word: str) -> str:
    """The base of a form of a verb of a switch or a door; any other word as it is.

    Example:
        >>> root("switched"), root("logging"), root("table")
        ('switch', 'log', 'table')
    """
    known = SWITCHING | ENTERING
    found = (table[word] for tag in ("VBD", "VBZ", "VBG") if word in (table := forms(known, tag)))
    return next(found, word)


ASKED = (
    Rule("wh", "question", 0, wh, "When was the bridge built?", "Where was the bridge built?"),
    Rule("asked_role", "role", 0, asked_role, "Who helped Ann?", "Who did Ann help?"),
    Rule("switch", "antonym", 0, switch, "Turn on the lights.", "Turn off the lights."),
)
