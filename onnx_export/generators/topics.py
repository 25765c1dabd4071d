"""Topics and the passages about them: queries that a passage is about without stating them, for profile ``passages``.

A verifier that has only seen questions with their answer and claims that a passage states calls everything else
unsupported, and a filter built on it empties the result list of a topical query.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from onnx_export.generators.claims import claims_in
from onnx_export.generators.tagging import Tokens, chunks, tag, text_of
from onnx_export.pair import Pair
from onnx_export.sources.paragraphs import Paragraphs

SOURCE = "topics"
#: Words that must be left of a paragraph once a sentence is taken out of it.
LEFT = 25
#: Words of a document put together from two paragraphs, at most.
LONGEST = 190
#: Shares of documents made longer, and of false pairs whose document is close to the query.
LONGER, CLOSE = 0.3, 0.5
#: Queries about one thing and about two.
ONE = (
    "{x}",
    "{x}",
    "what is known about {x}",
    "information about {x}",
    "everything on {x}",
    "an account of {x}",
    "what should one know about {x}?",
    "the properties of {x}",
    "problems with {x}",
    "{x} explained",
)
TWO = (
    "{x} {y}",
    "{x}, {y}",
    "{x} and {y}",
    "{x} in {y}",
    "{y} for {x}",
    "the effect of {x} on {y}",
    "how does {x} affect {y}?",
    "the role of {x} in {y}",
    "how are {x} and {y} related?",
    "the relation between {x} and {y}",
    "what has been said on {x} with regard to {y}",
    "does {x} have to do with {y}?",
    "{x} compared with {y}",
    "{x} is associated with {y}.",
    "{x} plays a part in {y}.",
)
#: What ends the main clause of a sentence.
_ENDS = frozenset("which who whom whose where when while although because since after before but".split())
#: Adverbs that a clause does not mean the same without.
_TELLING = frozenset("never hardly rarely seldom barely only almost nearly no less least more most too".split())
_LEADING = frozenset("a an the his her its their our my your this that these those some any".split())


def topic_pairs(rows: Sequence[Pair], count: int, seed: int) -> list[Pair]:
    """At most `count` rows, a true and a false one of each query.

    A query is a sentence taken out of a paragraph, the main clause of one without its modifiers, or phrases of the
    paragraph in the words of a search. The true document is the paragraph (what is left of it), the false one another
    paragraph of the same kind that lacks a telling word of the query; some of either have a second paragraph around.

    Args:
        rows: of every source; those of category ``retrieval`` give the paragraphs, by the place in their group's name.
    """
    random = Random(seed)
    shelves = _shelves(rows)
    drawn = [(shelf, number) for shelf in shelves for number in range(len(shelf.texts))]
    makers: list[Callable[[str, Random], tuple[str, str] | None]] = [taken_out, condensed, phrased, phrased]
    result: list[Pair] = []
    for _ in range(4 * count if drawn else 0):
        if len(result) + 2 > count:
            break
        shelf, number = random.choice(drawn)
        made = random.choice(makers)(shelf.texts[number], random)
        if made is None:
            continue
        query, home = made
        if not shelf.telling(query, number):  # too general: any paragraph could be meant
            continue
        close = shelf.close(query, answered_by=number, answers=())
        others = close if close and random.random() < CLOSE else range(len(shelf.texts))
        other = random.choice(others)
        if other == number:
            continue
        for text, label in ((home, 1), (shelf.texts[other], 0)):
            around = random.randrange(len(shelf.texts))
            longer = random.random() < LONGER and around != number
            document = _joined(text, shelf.texts[around], random) if longer else text
            result.append(Pair(query, document, None if label else 0, label, "topic", SOURCE, shelf.texts[number]))
    return result


def taken_out(paragraph: str, random: Random) -> tuple[str, str] | None:
    """A sentence of the paragraph and the paragraph without it (Lee et al. 2019, arXiv:1906.00300), or None.

    Example:
        >>> text = "Ann built the mill in 1902. " + "The mill stands by the river and grinds corn for the town. " * 3
        >>> taken_out(text, Random(1))[0]
        'Ann built the mill in 1902.'
    """
    sentences = claims_in(paragraph)
    random.shuffle(sentences)
    for sentence in sentences:
        rest = " ".join(paragraph.replace(sentence, " ").split())
        if len(rest.split()) >= LEFT:
            return sentence, rest
    return None


def condensed(paragraph: str, random: Random) -> tuple[str, str] | None:
    """The main clause of a sentence of the paragraph without adjectives, adverbs and brackets, and the paragraph.

    Example:
        >>> condensed("The very old mill slowly grinds brown corn for the town, which is small.", Random(1))[0]
        'The mill grinds corn for the town.'
    """
    sentences = claims_in(paragraph)
    if not sentences:
        return None
    tokens = tag(random.choice(sentences))
    kept: list[int] = []
    depth = 0
    for place, token in enumerate(tokens):
        depth += (token.word in "([") - (token.word in ")]")
        ended = token.word == ";" or (token.word == "," and _next(tokens, place) in _ENDS)
        if ended and len(kept) >= 5:
            break
        spare = token.tag in ("AJ0", "AV0") and token.word.lower() not in _TELLING
        if depth == 0 and token.word not in ")]" and not spare:
            kept.append(place)
    words = tuple(tokens[place] for place in kept if tokens[place].tag != "PUN" or place < kept[-1])
    if len(words) < 5:
        return None
    text = text_of(words).rstrip(" ,.;:")
    return text[:1].upper() + text[1:] + ".", paragraph


def phrased(paragraph: str, random: Random) -> tuple[str, str] | None:
    """One or two noun phrases of the paragraph as somebody would type them into a search, and the paragraph.

    Example:
        >>> phrased("The old mill grinds brown corn.", Random(3))[0]
        'old mill explained'
    """
    found: list[str] = []
    sentences = claims_in(paragraph) or [paragraph]
    for sentence in random.sample(sentences, min(2, len(sentences))):
        tokens = tag(sentence)
        found += [phrase(tokens[start:end]) for start, end in chunks(tokens)]
    found = sorted({text for text in found if len(text) > 3})
    if not found:
        return None
    x, y = (random.choice(found) for _ in range(2))
    form = random.choice(ONE) if x in y or y in x else random.choice(TWO)
    return form.format(x=x, y=y), paragraph


def phrase(tokens: Tokens) -> str:
    """The noun phrase without its article, in lower case unless it is a name.

    Example:
        >>> phrase(tag("The Old mill"))
        'old mill'
    """
    kept = tokens[1:] if tokens[0].word.lower() in _LEADING else tokens
    return " ".join(token.word if token.tag == "NP0" or token.word.isupper() else token.word.lower() for token in kept)


def _next(tokens: Tokens, place: int) -> str:
    return tokens[place + 1].word.lower() if place + 1 < len(tokens) else ""


def _joined(text: str, around: str, random: Random) -> str:
    """The text before or after another, if the two are not too long."""
    if len(text.split()) + len(around.split()) > LONGEST or around == text:
        return text
    return " ".join((text, around) if random.random() < 0.5 else (around, text))


def _shelves(rows: Sequence[Pair]) -> list[Paragraphs]:
    """The paragraphs of each place, each once."""
    by_place: dict[str, set[str]] = {}
    for row in rows:
        if row.category == "retrieval":
            by_place.setdefault(row.group.rpartition(":")[0], set()).add(row.document)
    return [Paragraphs(sorted(texts)) for _, texts in sorted(by_place.items())]
