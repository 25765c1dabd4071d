"""Where the parts of a plain sentence stand: subject, finite verb, noun phrases, and guards against misreading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from onnx_export.generators.edits_rewrites import like
from onnx_export.generators.phrase import article, inflect
from onnx_export.generators.tagging import Token, Tokens
from onnx_export.generators.vocabulary_edits import ANIMALS, NEGATIONS, PEOPLE, SUBJECT_TO_OBJECT

NOUNS = ("NN1", "NN2", "NN0", "NP0")
ENDS = frozenset(".!?")
#: Past forms that begin a description more often than they tell.
PARTICIPLES = frozenset(
    "topped filled covered dressed loaded decorated surrounded made packed stacked lined called named known".split()
)
#: Bases that the tagger takes for past forms.
BASES = frozenset("come become overcome run".split())
CLOSING = frozenset(".!?,;:")
ASKING = frozenset("what where who whom when why how which whose".split())
#: Marks beside which words are not moved.
MARKS = frozenset('"“”()[]{}<>|*#@_~^=+\\/')
FINITE = frozenset("VVD VVZ VVB VVN VBZ VBD VBB VHZ VHD VHB VDD VDZ VDB VM0".split())
BE_FORMS = frozenset("is are was were".split())
HAVE_FORMS = frozenset("has have had".split())
MODALS = frozenset("can could will would should may might must".split())
#: Prepositions that tie a phrase to the noun before it often enough to go along with a subject.
TIES = frozenset("of in on at with from for near".split())
#: Adverbs that stand between a subject and its verb.
ADVERBS = frozenset("also then later now often usually originally currently previously eventually finally soon".split())
DETERMINERS = frozenset("the a an this that these those".split())


@dataclass(frozen=True, slots=True)
class Clause:
    """A main clause: the subject is tokens[start:end], its finite verb is tokens[verb]."""

    start: int
    end: int
    verb: int


def low(tokens: Tokens) -> list[str]:
    """The words in lower case."""
    return [token.word.lower() for token in tokens]


def last(tokens: Tokens) -> int:
    """Where the sentence's closing mark stands, or its length.

    Example:
        >>> from onnx_export.generators.tagging import tag
        >>> last(tag("It rained.")), last(tag("rain"))
        (2, 1)
    """
    return len(tokens) - (bool(tokens) and tokens[-1].word in ENDS)


def negated(tokens: Tokens) -> bool:
    """Whether a word of the sentence denies something."""
    return any(word in NEGATIONS or word.endswith(("n't", "n’t")) for word in low(tokens))


def asked(tokens: Tokens) -> bool:
    """Whether the sentence is a question."""
    opened = len(tokens) > 1 and tokens[0].word.lower() in ASKING and tokens[1].tag[:1] == "V"
    return bool(tokens) and (tokens[-1].word == "?" or opened)


def phrase(tokens: Tokens, start: int) -> int:
    """Where the noun phrase that begins at `start` ends; `start` when none does.

    Example:
        >>> from onnx_export.generators.tagging import tag
        >>> phrase(tag("The big dog slept ."), 0), phrase(tag("He slept ."), 0), phrase(tag("Sleep well ."), 0)
        (3, 1, 0)
    """
    size = len(tokens)
    if start >= size:
        return start
    first = tokens[start]
    if first.word.lower() in SUBJECT_TO_OBJECT or first.word.lower() in SUBJECT_TO_OBJECT.values():
        return start + 1
    opened = (first.word.lower() in DETERMINERS and first.tag != "CJT") or first.tag == "DPS"
    end = start + opened
    counted = end < size and tokens[end].tag in ("CRD", "ORD")
    while end < size and (tokens[end].tag in ("AJ0", "ORD", "CRD", "AJC", "AJS") or _decorated(tokens, end)):
        end += 1
    nouns = end
    while end < size and tokens[end].tag in NOUNS and not tokens[end].word.endswith(("n't", "n’t")):
        end += 1
    bare = end > nouns and (tokens[end - 1].tag == "NN2" or first.tag == "NP0" or counted)
    return end if end > nouns and (opened or bare) else start


def _decorated(tokens: Tokens, at: int) -> bool:
    """Whether a participle or an owner stands before the noun."""
    inside = at + 1 < len(tokens) and tokens[at + 1].tag in NOUNS
    return inside and (tokens[at].word.endswith(("'s", "’s")) or (tokens[at].tag == "VVN" and at > 0))


def tied(tokens: Tokens, start: int, ties: frozenset[str] = TIES) -> int:
    """Where a noun phrase ends together with the prepositional phrases tied to it.

    Example:
        >>> from onnx_export.generators.tagging import tag
        >>> tied(tag("A man in a hat slept ."), 0)
        5
    """
    end = phrase(tokens, start)
    while end > start and end < len(tokens) and tokens[end].word.lower() in ties:
        further = phrase(tokens, end + 1)
        if further == end + 1:
            break
        end = further
    return end


def clause(tokens: Tokens) -> Clause | None:
    """The main clause of a plain statement, None when unsure.

    Example:
        >>> from onnx_export.generators.tagging import tag
        >>> clause(tag("The man in the hat chased a dog .")), clause(tag("In 1994 , it failed ."))
        (Clause(start=0, end=5, verb=5), Clause(start=3, end=4, verb=4))
        >>> clause(tag("Running is fun ."))
    """
    start = 0
    if any(token.word in MARKS for token in tokens):
        return None
    if tokens and tokens[0].tag == "PRP":
        comma = next((i for i, token in enumerate(tokens[:9]) if token.word == ","), 0)
        if not comma or any(t.tag.startswith("V") or t.word.lower() == "to" for t in tokens[:comma]):
            return None
        start = comma + 1
    end = tied(tokens, start)
    verb = end + (end < len(tokens) and tokens[end].word.lower() in ADVERBS)
    if end == start or verb >= len(tokens) or asked(tokens) or not finite(tokens, verb, end):
        return None
    return Clause(start, end, verb)


def finite(tokens: Tokens, verb: int, end: int) -> bool:
    """Whether the token is a finite verb that fits the subject that ends at `end`."""
    token = tokens[verb]
    word = token.word.lower()
    many = plural(tokens, end)
    if word in PARTICIPLES and verb + 1 < len(tokens) and tokens[verb + 1].word.lower() in ("with", "by", "of", "in"):
        return False
    if word in ("is", "was", "has", "does"):
        return not many
    if word in ("are", "were", "have", "do"):
        return many
    if word in MODALS or word in ("had", "did"):
        return True
    if token.tag == "VVZ":
        return not many
    if token.tag == "VVD" and word in BASES:
        return False
    if token.tag == "VVD" and any(t.tag == "VVG" for t in tokens[verb:]) and "with" in low(tokens[:end]):
        return False
    return token.tag == "VVD" or (token.tag == "VVB" and many)


def plural(tokens: Tokens, end: int) -> bool:
    """Whether the subject that ends at `end` takes a plural verb: by the verb behind it where that tells."""
    following = tokens[end].word.lower() if end < len(tokens) else ""
    if following in ("are", "were", "have", "do"):
        return True
    if following in ("is", "was", "has", "does"):
        return False
    head = tokens[end - 1]
    if any(
        token.tag == "CRD" and token.word.lower() not in ("one", "1") for token in tokens[max(0, end - 4) : end - 1]
    ):
        return True
    return head.tag == "NN2" or head.word.lower() in ("we", "they", "you", "i", "people")


def many(tokens: Tokens, start: int, end: int) -> bool:
    """Whether the noun phrase itself is plural."""
    head = tokens[end - 1].word.lower()
    first = tokens[start].word.lower()
    heads = next((i for i in range(start + 1, end) if tokens[i].word.lower() in TIES), end)
    noun = tokens[heads - 1]
    if first in ("a", "an"):
        return noun.word.lower() in ("couple", "lot", "number") and heads < end
    ending = noun.tag == "NN2" and noun.word.lower().endswith("s")
    return ending or noun.word.lower() in plurals(PEOPLE) or head in ("they", "we", "them", "us", "people")


@lru_cache(maxsize=8)
def plurals(words: frozenset[str]) -> frozenset[str]:
    """The plurals of the words.

    Example:
        >>> sorted(plurals(frozenset(["man", "dog"])))
        ['dogs', 'men']
    """
    return frozenset(inflect(word, "NNS") for word in words)


def animate(word: str) -> bool:
    """Whether the noun is a person or an animal.

    Example:
        >>> animate("Women"), animate("table")
        (True, False)
    """
    word = word.lower()
    return any(word in kind or word in plurals(kind) for kind in (PEOPLE, ANIMALS))


def person(word: str) -> bool:
    """Whether the noun is a person."""
    return word.lower() in PEOPLE or word.lower() in plurals(PEOPLE)


def movable(tokens: Tokens, start: int) -> bool:
    """Whether the phrase may leave its place: one in front must be known to be no name written like a common noun."""
    first = tokens[start]
    opened = first.tag in ("AT0", "DPS", "DT0", "CRD", "PNP", "NP0") or first.word.lower() in SUBJECT_TO_OBJECT
    return start > 0 or opened or animate(first.word)


def joined(tokens: Tokens, *parts: Tokens | str) -> Tokens:
    """The parts one after another as a sentence that begins as `tokens` do; a text is split at its blanks.

    Example:
        >>> from onnx_export.generators.tagging import tag, text_of
        >>> told = tag("The dog barked.")
        >>> text_of(joined(told, "it was", told[:2], "that", told[2:]))
        'It was the dog that barked.'
    """
    made: list[Token] = []
    for part in parts:
        found = tuple(Token(word, "NEW", " ") for word in part.split()) if isinstance(part, str) else part
        if found and made and found[0].word not in CLOSING:
            found = (inner(found[0], tokens[0]), *found[1:])
        made += found
    if made:
        upper = tokens[0].word[:1].isupper() or (tokens[0].word[:1].isdigit() and made[0].tag in ("NEW", "CJS", "PRP"))
        word = made[0].word
        made[0] = Token(word[:1].upper() + word[1:] if upper else word, made[0].tag, "")
    return tuple(made)


def inner(token: Token, first: Token) -> Token:
    """The first token of a part as it stands within a sentence; what began the sentence loses its capital."""
    moved = token.word == first.word and token.word.istitle() and token.tag != "NP0" and token.word != "I"
    return replace(token, word=token.word.lower() if moved else token.word, gap=token.gap or " ")


def worded(token: Token, word: str) -> Token:
    """The token with another word that keeps its capital."""
    return token.to(like(word, token.word))


def settled(tokens: Tokens) -> Tokens:
    """The tokens with a participle tagged as the past tense where it is the only verb of a plain statement.

    Example:
        >>> from onnx_export.generators.tagging import tag
        >>> tag("The old bank failed in 1994 .")[3].tag, settled(tag("The old bank failed in 1994 ."))[3].tag
        ('VVN', 'VVD')
    """
    verbs = [i for i, token in enumerate(tokens) if token.tag in FINITE]
    at = verbs[0] if verbs else 0
    if not at or tokens[at].tag != "VVN" or len(verbs) > 1 or tokens[-1].word != ".":
        return tokens
    opened = tokens[0].word.lower() in ("the", "he", "she", "it", "they", "we", "i") or tokens[0].tag in (
        "NP0",
        "PRP",
        "DPS",
    )
    goes_on = tokens[at + 1].tag in ("PRP", "AT0", "DPS", "CRD", "AV0", "PUN", "TO0") and tokens[at + 1].word != "by"
    made = (*tokens[:at], replace(tokens[at], tag="VVD"), *tokens[at + 1 :])
    return made if opened and goes_on and clause(made) else tokens


def articled(tokens: Tokens) -> Tokens:
    """The tokens with "a" and "an" set right before every new word.

    Example:
        >>> from onnx_export.generators.tagging import text_of
        >>> text_of(articled((Token("An", "AT0"), Token("young", "NEW"), Token("Italian", "NN1"))))
        'A young Italian'
    """
    made = list(tokens)
    for i, token in enumerate(made[:-1]):
        if token.word.lower() in ("a", "an") and made[i + 1].tag == "NEW":
            made[i] = worded(token, article(made[i + 1].word).split()[0])
    return tuple(made)
