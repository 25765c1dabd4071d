"""Near-misses of amount: numbers, quantifiers, comparatives; and numbers written the other way."""

from __future__ import annotations

from random import Random

from onnx_export.generators.edits_rewrites import SMALL, like, put
from onnx_export.generators.phrase import number_words
from onnx_export.generators.rule import Rule
from onnx_export.generators.spans import NOUNS, low, negated, plurals
from onnx_export.generators.tagging import Tokens
from onnx_export.generators.vocabulary_edits import LASTING

#: Words beside a number that make it a bound, a range, a name, or half of another number.
BOUNDING = frozenset(
    "least most than over under up below above between to or and - – — / : . , $ # ° x × = + * ( ) no about "
    "around nearly almost approximately roughly some only just maximum minimum within every another other "
    "these those both dozen hundred thousand half point".split()
)
CALENDAR = frozenset(
    "january february march april may june july august september october november december jan feb mar apr jun jul "
    "aug sep oct nov dec".split()
)
YEAR_WORDS = frozenset("in since of by until during from the".split())
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
#: Nouns with which an ordinal is a name or a way of speaking.
ORDINAL_IDIOMS = frozenset(
    "time place hand lady party world name aid language person class rate base day thing step half floor look glance "
    "sight thought order degree baseman base down most nations war amendment people".split()
)
COUNTED_IDIOMS = frozenset("way ways sides side halves faced step feet hands thirds fifths pieces".split())


def number(tokens: Tokens, rng: Random) -> Tokens | None:
    """Another number before a plural noun, or another year."""
    spots = [i for i in range(len(tokens)) if counts(tokens, i) or year(tokens, i)]
    if not spots:
        return None
    spot = rng.choice(spots)
    word = tokens[spot].word
    made = other_year(int(word), rng) if year(tokens, spot) else other_count(word, rng)
    return put(tokens, spot, spot + 1, [like(made, word)])


def counts(tokens: Tokens, at: int) -> bool:
    """Whether an exact number of things stands here."""
    words = low(tokens)
    word = words[at].replace(",", "").rstrip("%")
    dated = words[at].isdigit() and 1100 <= int(words[at]) <= 2030
    if dated or (not (word.isdigit() and len(word) < 7 and int(word) > 1) and word not in SMALL):
        return False
    before = words[at - 1] if at else ""
    behind = words[at + 1] if at + 1 < len(words) else ""
    noun = at + 1
    while noun < len(tokens) and tokens[noun].tag in ("AJ0", "NN1") and noun < at + 3:
        noun += 1
    if noun >= len(tokens) or tokens[noun].tag != "NN2" or tokens[noun].gap == "" or words[noun] in COUNTED_IDIOMS:
        return False
    apart = before not in BOUNDING and behind not in BOUNDING
    named = at > 0 and (tokens[at - 1].tag in ("NP0", "CRD") or (at > 1 and tokens[at - 1].word[:1].isupper()))
    return apart and not named and tokens[at + 1].tag != "CRD" and (at == 0 or tokens[at].gap != "")


def year(tokens: Tokens, at: int) -> bool:
    """Whether a year stands here."""
    words = low(tokens)
    before, behind = words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else "."
    told = before in YEAR_WORDS or before in CALENDAR
    fits = words[at].isdigit() and len(words[at]) == 4 and 1100 <= int(words[at]) <= 2030
    alone = behind not in ("-", "–", "—", "/", "to", "and", "or", "'", ":") and not (
        at + 1 < len(tokens) and tokens[at + 1].tag in NOUNS and tokens[at + 1].tag != "NP0"
    )
    return fits and told and alone and words.count(words[at]) == 1


def other_year(value: int, rng: Random) -> str:
    """A year clearly earlier or later.

    Example:
        >>> abs(int(other_year(1994, Random(1))) - 1994) in range(2, 30)
        True
    """
    step = rng.choice((2, 3, 4, 5, 7, 8, 11, 12, 14))
    return str(value + step if value + step < 2020 and rng.random() < 0.5 else value - step)


def other_count(word: str, rng: Random) -> str:
    """A number clearly smaller or larger, written as the given one is.

    Example:
        >>> other_count("three", Random(1)) != "three", other_count("1,200", Random(1))[-2:]
        (True, '00')
    """
    bare = word.replace(",", "").rstrip("%").lower()
    value = SMALL[bare] if bare in SMALL else int(bare)
    if value < 13:
        made = rng.choice([n for n in range(max(2, value - 3), value + 4) if n != value])
    elif value < 100:
        made = rng.choice([n for n in (value // 2, value * 2 // 3, value * 4 // 3, value * 3 // 2) if n < 100])
    else:
        made = rng.choice((value * 2, value * 3, value // 2))
    if word.endswith("%") and made > 100:
        made = value // 2
    if bare in SMALL:
        return number_words(made)
    return (f"{made:,}" if "," in word else str(made)) + ("%" if word.endswith("%") else "")


def ordinal(tokens: Tokens, rng: Random) -> Tokens | None:
    """Another place in a row: "the third season" as "the fifth season"."""
    words = low(tokens)
    spots = [
        i for i in range(1, len(words) - 1)
        if words[i] in ORDINALS and words[i - 1] == "the" and tokens[i + 1].tag == "NN1"
        and words[i + 1] not in ORDINAL_IDIOMS and words.count(words[i]) == 1 and tokens[i].word.islower()
    ]  # fmt: skip
    if not spots:
        return None
    spot = rng.choice(spots)
    place = ORDINALS.index(words[spot])
    others = [n for n in range(max(0, place - 2), min(len(ORDINALS), place + 3)) if n != place]
    return put(tokens, spot, spot + 1, [ORDINALS[rng.choice(others)]])


def number_word(tokens: Tokens, rng: Random) -> Tokens | None:
    """A number word in digits, or a small number in words."""
    spots = [i for i in range(len(tokens)) if counts(tokens, i) and value_of(tokens[i].word) < 100]
    if not spots:
        return None
    spot = rng.choice(spots)
    word = tokens[spot].word
    model = "A" if spot == 0 else "a"
    return put(
        tokens, spot, spot + 1, [like(number_words(int(word)), model) if word.isdigit() else str(value_of(word))]
    )


def value_of(word: str) -> int:
    """The number a word spells; 100 for what is no plain small number."""
    return SMALL.get(word.lower(), int(word) if word.isdigit() else 100)


#: What opposes a quantifier: its words, the words in their place, what must follow, and what must not stand before.
QUANTIFIERS = (
    ("all of the", "none of the", "", ""), ("all the", "none of the", "NN2", ""), ("all", "no", "NN2", ""),
    ("every", "no", "NN1", ""), ("some", "no", "NN2", ""), ("most of the", "few of the", "NN2", ""),
    ("most", "few", "NN2", ""), ("many of the", "few of the", "NN2", ""), ("many", "few", "NN2", ""),
    ("several", "no", "NN2", ""), ("a few", "many", "NN2", ""), ("some of the", "none of the", "", ""),
    ("everyone", "no one", "V", ""), ("everybody", "nobody", "V", ""), ("someone", "no one", "V", ""),
    ("somebody", "nobody", "V", ""), ("everything", "nothing", "V", ""), ("always", "never", "", ""),
    ("usually", "rarely", "", ""), ("often", "rarely", "", ""), ("frequently", "rarely", "", ""),
    ("at least", "at most", "CRD", ""), ("more than half", "less than half", "", ""),
    ("a majority of", "a minority of", "", ""), ("the majority of", "a minority of", "", ""),
)  # fmt: skip
LOOSE_BEFORE = frozenset(
    "only three four five 10 50 100 500 "
    "how so as too a an the very quite this that these those not more less most rather such good great first last next "
    "past with above after at for of well in they we you them us it".split()
)
LOOSE_AFTER = frozenset(
    "time times kind kinds sort sorts couple point extent day days year years week weeks month months night "
    "nights morning way ways hours now other others single things thing else more reason reasons parts part "
    "forms".split()
)


def quantifier(tokens: Tokens, rng: Random) -> Tokens | None:
    """A quantifier by one that cannot hold beside it."""
    if negated(tokens) or tokens[-1].word == "?":
        return None
    words = low(tokens)
    found = [
        (i, len(one.split()), two)
        for one, two, following, _ in QUANTIFIERS
        for i in range(len(words) - len(one.split()))
        if words[i : i + len(one.split())] == one.split()
        and words[max(0, i - 1)] != "on"
        and quantifies(tokens, i, len(one.split()), following)
    ]
    if not found:
        return None
    start, size, new = rng.choice(found)
    return put(tokens, start, start + size, like(new, tokens[start].word).split())


def quantifies(tokens: Tokens, at: int, size: int, following: str) -> bool:
    """Whether the words at the place are a quantifier, and the only one."""
    words = low(tokens)
    before, after = words[at - 1] if at else "", words[at + size]
    rest = tokens[at + size :]
    owned = before.endswith(("'s", "’s")) or tokens[at - 1 if at else 0].tag == "DPS"
    floating = words[at] == "all" and before in ("are", "were", "be", "is", "was")
    if (
        owned
        or floating
        or before in LOOSE_BEFORE
        or after in LOOSE_AFTER
        or after == "of"
        or before in ("and", "or", ",")
    ):
        return False
    if following in ("NN1", "NN2"):
        noun = next((j for j, t in enumerate(rest[:3]) if t.tag not in ("AJ0",)), 0)
        return rest[noun].tag == following and rest[noun].word.lower() not in LASTING | plurals(LASTING) | LOOSE_AFTER
    if following == "V":
        return rest[0].tag in ("VVZ", "VVD") or words[at + size] in ("is", "was", "has", "had")
    if following == "CRD":
        return rest[0].tag == "CRD" and rest[0].word.lower() not in ("one", "1")
    return at > 0 or size > 1


AMOUNTS = (
    Rule("number", "number", 0, number, "They saw 12 dogs.", "They saw 15 dogs."),
    Rule("ordinal", "number", 0, ordinal, "She left in the third season.", "She left in the fifth season."),
    Rule("quantifier", "quantifier", 0, quantifier, "All students passed.", "No students passed."),
    Rule("number_words", "number_words", 1, number_word, "They saw three dogs.", "They saw 3 dogs."),
)
