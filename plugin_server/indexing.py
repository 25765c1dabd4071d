"""A corpus into the embedded index: documents encoded and stored a batch at a time, so that a stopped run can go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from plugin_server.corpus import Document, Refused
from plugin_server.encoder import Encoded, Encoder
from plugin_server.errors import InvalidRequest
from plugin_server.index import Index

#: A batch is full with so many lines, or so many characters.
BATCH_LINES, BATCH_CHARACTERS = 64, 200_000


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of some lines of a corpus: documents added, documents that were there already, lines refused."""

    added: int
    unchanged: int
    refused: tuple[Refused, ...]


def fill(index: Index, encoder: Encoder, corpus: Iterable[Document | Refused]) -> Iterator[Batch]:
    """The batches as they are stored, each in one transaction.

    Batches begin at the same lines in every run: one that goes on where another was killed encodes the same batches
    and ends with the same index, to the last bit.

    Raises:
        IndexFailure: the index cannot be written.
    """
    for items in batches(corpus):
        refused = [item for item in items if isinstance(item, Refused)]
        documents = [item for item in items if isinstance(item, Document)]
        pending = index.missing(documents)
        encoded = encoded_by_id(encoder, pending, refused)
        taken = [document for document in pending if document.id in encoded]
        index.add(taken, [encoded[document.id] for document in taken])
        refused.sort(key=lambda item: item.line)
        yield Batch(len(taken), len(documents) - len(pending), tuple(refused))


@dataclass(frozen=True, slots=True)
class Ready(Document):
    """A document that brings what the loaded bundle's encoder made of it."""

    encoded: Encoded | None = field(default=None, compare=False, repr=False)


def encoded_by_id(encoder: Encoder, documents: list[Document], refused: list[Refused]) -> dict[str, Encoded]:
    """What could be encoded, by id; what could not is added to `refused`."""
    result = {item.id: item.encoded for item in documents if isinstance(item, Ready) and item.encoded}
    waiting = [document for document in documents if document.id not in result]
    try:
        encoded = encoder.documents([item.text for item in waiting])
        return result | {document.id: item for document, item in zip(waiting, encoded, strict=True)}
    except InvalidRequest:  # one of them: find it
        pass
    for document in waiting:
        try:
            result[document.id] = encoder.documents([document.text], ["text"])[0]
        except InvalidRequest as error:
            refused.append(Refused(document.line, str(error), document.id))
    return result


def batches(corpus: Iterable[Document | Refused]) -> Iterator[list[Document | Refused]]:
    """The items in lists of at most `BATCH_LINES`; after the last one there is no empty list."""
    batch: list[Document | Refused] = []
    characters = 0
    for item in corpus:
        batch.append(item)
        characters += len(item.text) if isinstance(item, Document) else 0
        if len(batch) >= BATCH_LINES or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
