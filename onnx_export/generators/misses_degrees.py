"""Near-misses of degree: comparatives and superlatives."""

from __future__ import annotations

from random import Random

from onnx_export.generators.edits_rewrites import like, put
from onnx_export.generators.rule import Rule
from onnx_export.generators.spans import NOUNS, articled, low, negated, person
from onnx_export.generators.tagging import Tokens

#: Comparatives and superlatives and their opposites.
DEGREES = (
    "taller/shorter,longer/shorter,larger/smaller,bigger/smaller,older/younger,faster/slower,higher/lower,better/worse,"
    "stronger/weaker,richer/poorer,heavier/lighter,wider/narrower,thicker/thinner,deeper/shallower,louder/quieter,"
    "warmer/colder,hotter/colder,brighter/darker,harder/softer,safer/riskier,happier/sadder,cheaper/pricier,"
    "easier/harder,greater/smaller,cleaner/dirtier,closer/farther,nearer/farther,"
    "smarter/dumber,newer/older"
)
HIGHEST = (
    "largest/smallest,biggest/smallest,tallest/shortest,longest/shortest,highest/lowest,best/worst,oldest/youngest,"
    "fastest/slowest,strongest/weakest,richest/poorest,heaviest/lightest,cheapest/priciest,greatest/smallest,"
    "hottest/coldest,widest/narrowest,deepest/shallowest,newest/oldest,easiest/hardest,youngest/oldest"
)


def table(rows: str) -> dict[str, str]:
    """Every word of the rows and its opposite, the first where there are two."""
    made: dict[str, str] = {}
    for row in rows.split(","):
        one, other = row.split("/")
        made.setdefault(one, other)
        made.setdefault(other, one)
    return made


COMPARED, TOPPED = table(DEGREES), table(HIGHEST)
#: Nouns that make another word of "higher" and "lower".
LEVELS = frozenset("body house education court courts case secondary".split())
#: Words with which a comparative is a way of speaking.
FIXING = frozenset("no any the ever all".split())
#: Verbs that say how long: "it takes longer".
LASTING_VERBS = frozenset("take takes took taking last lasts lasted wait waited".split())
OWNED = ("his", "her", "their", "my")
TURNED = {"more": "less", "less": "more", "most": "least", "least": "most"}
#: Nouns that make another word of a superlative.
TOP_IDIOMS = frozenset("friend friends man buy seller sellers buddy bet interest interests practice practices".split())


def opposite_degree(tokens: Tokens, start: int, than: int) -> str | None:
    """What says the opposite of the comparison between `start` and "than"; None when unsure."""
    words = low(tokens)[start:than]
    if len(words) == 1 and words[0] in COMPARED:
        return COMPARED[words[0]]
    if len(words) == 2 and words[0] in ("more", "less") and tokens[start + 1].tag == "AJ0":
        return f"{'less' if words[0] == 'more' else 'more'} {words[1]}"
    if len(words) == 2 and words[0] in ("much", "far", "slightly", "significantly") and words[1] in COMPARED:
        return f"{words[0]} {COMPARED[words[1]]}"
    return None


def comparative(tokens: Tokens, rng: Random) -> Tokens | None:
    """A comparative or superlative by its opposite."""
    words = low(tokens)
    if negated(tokens) or {"any", "ever", "even"} & set(words):
        return None
    found = [(i, new) for i in range(1, len(words) - 1) for new in opposites_at(tokens, i) if new not in words]
    if not found:
        return None
    at, new = rng.choice(found)
    return articled(put(tokens, at, at + 1, [like(new, tokens[at].word)]))


def opposites_at(tokens: Tokens, at: int) -> list[str]:
    """What opposes the word at a place, as it is used there."""
    words = low(tokens)
    before, word, after = words[at - 1 : at + 2]
    following = tokens[at + 1].tag
    if word in COMPARED:
        return [] if before in FIXING else degrees_at(tokens, at)
    if word in TOPPED and before in ("the", "its", *OWNED) and following in NOUNS and after not in TOP_IDIOMS:
        return [TOPPED[word]]
    found = [TURNED[word]] if word in TURNED and following == "AJ0" and graded(words, at) else []
    counted = word in ("more", "fewer") and following == "NN2" and "than" in words[at + 2 : at + 5]
    return found + (["fewer" if word == "more" else "more"] if counted and before != "and" else [])


def degrees_at(tokens: Tokens, at: int) -> list[str]:
    """The opposite of a comparative, where it compares or stands before its noun."""
    words = low(tokens)
    before, word, after = words[at - 1 : at + 2]
    attributive = tokens[at + 1].tag in ("NN1", "NN2") and before in ("a", "an", "is", "are", *OWNED)
    leveled = word in ("higher", "lower") and after in LEVELS
    if not (after == "than" or attributive) or before in LASTING_VERBS or leveled:
        return []
    aged = word == "older" and not person(after) and after not in ("than", "people")
    return ["newer" if aged else COMPARED[word]]


def graded(words: list[str], at: int) -> bool:
    """Whether "more", "less", "most" or "least" before an adjective compares."""
    before = words[at - 1]
    if words[at] in ("most", "least"):
        return before in ("the", "its", "his", "her", "their") and words[at + 1] not in ("recent", "of", "important")
    return before in ("a", "is", "are", "was", "were", "be", "been", "much", "far", "seem", "seems", "become", "became")


DEGREE = (
    Rule("comparative", "comparative", 0, comparative, "He bought a larger house.", "He bought a smaller house."),
)
