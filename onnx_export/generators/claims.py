"""Claims and the passages that hold them, or only a near-miss of them: what profile ``passages`` is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from onnx_export.generators.edits import edit_pairs
from onnx_export.pair import Pair

SOURCE = "claims"
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“(])")
#: Words of a sentence that makes a claim.
SHORTEST, LONGEST = 6, 30
#: Words of a passage put together here, at most.
PASSAGE_WORDS = 150


def claim_pairs(rows: Sequence[Pair], count: int, seed: int) -> list[Pair]:
    """About `count` rows, half of them from `paragraph_claims`, half from `hidden_pairs`.

    Args:
        rows: of every source; those of category ``retrieval`` give the paragraphs.
    """
    paragraphs = sorted({row.document for row in rows if row.category == "retrieval"})
    sentences = [row for row in rows if row.category != "retrieval" and row.passages is not None]
    return paragraph_claims(paragraphs, count // 2, seed) + hidden_pairs(sentences, count // 2, seed)


def paragraph_claims(paragraphs: Sequence[str], count: int, seed: int) -> list[Pair]:
    """A sentence of a paragraph reworded (1) or turned into a near-miss (0), against the whole paragraph."""
    home = {sentence: paragraph for paragraph in paragraphs for sentence in claims_in(paragraph)}
    made = edit_pairs([], sorted(home), count, seed)
    result = []
    for row in made:
        original, changed = (row.query, row.document) if row.query in home else (row.document, row.query)
        if original in home:
            pairs = 0 if row.passages == 0 else None
            result.append(Pair(changed, home[original], pairs, row.passages, row.category, SOURCE, home[original]))
    return result


def hidden_pairs(rows: Sequence[Pair], count: int, seed: int) -> list[Pair]:
    """Rows whose document stands among other documents of its source; the passages label stays what it was."""
    random = Random(seed)
    by_source: dict[str, list[Pair]] = {}
    for row in rows:
        by_source.setdefault(row.source, []).append(row)
    result = []
    for row in random.sample(list(rows), min(count, len(rows))):
        drawn = random.sample(by_source[row.source], min(6, len(by_source[row.source])))
        others = [other.document for other in drawn if other.group != row.group]
        passage = _among(row, others, random)
        pairs = 0 if row.passages == 0 else None
        result.append(Pair(row.query, passage, pairs, row.passages, row.category, SOURCE, f"{row.source}/{row.group}"))
    return result


def claims_in(paragraph: str) -> list[str]:
    """The sentences of a paragraph that can stand as a claim.

    Example:
        >>> claims_in("Too short. The library is open on Sundays from nine to five. Is it?")
        ['The library is open on Sundays from nine to five.']
    """
    sentences = [sentence.strip() for sentence in _SENTENCE.split(paragraph)]
    return [text for text in sentences if SHORTEST <= len(text.split()) <= LONGEST and text.endswith(".")]


def _among(row: Pair, others: Sequence[str], random: Random) -> str:
    """The row's document with some of the others before and after it."""
    words, parts = len(row.document.split()), [_stopped(row.document)]
    for other in others[: random.randint(1, 5)]:
        if other in (row.document, row.query) or words + len(other.split()) > PASSAGE_WORDS:
            continue
        words += len(other.split())
        parts.insert(random.choice((0, len(parts))), _stopped(other))
    return " ".join(parts)


def _stopped(text: str) -> str:
    """The text with a mark at its end."""
    text = text.strip()
    return text if text[-1:] in ".!?" else text + "."
