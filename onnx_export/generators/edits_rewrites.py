"""Rewrites of a tagged sentence that keep its meaning. Each returns None where it does not apply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from random import Random

from onnx_export.generators.edits_words import CONTRACTIONS, CONVERSE, INVERSE, synonyms
from onnx_export.generators.phrase import inflect, number_words
from onnx_export.generators.tagging import BE, Token, Tokens, chunks, recase, tag, tagger, text_of

Rewrite = Callable[[Tokens, Random], Tokens | None]
SMALL = {number_words(number): number for number in range(2, 100)}
PERSONS = frozenset(
    "man woman boy girl men women boys girls people person child children guy lady player kid kids".split()
)


def like(word: str, model: str) -> str:
    """`word` with the capital of `model`."""
    return word[:1].upper() + word[1:] if model[:1].isupper() else word


def spell(tokens: Tokens, rng: Random) -> Tokens | None:
    """A number word in digits or a small number in words.

    Example:
        >>> text_of(spell(tag("They saw three dogs ."), Random(0)))
        'They saw 3 dogs .'
    """
    spots = [i for i, t in enumerate(tokens) if t.word.lower() in SMALL or (t.word.isdigit() and 1 < int(t.word) < 100)]
    spots = [i for i in spots if i == 0 or tokens[i - 1].tag not in ("NP0",)]
    if not spots:
        return None
    spot = rng.choice(spots)
    word = tokens[spot].word
    new = number_words(int(word)) if word.isdigit() else str(SMALL[word.lower()])
    return put(tokens, spot, spot + 1, [like(new, word)])


def put(tokens: Tokens, start: int, end: int, new: list[str]) -> Tokens:
    """`tokens` with those from `start` to `end` replaced by the words `new`."""
    gap = tokens[start].gap
    fresh = tuple(Token(word, "NEW", gap if i == 0 else " ") for i, word in enumerate(new))
    return tokens[:start] + fresh + tokens[end:]


def synonym(tokens: Tokens, rng: Random) -> Tokens | None:
    """One word by a synonym in the same form.

    Example:
        >>> text_of(synonym(tag("He purchased it."), Random(0)))
        'He bought it.'
    """
    table = synonyms()
    spots = [i for i, t in enumerate(tokens) if t.word.lower() in table and (i == 0 or not t.word[0].isupper())]
    if not spots:
        return None
    spot = rng.choice(spots)
    new = table[tokens[spot].word.lower()]
    made = put(tokens, spot, spot + 1, [like(new, tokens[spot].word)])
    if spot and tokens[spot - 1].word.lower() in ("a", "an"):
        article = tokens[spot - 1]
        made = (*made[: spot - 1], article.to(like("an" if new[0] in "aeiou" else "a", article.word)), *made[spot:])
    return made


def contract(tokens: Tokens, rng: Random) -> Tokens | None:
    """A full form contracted, or a contraction in full.

    Example:
        >>> text_of(contract(tag("It did not rain."), Random(0))), text_of(contract(tag("It didn't rain."), Random(0)))
        ("It didn't rain.", 'It did not rain.')
    """
    full = {short: long for long, short in CONTRACTIONS.items() if short.endswith("n't")}
    for i, token in enumerate(tokens):
        two = f"{token.word} {tokens[i + 1].word}".lower() if i + 1 < len(tokens) else ""
        if two in CONTRACTIONS and (two.endswith("not") or (i == 0 and two == "there is")):
            return put(tokens, i, i + 2, [like(CONTRACTIONS[two], token.word)])
        if token.word.lower() in full:
            return put(tokens, i, i + 1, like(full[token.word.lower()], token.word).split())
    return None


def move_time(tokens: Tokens, rng: Random) -> Tokens | None:
    """A year phrase from the end to the front or back.

    Example:
        >>> text_of(move_time(tag("The bank failed in 1994 ."), Random(0)))
        'In 1994 , the bank failed .'
    """
    words = [t.word for t in tokens]
    end = len(words) - (not words[-1].isalnum())
    years = [i for i, w in enumerate(words) if w.isdigit() and len(w) == 4 and i]
    year = [i for i in years if words[i - 1].lower() in ("in", "since", "during")]
    if len(year) != 1:
        return None
    at = year[0]
    comma = replace(tokens[-1], word=",", tag="PUN") if not words[-1].isalnum() else Token(",", "PUN", "")
    if at == end - 1 and at > 3 and words[at - 2] not in (",", "and") and tokens[at - 2].tag not in ("NUL", "CRD"):
        moved = (tokens[at - 1].to(words[at - 1].title()), tokens[at], comma)
        return recase((*moved, *tokens[: at - 1], *tokens[end:]), tokens)
    if at == 1 and len(words) > 5 and words[2] == ",":
        body = recase(tokens[3:end], tokens)
        return (*body, replace(tokens[0], word=words[0].lower(), gap=" "), tokens[1], *tokens[end:])
    return None


def swap_conjuncts(tokens: Tokens, rng: Random) -> Tokens | None:
    """Two noun phrases around "and" in the other order.

    Example:
        >>> text_of(swap_conjuncts(tag("The dog and the cat slept ."), Random(0)))
        'The cat and the dog slept .'
    """
    parts = chunks(tokens)
    for (a, b), (c, d) in pairwise(parts):
        joined = c == b + 1 and tokens[b].word == "and"
        alike = tokens[a].tag == tokens[c].tag and tokens[a].tag in ("AT0", "NP0", "DPS")
        before = tokens[a - 1].word if a else "."
        after = tokens[d].word if d < len(tokens) else "."
        if joined and alike and before != "," and after not in ("and", ",", "of", "'s") and (after == "." or a == 0):
            return exchange(tokens, (a, b), (c, d))
    return None


def exchange(tokens: Tokens, left: tuple[int, int], right: tuple[int, int]) -> Tokens:
    """`tokens` with two stretches exchanged.

    Example:
        >>> text_of(exchange(tag("The dog saw a cat ."), (0, 2), (3, 5)))
        'A cat saw the dog .'
    """
    (a, b), (c, d) = left, right
    one = (replace(tokens[a], gap=tokens[c].gap), *tokens[a + 1 : b])
    two = (replace(tokens[c], gap=tokens[a].gap), *tokens[c + 1 : d])
    return recase(tokens[:a] + two + tokens[b:c] + one + tokens[d:], tokens)


def passive(tokens: Tokens, rng: Random) -> Tokens | None:
    """The passive of a plain clause: noun phrase, be and -ing, noun phrase.

    Example:
        >>> text_of(passive(tag("A dog is chasing the cat ."), Random(0)))
        'The cat is being chased by a dog .'
    """
    parts = chunks(tokens)
    if len(parts) < 2 or parts[0][0] != 0 or len(tokens) > 14:
        return None
    (_, b), (c, d) = parts[0], parts[1]
    after = tokens[d] if d < len(tokens) else Token(".", "PUN", "")
    head = tokens[d - 1].tag
    progressive = c == b + 2 and tokens[b].word in ("is", "are") and tokens[b + 1].tag == "VVG"
    if not progressive or after.tag not in ("PUN", "PRP"):
        return None
    base = inflect_base(tokens[b + 1].word)
    if inflect(base, "VBG") != tokens[b + 1].word or base.endswith("ing"):
        return None
    done = inflect(base, "VBN")
    be = "are" if head == "NN2" else "is"
    words = [Token(w, "NEW", " ") for w in (be, "being", done, "by")]
    moved = (*tokens[c:d], *words, *tokens[:b], *tokens[d:])
    return recase(moved, tokens)


def inflect_base(word: str) -> str:
    """The base of an -ing form.

    Example:
        >>> inflect_base("chasing")
        'chase'
    """
    found = tag("He is " + word)  # the tagger's lemma is the second of its answer
    return str(tagger().analyze(found[-1].word)[0]).lower() if found else word


def relation(tokens: Tokens) -> tuple[int, int, str, str] | None:
    """Where a relation of INVERSE stands: start, end, its words, its inverse."""
    low = [t.word.lower() for t in tokens]
    for row in INVERSE.split(","):
        for one, other in (row.split("/"), row.split("/")[::-1]):
            words = one.split()
            for i in range(2, len(low) - len(words)):
                if low[i : i + len(words)] == words and (len(words) > 1 or words[0] not in ("on", "left", "is")):
                    return i, i + len(words), one, other
    return None


def invert(tokens: Tokens, rng: Random) -> Tokens | None:
    """The inverse relation with its arguments exchanged.

    Example:
        >>> text_of(invert(tag("The cup is above the plate."), Random(0)))
        'The plate is below the cup.'
    """
    found, parts = relation(tokens), chunks(tokens)
    if found is None or len(parts) != 2 or found[2] not in CONVERSE or found[3] not in CONVERSE:
        return None
    (a, b), (c, d) = parts
    start, end, _, other = found
    plain = tokens[b].word in BE and b + 1 == start and end == c and d >= len(tokens) - 1
    if not plain or a or (tokens[b - 1].tag == "NN2") != (tokens[d - 1].tag == "NN2"):
        return None
    swapped = exchange(tokens, (a, b), (c, d))
    size = d - c
    return put(swapped, size + 1, size + 1 + end - start, other.split())


def relative(tokens: Tokens, rng: Random) -> Tokens | None:
    """A person's -ing phrase as a relative clause.

    Example:
        >>> text_of(relative(tag("A man wearing a hat sings ."), Random(0)))
        'A man who is wearing a hat sings .'
    """
    for i in range(1, min(6, len(tokens) - 2)):
        if tokens[i].word.lower() in PERSONS and tokens[i + 1].tag == "VVG" and tokens[i + 1].word.endswith("ing"):
            many = tokens[i].word.lower() in ("men", "women", "boys", "girls", "people", "children", "kids")
            return put(tokens, i + 1, i + 2, ["who", "are" if many else "is", tokens[i + 1].word])
    return None


REWRITES: tuple[tuple[Rewrite, int], ...] = (
    (spell, 4), (synonym, 6), (contract, 6), (move_time, 8), (swap_conjuncts, 8), (passive, 12), (invert, 12),
    (relative, 6),
)  # fmt: skip


def rewrite(tokens: Tokens, rng: Random) -> Tokens | None:
    """One rewrite that applies, at random by weight; None when none does."""
    waiting = list(REWRITES)
    while waiting:
        made = rng.choices(waiting, [weight for _, weight in waiting])[0]
        result = made[0](tokens, rng)
        if result is not None:
            return tag(text_of(result))
        waiting.remove(made)
    return None
