"""Changes of a tagged sentence that break its meaning, by category. Each returns None where it does not apply."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from random import Random

from onnx_export.generators.edits_rewrites import PERSONS, SMALL, exchange, like, put, relation
from onnx_export.generators.edits_words import COLOURS, COMPARISONS, QUANTIFIERS, SYMMETRIC, TIMES, opposites
from onnx_export.generators.phrase import inflect, number_words
from onnx_export.generators.tagging import BE, Tokens, chunks, tag, tagger, text_of  # noqa: F401 (for the examples)

Change = Callable[[Tokens, Random], Tokens | None]
#: Words with an opposite in one sense only: "hot dog", "right now", "a cold".
NOT_OPPOSED = frozenset("light like right left even hot cold last down up".split())
#: A thing that sits somewhere stands there.
POSTURES = frozenset("sitting sits sit standing stands stand".split())
#: Relations that are of place only behind a verb of motion ("fits into", "changed into"), and the beginnings of those.
MOTIONS = ("into", "out of", "toward", "away from")
MOVING = tuple("walk run jump climb go get mov driv step div fall rid pour head fly sail".split())
_NOUN_TAGS = ("NN1", "NN2", "NP0", "ORD", "CRD")
AUXILIARIES = BE - {"be", "been", "being"} | frozenset(
    "has have had can could will would should may might must".split()
)


def role(tokens: Tokens, rng: Random) -> Tokens | None:
    """Two noun phrases exchanged.

    Example:
        >>> text_of(role(tag("The dog chased the cat ."), Random(0)))
        'The cat chased the dog .'
    """
    parts = chunks(tokens)
    pairs = [(p, q) for i, p in enumerate(parts) for q in parts[i + 1 : i + 3] if swappable(tokens, p, q)]
    return exchange(tokens, *rng.choice(pairs)) if pairs else None


def swappable(tokens: Tokens, left: tuple[int, int], right: tuple[int, int]) -> bool:
    """Whether exchanging two noun phrases changes the meaning and keeps agreement."""
    (a, b), (c, d) = left, right
    between = [t.word.lower() for t in tokens[b:c]]
    names, plurals = [tokens[i].tag == "NP0" for i in (a, c)], [tokens[i - 1].tag == "NN2" for i in (b, d)]
    same_kind = names[0] == names[1] and plurals[0] == plurals[1]
    differ = tokens[b - 1].word.lower() != tokens[d - 1].word.lower()
    last = [] if names[0] else between[-1:]
    near = set(between if len(between) < 6 else between[:1] + last)
    verb = any(t.tag.startswith(("VV", "PR")) for t in tokens[b:c])
    owned = any(t.tag == "DPS" for t in tokens[a:b] + tokens[c:d])
    return same_kind and differ and verb and not owned and not near & SYMMETRIC and set(between) - BE != set()


def binding(tokens: Tokens, rng: Random) -> Tokens | None:
    """The adjectives of two nouns exchanged.

    Example:
        >>> text_of(binding(tag("A red car and a blue house ."), Random(0)))
        'A blue car and a red house .'
    """
    spots = [i for i, t in enumerate(tokens[:-1]) if t.word.lower() in COLOURS and tokens[i + 1].tag in ("NN1", "NN2")]
    pairs = [(i, j) for i in spots for j in spots if i < j and tokens[i].word.lower() != tokens[j].word.lower()]
    pairs = [(i, j) for i, j in pairs if tokens[i + 1].word.lower() != tokens[j + 1].word.lower()]
    if not pairs:
        return None
    i, j = rng.choice(pairs)
    made = put(tokens, i, i + 1, [like(tokens[j].word.lower(), tokens[i].word)])
    return articles(put(made, j, j + 1, [tokens[i].word.lower()]))


def articles(tokens: Tokens) -> Tokens:
    """`tokens` with "a" and "an" set right by the next letter."""
    made = list(tokens)
    for i, token in enumerate(made[:-1]):
        if token.word.lower() in ("a", "an") and made[i + 1].tag == "NEW":
            made[i] = token.to(like("an" if made[i + 1].word[0] in "aeiou" else "a", token.word))
    return tuple(made)


def spatial(tokens: Tokens, rng: Random) -> Tokens | None:
    """A relation of place by its inverse.

    Example:
        >>> text_of(spatial(tag("The cup is above the plate."), Random(0)))
        'The cup is below the plate.'
    """
    found = relation(tokens)
    if found and found[2] in MOTIONS and not any(t.word.lower().startswith(MOVING) for t in tokens[: found[0]]):
        return None
    return put(tokens, found[0], found[1], found[3].split()) if found else None


def word_for(table: dict[str, str]) -> Change:
    """A change that exchanges one word by a table."""

    def change(tokens: Tokens, rng: Random) -> Tokens | None:
        spots = [i for i, t in enumerate(tokens) if t.word.lower() in table]
        if not spots:
            return None
        spot = rng.choice(spots)
        word = tokens[spot].word
        return articles(put(tokens, spot, spot + 1, like(table[word.lower()], word).split()))

    return change


def opposed(comparing: bool) -> Change:
    """A change that takes the opposite of one word, comparatives or the others."""

    def change(tokens: Tokens, rng: Random) -> Tokens | None:
        table = {w: rng.choice(o) for w, o in opposites().items() if (w in COMPARISONS) == comparing}
        still = not any(t.word.lower() in PERSONS for t in tokens)
        following = {t.word.lower() for t, after in pairwise(tokens) if after.word.lower() == "up"}
        spared = NOT_OPPOSED | following | (POSTURES if still else set())
        return word_for({w: o for w, o in table.items() if w not in spared})(tokens, rng)

    return change


def negation(tokens: Tokens, rng: Random) -> Tokens | None:
    """A "not" put in or taken out.

    Example:
        >>> [text_of(negation(tag(text), Random(0))) for text in ("The dog is asleep .", "He chased it .")]
        ['The dog is not asleep .', 'He did not chase it .']
    """
    words = [t.word.lower() for t in tokens]
    if "not" in words:
        at = words.index("not")
        return tokens[:at] + tokens[at + 1 :] if at and words[at - 1] in AUXILIARIES else None
    auxiliary = [i for i, word in enumerate(words[:-1]) if word in AUXILIARIES]
    past = [i for i, t in enumerate(tokens) if t.tag == "VVD" and i]
    if auxiliary and (not past or auxiliary[0] < past[0]):
        return put(tokens, auxiliary[0] + 1, auxiliary[0] + 1, ["not"])
    if past and not auxiliary:
        base = inflect_back(tokens[past[0]].word)
        return put(tokens, past[0], past[0] + 1, ["did", "not", base]) if base else None
    return None


def inflect_back(past: str) -> str:
    """The base of a past form, empty when unsure."""
    base = str(tagger().tag_sent(["He", past, "it"])[1][1]).lower()
    return base if inflect(base, "VBD") == past.lower() else ""


def number(tokens: Tokens, rng: Random) -> Tokens | None:
    """One number changed.

    Example:
        >>> text_of(number(tag("He left in 1994 ."), Random(0))) != "He left in 1994 ."
        True
    """
    spots = [i for i, t in enumerate(tokens) if (t.word.isdigit() and int(t.word) > 1) or t.word.lower() in SMALL]
    if not spots:
        return None
    spot = rng.choice(spots)
    word = tokens[spot].word
    value = int(word) if word.isdigit() else SMALL[word.lower()]
    step = rng.choice((-3, -2, -1, 1, 2, 3)) * (1 if value < 100 else rng.choice((1, 1, 5, 10)))
    value = value + step if value + step > 1 else value + abs(step)
    return put(tokens, spot, spot + 1, [str(value) if word.isdigit() else like(number_words(value), word)])


def names(tokens: Tokens) -> list[tuple[int, int]]:
    """Where proper names stand.

    Example:
        >>> names(tag("We met John Smith ."))
        [(2, 4)]
    """
    spans, start = [], 0
    while start < len(tokens):
        end = start
        while end < len(tokens) and tokens[end].tag == "NP0" and tokens[end].word[0].isupper():
            end += 1
        if end > start:
            spans.append((start, end))
        start = max(end, start + 1)
    return spans


def entity(collection: dict[str, list[str]]) -> Change:
    """A change that puts another name of the collection, of the same kind of place, for one."""

    def change(tokens: Tokens, rng: Random) -> Tokens | None:
        spans = [(a, b) for a, b in names(tokens) if len(collection.get(context(tokens, a, b), ())) > 5]
        if not spans:
            return None
        a, b = rng.choice(spans)
        new = rng.choice(collection[context(tokens, a, b)])
        known = {t.word for t in tokens}
        return None if known & set(new.split()) else put(tokens, a, b, new.split())

    return change


def context(tokens: Tokens, start: int, end: int) -> str:
    """The kind of place a name stands in: "in1" after in, at or from, "person2" for two words; empty when unsure.

    Example:
        >>> context(tag("He lived in Oslo ."), 3, 4), context(tag("It was made by John Smith ."), 4, 6)
        ('in1', 'person2')
    """
    before = tokens[start - 1].word.lower() if start else "^"
    after = tokens[end] if end < len(tokens) else None
    goes_on = after is not None and (after.tag in _NOUN_TAGS or after.word.lower() in ("of", "'", "-"))
    if goes_on:
        return ""
    size = end - start
    if before in ("in", "at", "from") and size < 3:
        return f"{before}{size}"
    return "person2" if size == 2 and before in ("by", "with", "met", "married", "daughter", "son") else ""


def changes(collection: dict[str, list[str]]) -> dict[str, tuple[Change, int]]:
    """Every change by category, with its weight."""
    return {
        "role": (role, 8), "binding": (binding, 12), "spatial": (spatial, 4), "temporal": (word_for(TIMES), 5),
        "comparative": (opposed(True), 6), "antonym": (opposed(False), 3), "negation": (negation, 2),
        "number": (number, 3), "quantifier": (word_for(QUANTIFIERS), 5), "entity": (entity(collection), 3),
    }  # fmt: skip
