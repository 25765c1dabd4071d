"""What a worker does with a part; it is sent to the workers, and opens there what it needs."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from plugin_server.corpus import Document, Refused
from plugin_server.encoder import Encoded, Encoder
from plugin_server.engines import indexing, updating
from plugin_server.engines.connection import Engine
from plugin_server.engines.scroll import Slice
from plugin_server.engines.settings import EngineSettings
from plugin_server.engines.target import Target
from plugin_server.indexing import Ready, batches, encoded_by_id
from plugin_server.offline import inputs, listing
from plugin_server.offline.account import Account, Rejected
from plugin_server.offline.part import Part
from plugin_server.offline.place import Place
from plugin_server.settings import overridden


class Task(Protocol):
    """What is done with every part."""

    def do(self, encoder: Encoder, part: Part) -> Account:
        """What became of the part.

        Raises:
            SimgateError, OSError: it could not be done; done again, nothing of it is there twice.
        """


@dataclass(frozen=True, slots=True)
class Encode:
    """A part encoded, into a file of the folder `output`.

    Attributes:
        engine: where slices are read from, without what it takes to log in; None if parts are of files.
        user: name to log in with, if one was given; else that of the worker's environment.
    """

    output: str
    engine: EngineSettings | None = None
    user: str = ""

    def do(self, encoder: Encoder, part: Part) -> Account:
        """What became of the part, see `Task.do`."""
        from plugin_server.offline.folder import Folder  # pyarrow is not needed by the other tasks

        limit, rejected = encoder.max_characters, list[Rejected]()
        read = 0

        def encoded() -> Iterator[list[tuple[Document, Encoded]]]:
            nonlocal read
            for items in batches(self._documents(part, limit)):
                read += len(items)
                refused = [item for item in items if isinstance(item, Refused)]
                wanted = [item for item in items if isinstance(item, Document)]
                found = encoded_by_id(encoder, wanted, refused)
                rejected.extend(_rejected(part, item) for item in sorted(refused, key=lambda item: item.line))
                yield [(document, found[document.id]) for document in wanted if document.id in found]

        folder = Folder(Place.of(self.output))
        written = folder.write(part.name, encoded(), encoder.manifest)
        account = Account(part.name, read, written, written, rejected=tuple(rejected))
        folder.done(account)
        return account

    def _documents(self, part: Part, limit: int) -> Iterator[Document | Refused]:
        if self.engine:
            return listing.documents(own(self.engine, self.user), part, limit)
        return inputs.documents(part, limit)


@dataclass(frozen=True, slots=True)
class Writing(ABC):
    """A part done in an engine's index.

    Attributes:
        engine: where the index is, without what it takes to log in.
        vectors: whether documents get vectors.
        user: as of `Encode`.
    """

    engine: EngineSettings
    index: str
    vectors: bool
    user: str = ""

    def do(self, encoder: Encoder, part: Part) -> Account:
        """What became of the part, see `Task.do`."""
        return asyncio.run(self._connected(encoder, part))

    async def _connected(self, encoder: Encoder, part: Part) -> Account:
        async with Engine(own(self.engine, self.user)) as engine:
            target = await Target.open(engine, self.index, encoder.manifest, self.vectors)
            return await self._do(target, encoder, part)

    @abstractmethod
    async def _do(self, target: Target, encoder: Encoder, part: Part) -> Account:
        """What became of the part."""


@dataclass(frozen=True, slots=True)
class Fill(Writing):
    """A part of files encoded and written into the index; what is there in the same form stays."""

    async def _do(self, target: Target, encoder: Encoder, part: Part) -> Account:
        added = unchanged = 0
        rejected: list[Rejected] = []
        ready = 0

        def corpus() -> Iterator[Document | Refused]:
            nonlocal ready
            for item in inputs.documents(part, encoder.max_characters, encoder.manifest):
                ready += isinstance(item, Ready)
                yield item

        async with aclosing(indexing.fill(target, encoder, corpus())) as steps:
            async for step in steps:
                added, unchanged = added + step.batch.added, unchanged + step.batch.unchanged
                rejected += [_rejected(part, item) for item in step.batch.refused]
        read = added + unchanged + len(rejected)
        return Account(part.name, read, max(0, added - ready), added, unchanged, rejected=tuple(rejected))


@dataclass(frozen=True, slots=True)
class Update(Writing):
    """A slice of the index, whose documents get blobs and, if it has the fields, vectors."""

    async def _do(self, target: Target, encoder: Encoder, part: Part) -> Account:
        updated = changed = 0
        rejected: list[Rejected] = []
        async with aclosing(updating.update(target, encoder, Slice(part.begin, part.size))) as steps:
            async for step in steps:
                updated, changed = updated + step.updated, changed + step.changed
                rejected += [Rejected(f"{self.index}/{name}", reason) for name, reason in step.refused]
        read = updated + changed + len(rejected)
        return Account(part.name, read, updated + changed, updated, 0, changed, tuple(rejected))


def without_login(engine: EngineSettings) -> EngineSettings:
    """The settings as they are sent to workers: password and API key are theirs to have."""
    return replace(engine, engine_user="", engine_password="", engine_api_key="")


def own(engine: EngineSettings, user: str = "") -> EngineSettings:
    """The settings with what it takes to log in, from this process's environment.

    Args:
        user: takes the place of the environment's.
    """
    given = EngineSettings.read(overridden(os.environ, {"engine_user": user or None}))
    return replace(
        engine,
        engine_user=given.engine_user,
        engine_password=given.engine_password,
        engine_api_key=given.engine_api_key,
    )


def _rejected(part: Part, item: Refused) -> Rejected:
    where = f"{part.source}/{item.id}" if part.kind == "slice" else f"{part.source}:{item.line}"
    return Rejected(where, item.reason)
