"""``simgate index`` for what is done in parts: Parquet, folders, and workers of a cluster."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from plugin_server.bundle import Bundle, Manifest
from plugin_server.commands.common import settings
from plugin_server.commands.engine_index import counted, extended, signed
from plugin_server.commands.parts import done, told
from plugin_server.engines.connection import Engine
from plugin_server.engines.settings import EngineSettings
from plugin_server.engines.target import Target
from plugin_server.offline import inputs, listing
from plugin_server.offline.runner import Cluster
from plugin_server.offline.task import Fill, Update, without_login


@dataclass(frozen=True, slots=True)
class Offline:
    """An engine's index that is written in parts.

    Attributes:
        cluster: who does them; None for this process.
        user: name to log in with, if one was given.
    """

    where: EngineSettings
    index: str
    bundle: str
    vectors: bool
    cluster: Cluster | None
    user: str = ""

    def fill(self, corpus: str, rows: int) -> int:
        """The exit code, after the corpus was stored in the index."""
        places = inputs.files([corpus])
        asyncio.run(self._checked())
        parts = inputs.parts(places, rows)
        task = Fill(without_login(self.where), self.index, self.vectors, self.user)
        code = told(*done("Indexing", task, self.bundle, parts, self.cluster), False)
        asyncio.run(self._counted())
        return code

    def update(self, slices: int) -> int:
        """The exit code, after the documents of the index got blobs and vectors."""
        vectors = asyncio.run(self._extended())
        task = Update(without_login(self.where), self.index, vectors, self.user)
        code = told(*done("Updating", task, self.bundle, listing.parts(self.index, slices), self.cluster), False)
        return code or int(asyncio.run(self._signed()) > 0)

    @property
    def _manifest(self) -> Manifest:
        return Bundle.open(settings(self.bundle).bundle).manifest

    async def _checked(self) -> None:
        """Nothing, if the index takes such documents."""
        async with Engine(self.where) as engine:
            await Target.open(engine, self.index, self._manifest, self.vectors)

    async def _counted(self) -> None:
        async with Engine(self.where) as engine:
            await counted(engine, self.index)

    async def _extended(self) -> bool:
        """Whether documents get vectors; the index has the fields."""
        async with Engine(self.where) as engine:
            return (await extended(engine, self._manifest, self.index, self.vectors)).vectors

    async def _signed(self) -> int:
        """How many documents are left."""
        async with Engine(self.where) as engine:
            return await signed(engine, self._manifest, self.index)
