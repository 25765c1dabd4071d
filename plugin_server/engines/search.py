"""Query in, the engine's hits and their ranking out: the straight line over an index of the engine."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace

from plugin_server.core import Core
from plugin_server.engines.connection import Engine
from plugin_server.engines.layout import Mapped
from plugin_server.engines.recall import find
from plugin_server.engines.references import check_references
from plugin_server.engines.target import known, path
from plugin_server.errors import DeadlinePassed, InvalidField, LayoutError
from plugin_server.job import current
from plugin_server.reranker import Reranker
from plugin_server.search import Answer, Question, verified

#: Seconds that an index's mapping is trusted to be as it was.
FRESH = 60.0
#: Indices whose mappings are kept; names come from callers.
KNOWN = 256


@dataclass(slots=True)
class EngineSearcher:
    """Search over an engine's indices; of a search only the query is encoded where the documents have blobs."""

    core: Core
    engine: Engine
    _mapped: dict[str, tuple[float, Mapped]] = field(default_factory=dict)

    async def search(self, question: Question) -> Answer:
        """The nearest documents, verified and ranked.

        Raises:
            IndexDenied: the index, or one that a query names, may not be reached.
            InvalidRequest: something is empty, too long, unknown or out of range; the message names the field.
            LayoutError: the index has no vectors of the bundle's dimension, which its own query would not need.
            EngineError: the engine cannot be asked, or refuses the query.
            Overloaded, DeadlinePassed: as `Admission.run`.
        """
        reranker = self.core.reranker
        question.check(reranker)
        if not question.index:
            raise InvalidField("index: is missing: give the name of an index, an alias or a pattern")
        there = self._within_reach(question)
        encoded = await self.core.run(reranker.encoder.query, question.query)
        try:
            async with asyncio.timeout(current().patience):
                mapped = await self._layout(there, reranker)
                recall, missing = await find(self.engine, there, encoded.vectors[0], mapped)
        except TimeoutError:
            raise DeadlinePassed from None
        answer = await self.core.resume(verified, reranker, question, encoded, recall, self.core.shadow)
        return replace(answer, incomplete=missing)

    def _within_reach(self, question: Question) -> Question:
        """The question with an index that finds nothing hidden; the engine is asked with the sidecar's own rights."""
        path(question.index)  # says what no name is
        reach = self.engine.settings.reach
        for name in ("filter", "recall_query"):
            check_references(reach, getattr(question, name), name)
        return replace(question, index=reach.narrowed(question.index))

    async def _layout(self, question: Question, reranker: Reranker) -> Mapped:
        """What the index's mapping says, as of at most `FRESH` seconds ago."""
        since, mapped = self._mapped.get(question.index, (-FRESH, None))
        if mapped is None or time.monotonic() - since >= FRESH:
            mapped = await known(self.engine, question.index)
            if len(self._mapped) >= KNOWN:
                self._mapped.clear()
            self._mapped[question.index] = (time.monotonic(), mapped)
        dimension = reranker.manifest.recall_dimension
        if question.recall_query is None and mapped.dimension != dimension:
            held = f"vectors of {mapped.dimension} numbers" if mapped.dimension else "no vectors"
            raise LayoutError(
                f"{question.index}: has {held}, the bundle gives {dimension}: give a query of your own for the recall, "
                "or index into a new index after `simgate templates apply`"
            )
        return mapped
