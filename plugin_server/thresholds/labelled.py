"""Labelled pairs out of JSON Lines; a line that cannot be one is refused by its number, and the rest goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from plugin_server.blob import is_blob
from plugin_server.bundle import PROFILES
from plugin_server.corpus import Refused
from plugin_server.errors import InvalidField, InvalidRequest
from plugin_server.jsonlines import kind, read_lines, text_of
from plugin_server.reranker import CHUNK, Reranker


@dataclass(frozen=True, slots=True)
class Labelled:
    """A pair and whether it is true.

    Attributes:
        label: 1 for a true pair, 0 for a near-miss.
        category: what kind of difference it has; may be empty.
        line: where it stood in its file, from 1.
        logits: the verifier's, one for each profile, of the document's best window; empty before it was read.
        cosine: of the recall vectors, the document's best window; 0 before.
    """

    query: str
    document: str
    label: int
    category: str = ""
    line: int = 0
    logits: tuple[float, ...] = ()
    cosine: float = 0.0


def read_labelled(stream: BinaryIO, max_characters: int) -> Iterator[Labelled | Refused]:
    """A pair or a refusal for every line that is not empty; one that stood there before is refused.

    Example:
        >>> import io
        >>> for item in read_labelled(io.BytesIO(b'{"query": "a", "document": "b", "label": 1}\\n{"query": "a"}'), 9):
        ...     print(item)
        Labelled(query='a', document='b', label=1, category='', line=1, logits=(), cosine=0.0)
        Refused(line=2, reason='document: is missing')
    """
    seen: dict[tuple[str, str], Labelled] = {}
    for line in read_lines(stream):
        try:
            if line.fault:
                raise InvalidField(line.fault)
            pair = labelled_of(line.value, max_characters, line.number)
            if earlier := seen.get((pair.query, pair.document)):
                words = (
                    "the same pair stands" if earlier.label == pair.label else "contradicts the label of the same pair"
                )
                raise InvalidField(f"{words} on line {earlier.line}")
        except InvalidRequest as error:
            yield Refused(line.number, str(error))
            continue
        seen[pair.query, pair.document] = pair
        yield pair


def labelled_of(value: dict[str, Any], max_characters: int, line: int = 0) -> Labelled:
    """The pair that a line's object describes; other keys are ignored.

    Raises:
        InvalidRequest: a field is missing, empty, too long or of the wrong type; the message names it.
    """
    query, document = (text_of(value, name, max_characters) for name in ("query", "document"))
    if is_blob(document):
        raise InvalidField("document: is a token blob: give its text")
    label, category = value.get("label"), value.get("category")
    if "label" not in value:
        raise InvalidField("label: is missing: give 1 for a true pair, 0 for a near-miss")
    if type(label) not in (int, float, bool) or label not in (0, 1):
        what = repr(label) if type(label) in (int, float) else kind(label)
        raise InvalidField(f"label: is {what:.40}: give 1 for a true pair, 0 for a near-miss")
    return Labelled(query, document, int(label), category if isinstance(category, str) else "", line)


def scored(reranker: Reranker, pairs: Iterable[Labelled]) -> Iterator[list[Labelled | Refused]]:
    """The pairs with what the graphs say of them, some at a time; one that cannot be read is refused."""
    source = iter(pairs)
    while chunk := list(islice(source, CHUNK)):
        yield _scored(reranker, chunk)


def probabilities(logits: NDArray[np.float64], scale: float, bias: float) -> NDArray[np.float64]:
    """As `plugin_server.verdict.probability`, of many logits at once."""
    odds = scale * logits + bias
    tail = np.exp(-np.abs(odds))
    result: NDArray[np.float64] = np.where(odds >= 0, 1, tail) / (1 + tail)
    return result


def columns(pairs: Sequence[Labelled], profile: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits for the profile and labels, (n,) each."""
    place = PROFILES.index(profile)
    return np.array([pair.logits[place] for pair in pairs]), np.array([pair.label for pair in pairs], np.int64)


def _scored(reranker: Reranker, pairs: list[Labelled]) -> list[Labelled | Refused]:
    encoder = reranker.encoder
    documents = encoder.try_documents([pair.document for pair in pairs], ["document"] * len(pairs))
    queries = encoder.try_queries([pair.query for pair in pairs], ["query"] * len(pairs))
    refused: dict[int, Labelled | Refused] = {}
    read = []
    for place, (pair, query, document) in enumerate(zip(pairs, queries, documents, strict=True)):
        if isinstance(query, InvalidRequest) or isinstance(document, InvalidRequest):
            fault = query if isinstance(query, InvalidRequest) else document
            refused[place] = Refused(pair.line, str(fault))
        else:
            read.append((place, query, document))
    windows = [(query.windows[0], window) for _, query, document in read for window in document.windows]
    readings = iter(reranker.verifier.read(windows))
    for place, query, document in read:
        own = np.array([next(readings).logits for _ in document.windows])
        cosine = float((document.vectors @ query.vectors[0]).max())
        if np.isfinite(own).all():
            refused[place] = replace(pairs[place], logits=tuple(own.max(axis=0).tolist()), cosine=cosine)
        else:
            refused[place] = Refused(pairs[place].line, "the verifier gave no number: convert the bundle again")
    return [refused[place] for place in range(len(pairs))]
