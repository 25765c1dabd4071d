"""Documents that are in an index already get blobs and vectors, by partial updates that overwrite nothing newer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from plugin_server.corpus import Document, Refused, document_of
from plugin_server.encoder import Encoder
from plugin_server.engines.bulk import CONFLICT, Action, write
from plugin_server.engines.document import digest, encoding
from plugin_server.engines.layout import BUNDLE, DIGEST, OWN_PATTERN, WINDOWS
from plugin_server.engines.patience import patiently
from plugin_server.engines.scroll import WHOLE, ListLost, Slice, pages
from plugin_server.engines.target import Target, path
from plugin_server.errors import InvalidRequest
from plugin_server.indexing import BATCH_LINES, encoded_by_id

#: Passes over what changed under the hand of the one before, or what it did not come to.
PASSES = 5


@dataclass(frozen=True, slots=True)
class Updated:
    """What became of a batch of documents.

    Attributes:
        updated: got blob and vectors.
        changed: were changed or deleted by somebody else meanwhile; the next pass sees to them.
        refused: cannot be encoded or written, each with its id and the reason.
        total: of documents that had to be done when the pass began.
    """

    updated: int
    changed: int
    refused: tuple[tuple[str, str], ...]
    total: int


async def update(target: Target, encoder: Encoder, piece: Slice = WHOLE) -> AsyncGenerator[Updated]:
    """The batches of documents without a blob of the loaded bundle, each once it is acknowledged.

    A run that was stopped goes on where it was: what is done is not found any more.

    Args:
        piece: of the index, while others see to the other ones.

    Raises:
        EngineError: the engine cannot be asked, or did not take a batch after every try.
    """
    refused: set[str] = set()
    for _ in range(PASSES):
        changed, lost = 0, False
        async with aclosing(_outstanding(target, encoder.manifest.fingerprint, piece)) as found:
            async for hits, total in found:
                lost = not hits
                fresh = [hit for hit in hits if hit["_id"] not in refused]
                result = await _updated(target, encoder, fresh, total)
                refused |= {identity for identity, _ in result.refused}
                changed += result.changed
                yield result
        if not changed and not lost:
            return


async def _outstanding(
    target: Target, fingerprint: str, piece: Slice
) -> AsyncGenerator[tuple[list[dict[str, Any]], int]]:
    """Batches of hits whose blob, or vectors if wanted, are missing or another bundle's, and how many there are in all.

    An empty batch at the end says that the engine lost the list, or that a part of it may have been lost on the way.
    """
    done: list[dict[str, Any]] = [{"term": {BUNDLE: fingerprint}}]
    if target.vectors:
        done.append({"nested": {"path": WINDOWS, "query": {"match_all": {}}}})
    query = {
        "query": {"bool": {"must_not": [{"bool": {"filter": done}}]}},
        "size": BATCH_LINES,
        "sort": ["_doc"],
        "seq_no_primary_term": True,
        "track_total_hits": True,
        "_source": {"excludes": [OWN_PATTERN]},
        **piece.query,
    }
    engine = target.engine
    await patiently(engine, "POST", f"/{path(target.name)}/_refresh")
    total = 0
    async with aclosing(pages(engine, target.name, query)) as found:
        try:
            async for hits, total in found:
                yield hits, total
        except ListLost:
            yield [], total


async def _updated(target: Target, encoder: Encoder, hits: list[dict[str, Any]], total: int) -> Updated:
    """What became of these hits."""
    actions, refused = await asyncio.to_thread(_actions, target, encoder, hits)
    refusals = await write(target.engine, actions) if actions else []
    # gone or written by somebody else since it was read
    changed = [item for item in refusals if item.status in (CONFLICT, 404)]
    refused += [(_identity(item.action), item.reason) for item in refusals if item.status not in (CONFLICT, 404)]
    return Updated(len(actions) - len(refusals), len(changed), tuple(refused), total)


def _actions(
    target: Target, encoder: Encoder, hits: list[dict[str, Any]]
) -> tuple[list[Action], list[tuple[str, str]]]:
    """Partial updates, and what cannot be encoded."""
    layout, limit, fingerprint = (
        target.engine.layout, encoder.max_characters, encoder.manifest.fingerprint,
    )  # fmt: skip
    refused: list[tuple[str, str]] = []
    documents: list[Document] = []
    for number, hit in enumerate(hits):
        try:
            text = layout.text_of(hit.get("_source", {}))
            documents.append(document_of({"id": str(number), "text": text}, limit, number))
        except InvalidRequest as error:
            refused.append((hit["_id"], str(error)))
    faulty: list[Refused] = []
    encoded = encoded_by_id(encoder, documents, faulty)
    refused += [(hits[item.line]["_id"], item.reason) for item in faulty]
    actions = []
    for identity, item in encoded.items():
        hit = hits[int(identity)]
        own = encoding(item, fingerprint, target.mapped, target.vectors)
        own[DIGEST] = digest(hit["_source"], fingerprint, target.vectors)
        actions.append(Action({"update": _head(hit)}, {"doc": own}))
    return actions, refused


def _head(hit: dict[str, Any]) -> dict[str, Any]:
    """Which document to update, and only if it is still the one that was read."""
    head = {"_index": hit["_index"], "_id": hit["_id"]}
    head |= {"if_seq_no": hit["_seq_no"], "if_primary_term": hit["_primary_term"]}
    return head | ({"routing": hit["_routing"]} if "_routing" in hit else {})


def _identity(action: Action) -> str:
    return str(action.head["update"]["_id"])
