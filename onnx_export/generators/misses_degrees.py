"""Near-misses of degree: comparatives and superlatives."""

from __future__ import annotations

from random import Random

from onnx_export.generators.edits_rewrites import like, put
from onnx_export.generators.rule import Rule
from onnx_export.generators.spans import BE_FORMS, NOUNS, articled, low, negated, person
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
#: Comparatives and superlatives with more than one opposite, by the things for which each is the opposite.
LENGTHS = (
    "road river rope bridge street path route way trip journey flight ride walk day night week film movie book story "
    "song novel letter list text article line queue train bus car truck boat ship coast border hair tail leg table "
    "bench hallway tunnel track term name word sentence time period distance life version season wait sleeve skirt"
)
HEIGHTS = "tree tower building house skyscraper giraffe ladder mountain tombstone statue fence player"
TASKS = (
    "test exam question task job work time life game level puzzle problem course class race match language way route "
    "climb hike challenge decision step part fight"
)
SOLIDS = "bed mattress pillow bread rock stone wood metal surface ground floor seat chair pencil cheese"
LOADS = "bag box suitcase truck car bus bike boat backpack load weight stone rock bat ball coat meal book laptop phone"
SHEETS = "book wall rope cable paper coat blanket carpet mattress slice branch log layer ice board glass stick"
SENSES = {
    "shorter": {"longer": LENGTHS, "taller": HEIGHTS},
    "harder": {"easier": TASKS, "softer": SOLIDS},
    "lighter": {"heavier": LOADS},
    "thinner": {"thicker": SHEETS},
    "shortest": {"longest": LENGTHS, "tallest": HEIGHTS},
    "hardest": {"easiest": TASKS},
    "lightest": {"heaviest": LOADS},
}
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


def opposed(word: str, noun: str) -> str | None:
    """The opposite of a comparative or superlative said of a noun; None where it depends on a noun that is not known.

    Example:
        >>> opposed("shorter", "man"), opposed("shorter", "rivers"), opposed("shorter", "idea"), opposed("older", "man")
        ('taller', 'longer', None, 'younger')
    """
    if word not in SENSES:
        return None if word == "brighter" and person(noun) else {**TOPPED, **COMPARED}[word]
    if person(noun):
        return {"shorter": "taller", "shortest": "tallest"}.get(word)
    found = [new for new, nouns in SENSES[word].items() if {noun, noun.removesuffix("s")} & set(nouns.split())]
    return found[0] if len(found) == 1 else None


def opposite_degree(tokens: Tokens, start: int, than: int) -> str | None:
    """What says the opposite of the comparison between `start` and "than"; None when unsure."""
    noun, words = low(tokens)[start - 2] if start > 1 else "", low(tokens)[start:than]
    if len(words) == 1 and words[0] in COMPARED:
        return opposed(words[0], noun)
    if len(words) == 2 and words[0] in ("more", "less") and tokens[start + 1].tag == "AJ0":
        return f"{'less' if words[0] == 'more' else 'more'} {words[1]}"
    if len(words) == 2 and words[0] in ("much", "far", "slightly", "significantly") and words[1] in COMPARED:
        new = opposed(words[1], noun)
        return f"{words[0]} {new}" if new else None
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
        return [new for new in [opposed(word, after)] if new]
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
    noun = words[at + 1] if after != "than" else words[at - 2] if at > 1 and before in BE_FORMS else ""
    return ["newer"] if aged else [new for new in [opposed(word, noun)] if new]


def graded(words: list[str], at: int) -> bool:
    """Whether "more", "less", "most" or "least" before an adjective compares."""
    before = words[at - 1]
    if words[at] in ("most", "least"):
        return before in ("the", "its", "his", "her", "their") and words[at + 1] not in ("recent", "of", "important")
    return before in ("a", "is", "are", "was", "were", "be", "been", "much", "far", "seem", "seems", "become", "became")


DEGREE = (
    Rule("comparative", "comparative", 0, comparative, "He bought a larger house.", "He bought a smaller house."),
)
