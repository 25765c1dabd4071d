"""What a server searches: the embedded index, a search engine, or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from plugin_server.core import Core
from plugin_server.errors import IndexOfOtherBundle
from plugin_server.index import Index
from plugin_server.reranker import Reranker
from plugin_server.search import Answer, Question, Searcher

if TYPE_CHECKING:
    from plugin_server.engines.connection import Engine
    from plugin_server.engines.settings import EngineSettings
    from plugin_server.gateway.app import Gateway

#: Answers a search.
Search: TypeAlias = Callable[[Question], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Source:
    """Where documents are.

    Attributes:
        index: the embedded index, made by the bundle that is served.
        engine: a search engine, in place of it.
        name: of the engine's index that is searched when a request names none.
    """

    index: Index | None = None
    engine: EngineSettings | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Backend:
    """A source ready to be searched; made by `open`.

    Attributes:
        search: None without a source.
        gateway: takes the engine's own requests; None without an engine.
        name: see `Source`.
        made_by: fingerprint of the bundle that made the embedded index; empty without one.
    """

    search: Search | None = None
    gateway: Gateway | None = None
    name: str = ""
    made_by: str = ""
    _engine: Engine | None = None

    @classmethod
    def open(cls, source: Source, core: Core, max_body_bytes: int) -> Backend:
        """The backend over a source; no connection is made yet.

        Args:
            core: encodes and verifies.
            max_body_bytes: of a request to the gateway that is verified.

        Raises:
            InvalidField: the engine's client cannot be made.
        """
        if source.engine is not None:
            return _over_engine(source.engine, source.name, core, max_body_bytes)
        if source.index is None:
            return cls()
        index = source.index

        async def search(question: Question) -> Answer:
            return await core.run(Searcher(core.reranker, index, core.shadow).search, question)

        return cls(search, made_by=core.newest.manifest.fingerprint)

    def check(self, reranker: Reranker) -> None:
        """Nothing, if documents can be searched with the reranker.

        Raises:
            IndexOfOtherBundle: another bundle made the embedded index.
        """
        if self.made_by and self.made_by != reranker.manifest.fingerprint:
            raise IndexOfOtherBundle("index", self.made_by, reranker.manifest.fingerprint)

    async def close(self) -> None:
        """Nothing; connections to the engine are closed."""
        for connection in (self.gateway, self._engine):
            if connection:
                await connection.close()


def _over_engine(settings: EngineSettings, name: str, core: Core, max_body_bytes: int) -> Backend:
    from plugin_server.engines.connection import Engine  # the engines' clients are not needed without one
    from plugin_server.engines.search import EngineSearcher
    from plugin_server.gateway.app import Gateway
    from plugin_server.gateway.settings import GatewaySettings

    engine = Engine(settings)
    behind = GatewaySettings(
        url=settings.engine_url,
        text_field=settings.text_field,
        timeout=settings.engine_timeout,
        ca=settings.engine_ca,
        fail=core.newest.settings.on_failure,
        max_body_bytes=max_body_bytes,
        indices=settings.engine_indices,
    )
    return Backend(EngineSearcher(core, engine).search, Gateway(core, behind), name, _engine=engine)
