"""Verified searches that run beside those of callers, for the record."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

from plugin_server import strict
from plugin_server.asked import Asked
from plugin_server.candidate import Candidate
from plugin_server.core import Core
from plugin_server.errors import EngineError, InvalidField, SimgateError
from plugin_server.gateway import multi
from plugin_server.gateway.answer import hits_of
from plugin_server.gateway.ask import Ask
from plugin_server.gateway.content import is_foreign, may_concern
from plugin_server.gateway.context import HERE, Context
from plugin_server.gateway.exchange import Exchange, Item
from plugin_server.gateway.forward import Forward
from plugin_server.gateway.request import Request, Send
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.gateway.untouched import Untouched, read
from plugin_server.gateway.verify import candidates_of, verify
from plugin_server.job import arrived
from plugin_server.occasion import Occasion, id_of
from plugin_server.ranking import Ranking
from plugin_server.reranker import Reranker

log = logging.getLogger(__name__)

#: Searches for the record that the engine computes at a time.
MOST = 4
#: Parts of a search that do not change its hits, and cost the engine time.
LEFT_OUT = ("aggs", "aggregations", "suggest", "highlight", "explain", "profile")
#: A search that would be verified, its index, and the engine's response or what went wrong.
Found = tuple[Ask | None, str, dict[str, Any] | Exception]


class Beside:
    """Answers searches untouched, and runs verified ones beside them; lives on one event loop.

    Args:
        core: verifies, and knows the file.
        forward, exchange: to the engine.
        settings: of the engine and the limits.
    """

    def __init__(self, core: Core, forward: Forward, exchange: Exchange, settings: GatewaySettings) -> None:
        self._core = core
        self._untouched = Untouched(forward, settings.max_body_bytes)
        self._exchange = exchange
        self._settings = settings
        self._turns = asyncio.Semaphore(MOST)
        self._tasks: set[asyncio.Task[None]] = set()

    async def respond(self, request: Request, send: Send) -> None:
        """Nothing; the caller has the engine's own response, and a verified search is on its way if one would be.

        Raises:
            EngineError: the engine cannot be reached.
        """
        limit = self._settings.max_body_bytes
        raw, whole = await arrived(request.beginning(limit))
        if not whole:  # too long to be verified, which is no reason to refuse it
            await self._untouched.passed(request, raw, send, request.chunks())
            return
        body, content_type = read(request, raw, limit)
        if body is None or not may_concern(body):
            await self._untouched.passed(request, raw, send)
            return
        if await self._untouched.answered(request, raw, body, content_type, send) == 200:
            task = asyncio.create_task(self._recorded(request, body, content_type))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Nothing; searches that still run for the record are given up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _recorded(self, request: Request, body: bytes, content_type: str) -> None:
        """Nothing; the searches of a request are verified and recorded, if there is room for that."""
        shadow, reranker = self._core.shadow, self._core.reranker
        if not shadow:
            return
        occasion = Occasion(f"/{request.endpoint}", id_of(request.headers()))
        with shadow.room(1000 + len(body)) as free:
            if not free:
                return
            try:
                async with self._turns:
                    found = await self._found(request, body, content_type)
            except asyncio.CancelledError:
                shadow.lose("stopping")
                raise
            except Exception as error:
                if not isinstance(error, SimgateError):
                    log.exception("shadow mode: a search cannot be recorded")
                found = [(None, request.index, error)]
            for each in found:
                if judged := self._asked(*each, occasion):
                    await asyncio.wrap_future(shadow.judge(reranker, *judged))

    async def _found(self, request: Request, body: bytes, content_type: str) -> list[Found]:
        """Each search that would be verified, its index, and the engine's response to it or what went wrong."""
        items = self._items(request, body, content_type)
        sent = [item.ask for item in items if item.ask]
        lines = [(item.lines[0], _lean(item.ask)) for item in items if item.ask]
        if not sent:
            responses: list[Any] = []
        elif request.endpoint == "_search":
            responses = [await self._exchange.found(request, sent[0].params, lines[0][1], content_type)]
        else:
            whole = await self._exchange.found(request, request.params, multi.join(lines))
            given = whole.get("responses") if isinstance(whole, dict) else None
            responses = given if isinstance(given, list) and len(given) == len(sent) else [None] * len(sent)
        answers = iter(responses)
        return [
            (item.ask, multi.index_of(item.lines[0], request.index), item.error or _response(next(answers)))
            for item in items
            if item.ask or item.error
        ]

    def _items(self, request: Request, body: bytes, content_type: str) -> list[Item]:
        """The searches that would be verified, or what would be said of them.

        Raises:
            InvalidField: the whole request would be refused.
        """
        kind, accept = content_type or request.header("content-type"), request.header("accept")
        if is_foreign(kind):
            if b"query_context" in body:
                raise InvalidField(f"content-type: {kind} cannot be verified: send JSON")
            return []
        try:
            if request.endpoint == "_search":
                item = self._exchange.item(strict.parse(body), request)
                items = [item] if item else []
            else:
                items = self._exchange.items(body, request.index) or []
        except ValueError as error:
            raise InvalidField(f"body: may hold a rerank context, but is not strict JSON: {error}") from None
        if items and is_foreign(accept):
            raise InvalidField(f"accept: {accept} cannot be verified: take JSON")
        if items and request.endpoint == "_msearch":
            self._exchange.check_params(request.params)
        return [item for item in items if item.error or (item.ask and item.ask.verifies)]

    def _asked(
        self, ask: Ask | None, index: str, answer: dict[str, Any] | Exception, occasion: Occasion
    ) -> tuple[Asked, Callable[[Reranker], Ranking]] | None:
        """What is to be judged, and how; None for a search without hits."""
        context = ask.context if ask else Context("")
        made = Asked(context.query, (), context.profile, context.policy, calibration=context.calibration,
                     index=index, occasion=occasion)  # fmt: skip
        try:
            hits = [] if isinstance(answer, Exception) else hits_of(answer)
        except EngineError as error:
            answer = error
        if isinstance(answer, Exception):
            return made, partial(_failed, answer)
        if not hits or not ask:
            return None
        ids = [str(hit.get("_id", "")) for hit in hits]
        candidates = candidates_of(hits, self._settings)
        return replace(made, candidates=candidates), lambda reranker: _ranked(reranker, ask, candidates, ids)


def _lean(ask: Ask | None) -> bytes:
    """The search for the record: without what does not change its hits."""
    body: Mapping[str, Any] = ask.body if ask else {}
    return strict.write({name: value for name, value in body.items() if name not in LEFT_OUT})


def _response(given: Any) -> dict[str, Any] | Exception:
    """The engine's response to one search, or the error that it is."""
    if isinstance(given, dict) and "error" not in given:
        return given
    return EngineError("the engine refused the search for the record")


def _ranked(reranker: Reranker, ask: Ask, candidates: list[Candidate], ids: list[str]) -> Ranking:
    """The ranking of the engine's hits, which have their ids again, in the order that the caller would see."""
    query = reranker.encoder.query(ask.context.query, f"{HERE}.query_text", recall=False)
    wanted = 0 if ask.search.recounts() else ask.start + ask.size
    ranking = verify(reranker, ask.context, candidates, query, wanted)
    hits, dropped = (
        [replace(hit, candidate=replace(hit.candidate, id=ids[hit.position])) for hit in some]
        for some in (ranking.hits, ranking.dropped)
    )
    if ask.search.ordered():
        hits.sort(key=lambda hit: hit.position)
    return Ranking(tuple(hits), tuple(dropped))


def _failed(error: Exception, reranker: Reranker) -> NoReturn:
    raise error
