"""A corpus into an index of the engine: encoded on a thread while the batches before are being written."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass

from plugin_server.corpus import Document, Refused
from plugin_server.encoder import Encoded, Encoder
from plugin_server.engines.bulk import Action, write
from plugin_server.engines.connection import shaped
from plugin_server.engines.document import digest, encoding, source
from plugin_server.engines.layout import DIGEST
from plugin_server.engines.patience import patiently
from plugin_server.engines.target import Target, path
from plugin_server.errors import EngineMissing, InvalidField
from plugin_server.indexing import Batch, batches, encoded_by_id

#: Batches being written at a time; encoding waits while so many are.
IN_FLIGHT = 4


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of a batch, and the corpus' line up to which everything is in the index."""

    batch: Batch
    line: int


async def fill(
    target: Target, encoder: Encoder, corpus: Iterable[Document | Refused], done: int = 0
) -> AsyncGenerator[Progress]:
    """The batches in the corpus' order, each once it is acknowledged.

    A document that is in the index in the very same form, made by the same bundle, is neither encoded nor written, so
    that a run that was stopped goes on where it was, whatever stopped it.

    Args:
        corpus: no id twice, as `read_corpus` sees to: several batches are being written at a time.
        done: documents up to this line are not even asked for; 0 for none.

    Raises:
        EngineError: the engine did not take a batch after every try; those told before are in the index.
    """
    flying: deque[asyncio.Task[Progress]] = deque()
    try:
        for items in batches(corpus):
            last = max(item.line for item in items)
            flying.append(asyncio.create_task(_store(target, await _prepared(target, encoder, items, done), last)))
            while len(flying) >= IN_FLIGHT or (flying and flying[0].done()):
                yield await flying.popleft()
        while flying:
            yield await flying.popleft()
    finally:
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _Prepared:
    actions: list[Action]
    unchanged: int
    refused: list[Refused]


async def _prepared(target: Target, encoder: Encoder, items: list[Document | Refused], done: int) -> _Prepared:
    """The actions of a batch, its texts encoded."""
    refused = [item for item in items if isinstance(item, Refused)]
    documents = [item for item in items if isinstance(item, Document) and (not done or item.line > done)]
    unchanged = len(items) - len(refused) - len(documents)
    fingerprint = encoder.manifest.fingerprint
    signs: dict[str, str] = {}
    for document in list(documents):
        try:
            signs[document.id] = digest(source(document, target.engine.layout), fingerprint, target.vectors)
        except InvalidField as error:
            refused.append(Refused(document.line, str(error)))
            documents.remove(document)
    present = await _present(target, list(signs))
    pending = [document for document in documents if present.get(document.id) != signs[document.id]]
    unchanged += len(documents) - len(pending)
    actions = await asyncio.to_thread(_actions, target, encoder, pending, signs, refused) if pending else []
    return _Prepared(actions, unchanged, refused)


def _actions(
    target: Target, encoder: Encoder, documents: list[Document], signs: dict[str, str], refused: list[Refused]
) -> list[Action]:
    """The documents encoded, and what to write of them; what cannot be encoded is added to `refused`."""
    encoded = encoded_by_id(encoder, documents, refused)
    return [
        _action(target, encoder, document, encoded[document.id], signs[document.id])
        for document in documents
        if document.id in encoded
    ]


def _action(target: Target, encoder: Encoder, document: Document, encoded: Encoded, sign: str) -> Action:
    own = encoding(encoded, encoder.manifest.fingerprint, target.mapped, target.vectors)
    body = source(document, target.engine.layout) | own | {DIGEST: sign}
    return Action({"index": {"_index": target.name, "_id": document.id}}, body, document.line)


async def _store(target: Target, prepared: _Prepared, last: int) -> Progress:
    """What became of the batch."""
    refusals = await write(target.engine, prepared.actions) if prepared.actions else []
    refused = prepared.refused + [Refused(item.action.line, item.reason) for item in refusals]
    refused.sort(key=lambda item: item.line)
    return Progress(Batch(len(prepared.actions) - len(refusals), prepared.unchanged, tuple(refused)), last)


async def _present(target: Target, ids: list[str]) -> dict[str, str]:
    """The digests of those documents that are there."""
    if not ids:
        return {}
    try:
        found = await patiently(
            target.engine, "POST", f"/{path(target.name)}/_mget", {"ids": ids}, {"_source_includes": DIGEST}
        )
    except EngineMissing:  # no index yet
        return {}
    with shaped("_mget"):
        return {doc["_id"]: doc["_source"].get(DIGEST, "") for doc in found["docs"] if doc.get("found")}
