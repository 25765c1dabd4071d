"""Hits verified on a thread, within a time limit, and what happens when that fails."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from plugin_server.candidate import Candidate
from plugin_server.core import Core
from plugin_server.encoder import Encoded
from plugin_server.errors import InvalidRequest, Overloaded, SimgateError, VerificationFailed
from plugin_server.gateway.answer import answer, hits_of, kept_of
from plugin_server.gateway.ask import Ask
from plugin_server.gateway.context import HERE, Context
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.gateway.verify import candidates_of, unread, verify
from plugin_server.ranking import Ranking
from plugin_server.verdict import FAILED

log = logging.getLogger(__name__)


class Verification:
    """Verifies the hits of searches, several at a time.

    Attributes:
        counts: searches by what became of them (``verified``, ``failed``), and hits by their outcome.
    """

    def __init__(self, core: Core, settings: GatewaySettings) -> None:
        self.counts: Counter[str] = Counter()
        self._core = core
        self._settings = settings

    def held(self, context: Context, index: str) -> Context:
        """The context with the name of the calibration that its hits are held against.

        Args:
            index: that is searched; a list or a pattern has no calibration of its own.

        Raises:
            UnknownCalibration: the context names one that is not loaded.
        """
        known = self._core.reranker.calibrations
        known.chosen(context.calibration, context.profile)
        return replace(context, calibration=known.name_for(context.calibration, context.profile, index))

    def encoding(self, context: Context) -> asyncio.Future[Encoded]:
        """The query, being encoded from now on; what becomes of it need not be asked."""
        query = self._core.reranker.encoder.query
        begun = asyncio.ensure_future(self._core.run(query, context.query, f"{HERE}.query_text", recall=False))
        begun.add_done_callback(lambda done: None if done.cancelled() else done.exception())
        return begun

    async def answer(
        self, ask: Ask, response: Any, encoding: asyncio.Future[Encoded] | None = None
    ) -> tuple[dict[str, Any], list[dict[str, Any]] | None]:
        """The caller's response, and the engine's hits that were kept if aggregations are to be computed over them.

        If verification as a whole fails, the response is in the engine's order with every hit unverified.

        Args:
            encoding: of the query, if it was begun before.

        Raises:
            EngineError: the engine's response is none.
            InvalidRequest: the query cannot be used, or the scores are of another kind than the search says.
            Overloaded: there is too much to do, and `GatewaySettings.fail` is ``closed``.
            VerificationFailed: verification as a whole failed, and `GatewaySettings.fail` is ``closed``.
        """
        candidates = candidates_of(hits_of(response), self._settings)
        wanted = 0 if ask.search.recounts() else ask.start + ask.size
        work = self._ranking(ask.context, candidates, encoding or self.encoding(ask.context), wanted)
        try:
            ranking = await asyncio.wait_for(work, self._settings.verify_timeout)
        except InvalidRequest:
            raise
        except Exception as error:
            self.counts["failed"] += 1
            reason = self._reason(error)
            if self._settings.fail == "closed":
                if isinstance(error, Overloaded):
                    raise
                raise VerificationFailed(reason) from error
            ranking = unread(self._core.reranker, ask.context, candidates, reason)
            return answer(ask, response, ranking, self._settings, failed=True), None
        self.counts["verified"] += 1
        self.counts.update(hit.verdict.outcome.value for hit in (*ranking.hits, *ranking.dropped))
        kept = list(kept_of(response, ranking)) if ask.search.recounts() else None
        return answer(ask, response, ranking, self._settings), kept

    async def _ranking(
        self, context: Context, candidates: Sequence[Candidate], encoding: asyncio.Future[Encoded], wanted: int
    ) -> Ranking:
        query = await encoding
        return await self._core.resume(verify, self._core.reranker, context, candidates, query, wanted)

    def _reason(self, error: Exception) -> str:
        """What the caller may read of the failure; the log has the rest."""
        if isinstance(error, TimeoutError):
            log.warning("verification took longer than %g s", self._settings.verify_timeout)
            return f"verification took longer than {self._settings.verify_timeout:g} s"
        if isinstance(error, SimgateError):
            log.warning("verification failed: %s", error)
            return str(error)
        log.error("verification failed", exc_info=error)
        return FAILED
