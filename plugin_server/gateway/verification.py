"""Hits verified on a thread, within a time limit, and what happens when that fails."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from concurrent.futures import Executor
from typing import Any

from plugin_server.errors import InvalidRequest, VerificationFailed
from plugin_server.gateway.answer import answer, hits_of, kept_of
from plugin_server.gateway.ask import Ask
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.gateway.verify import candidates_of, unread, verify
from plugin_server.reranker import Reranker
from plugin_server.search import FAILED

log = logging.getLogger(__name__)


class Verification:
    """Verifies the hits of searches, several at a time.

    Attributes:
        counts: searches by what became of them (``verified``, ``failed``), and hits by their outcome.
    """

    def __init__(self, reranker: Reranker, settings: GatewaySettings, executor: Executor) -> None:
        self.counts: Counter[str] = Counter()
        self._reranker = reranker
        self._settings = settings
        self._executor = executor

    async def answer(self, ask: Ask, response: Any) -> tuple[dict[str, Any], list[dict[str, Any]] | None]:
        """The caller's response, and the engine's hits that were kept if aggregations are to be computed over them.

        If verification as a whole fails, the response is in the engine's order with every hit unverified.

        Raises:
            EngineError: the engine's response is none.
            InvalidRequest: the query cannot be used, or the scores are of another kind than the search says.
            VerificationFailed: verification as a whole failed, and `GatewaySettings.fail` is ``closed``.
        """
        candidates = candidates_of(hits_of(response), self._settings)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._executor, verify, self._reranker, ask.context, candidates)
        try:
            ranking = await asyncio.wait_for(work, self._settings.verify_timeout)
        except InvalidRequest:
            raise
        except Exception as error:
            self.counts["failed"] += 1
            reason = self._reason(error)
            if self._settings.fail == "closed":
                raise VerificationFailed(reason) from error
            ranking = unread(self._reranker, ask.context, candidates, reason)
            return answer(ask, response, ranking, self._settings, failed=True), None
        self.counts["verified"] += 1
        self.counts.update(hit.verdict.outcome.value for hit in (*ranking.hits, *ranking.dropped))
        kept = list(kept_of(response, ranking)) if ask.search.recounts() else None
        return answer(ask, response, ranking, self._settings), kept

    def _reason(self, error: Exception) -> str:
        """What the caller may read of the failure; the log has the rest."""
        if isinstance(error, TimeoutError):
            log.warning("verification took longer than %g s", self._settings.verify_timeout)
            return f"verification took longer than {self._settings.verify_timeout:g} s"
        log.error("verification failed", exc_info=error)
        return FAILED
