"""Documents of an engine's index in slices, each read by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from plugin_server.corpus import Document, Refused, document_of
from plugin_server.engines.connection import Engine
from plugin_server.engines.document import documented
from plugin_server.engines.layout import OWN_PATTERN
from plugin_server.engines.scroll import Slice, pages
from plugin_server.engines.settings import EngineSettings
from plugin_server.errors import InvalidRequest
from plugin_server.indexing import BATCH_LINES
from plugin_server.offline.part import Part

#: Documents of a page: they are encoded before the next is asked for, while the engine keeps the list.
PAGE = BATCH_LINES


def parts(index: str, slices: int) -> list[Part]:
    """The slices of an index.

    Example:
        >>> [part.begin for part in parts("shop", 3)]
        [0, 1, 2]
    """
    return [Part(number, "slice", index, number, slices) for number in range(slices)]


def documents(where: EngineSettings, part: Part, max_characters: int) -> Iterator[Document | Refused]:
    """The slice's documents as they are now, without simgate's fields, and what holds no text, each with its id.

    Raises:
        EngineError: the engine cannot be asked, or lost the list.
    """
    taken: set[str] = set()
    with asyncio.Runner() as runner:
        engine = Engine(where)
        found = _hits(engine, part)
        try:
            while hits := runner.run(_next(found)):
                for hit in hits:
                    item = _document(where, hit, max_characters)
                    if isinstance(item, Document) and item.id in taken:
                        item = Refused(0, "id: another document of this slice has it: name one index", item.id)
                    elif isinstance(item, Document):
                        taken.add(item.id)
                    yield item
        finally:
            runner.run(found.aclose())
            runner.run(engine.close())


async def _hits(engine: Engine, part: Part) -> AsyncGenerator[list[dict[str, Any]]]:
    query = {
        "size": PAGE,
        "sort": ["_doc"],
        "_source": {"excludes": [OWN_PATTERN]},
        **Slice(part.begin, part.size).query,
    }
    async with aclosing(pages(engine, part.source, query)) as found:
        async for hits, _ in found:
            yield hits


async def _next(found: AsyncGenerator[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The next page, empty after the last."""
    return await anext(found, [])


def _document(where: EngineSettings, hit: dict[str, Any], max_characters: int) -> Document | Refused:
    try:
        found = documented(hit["_id"], hit.get("_source", {}), where.layout)
        document = document_of({"id": found.id, "text": found.text, "title": found.title}, max_characters)
        return replace(document, extra=found.extra)  # which may hold fields of these names
    except (InvalidRequest, ValueError) as error:
        return Refused(0, str(error), str(hit["_id"]))
