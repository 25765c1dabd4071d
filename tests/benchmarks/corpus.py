"""Documents and queries of the data sets, for measuring."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from onnx_export.sources import raw_train_pairs, report_pairs, scifact

#: The kind of query that is asked; every other text is a document.
ASKED = ("squadshifts", "qed_nq", "xquad_en")


def documents(folder: Path, count: int, seed: int = 0) -> list[str]:
    """So many distinct texts of the data sets, passages and sentences mixed as they come.

    Raises:
        ValueError: the folder does not hold so many.
    """
    rows = chain(raw_train_pairs(folder), chain.from_iterable(report_pairs(folder).values()))
    texts = {text for row in rows for text in ((row.document,) if row.source in ASKED else (row.query, row.document))}
    texts |= set(scifact(folder).documents.values())
    listed = sorted(text for text in texts if any(character.isalnum() for character in text))
    if len(listed) < count:
        raise ValueError(f"{folder}: holds {len(listed)} distinct texts, {count} are asked for")
    return random.Random(seed).sample(listed, count)


def queries(folder: Path, count: int, seed: int = 1) -> list[str]:
    """So many distinct questions of the data sets."""
    rows = [row.query for rows in report_pairs(folder).values() for row in rows if row.source in ASKED]
    return random.Random(seed).sample(sorted(set(rows)), count)


def lines(texts: list[str]) -> Iterator[bytes]:
    """The documents as JSON Lines."""
    for number, text in enumerate(texts):
        yield json.dumps({"id": str(number), "text": text}).encode() + b"\n"
