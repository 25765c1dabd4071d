"""A verified search from the caller's request to the caller's response: ask, verify, count again, answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from plugin_server import strict
from plugin_server.errors import EngineError, InvalidField, InvalidRequest, SimgateError
from plugin_server.gateway import multi
from plugin_server.gateway.ask import Ask, ask
from plugin_server.gateway.context import Context, context_of
from plugin_server.gateway.fault import fault
from plugin_server.gateway.forward import Forward, Reply
from plugin_server.gateway.options import PARAMS, Search
from plugin_server.gateway.params import Params
from plugin_server.gateway.recount import merged, recount, recount_params
from plugin_server.gateway.request import Request
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.gateway.verification import Verification

#: Headers that say what the caller's body was, or in what form its response may come.
BODY_HEADERS = ("content-length", "content-encoding", "accept-encoding")

#: Bytes of a response that take a millisecond or so to parse.
LONG = 256 * 1024


@dataclass(frozen=True, slots=True)
class Item:
    """One search of a multi-search: its lines, and its ask or the error found in it, if it has a rerank context."""

    lines: multi.Lines
    ask: Ask | None = None
    error: SimgateError | None = None


class Exchange:
    """Verified searches between a caller and the engine.

    Args:
        max_k: the most hits of a search that can be verified.
    """

    def __init__(self, forward: Forward, verification: Verification, settings: GatewaySettings, max_k: int) -> None:
        self._forward = forward
        self._verification = verification
        self._settings = settings
        self._max_k = max_k

    def context(self, body: Any) -> Context | None:
        """As `context_of`."""
        return context_of(body, self._max_k)

    async def search(self, request: Request, body: Mapping[str, Any], context: Context, content_type: str) -> Reply:
        """The response to a search; the engine's own if that is an error.

        Raises:
            SimgateError: the search is refused, the engine fails, or verification does.
        """
        held = self._verification.held(context, request.index)
        asked = ask(Search(body, request.params, held), self._settings)
        encoding = self._verification.encoding(held) if asked.verifies else None  # while the engine searches
        reply = await self._post(request, asked.params, strict.write(asked.body), content_type)
        if reply.status != 200 or not asked.verifies:
            return reply
        start, response = time.monotonic(), await parsed(reply)
        result, kept = await self._verification.answer(asked, response, encoding)
        if kept is not None:
            params = recount_params(asked.params)
            second = await self._post(request, params, strict.write(recount(asked, kept)), content_type)
            if second.status != 200:
                return second
            result = merged(result, await parsed(second), len(kept))
        return await self._reply(reply, _timed(result, start), asked.params)

    def item(self, body: Any, request: Request) -> Item | None:
        """The one search of a request, or the error in it; None if it has no rerank context."""
        lines = (b"", b"")
        try:
            context = self.context(body)
            held = self._verification.held(context, request.index) if context else None
            return Item(lines, ask(Search(body, request.params, held), self._settings)) if held else None
        except InvalidRequest as error:
            return Item(lines, error=error)

    def items(self, body: bytes, index: str = "") -> list[Item] | None:
        """The searches of a multi-search; None if none of them has a rerank context.

        Args:
            index: of the searches whose header names none.

        Raises:
            ValueError: a body is not strict JSON.
            InvalidField: the lines cannot be told apart.
        """
        items, concerned = [], False
        for lines in multi.split(body):
            parsed = strict.parse(lines[1])
            try:
                context = self.context(parsed)
                context = context and self._verification.held(context, multi.index_of(lines[0], index))
                asked = ask(Search(parsed, Params(), context), self._settings) if context else None
                items.append(Item(lines, asked))
            except InvalidRequest as error:
                items.append(Item(lines, error=error))
            concerned = concerned or items[-1].ask is not None or items[-1].error is not None
        return items if concerned else None

    async def msearch(self, request: Request, items: list[Item]) -> Reply:
        """The response to a multi-search, each search verified by itself; one that fails has its error in its place.

        Raises:
            InvalidField: a URL parameter cannot be right once hits are verified.
            SimgateError: the engine fails.
        """
        self.check_params(request.params)
        sent = [item for item in items if not item.error]
        lines = [(item.lines[0], strict.write(item.ask.body) if item.ask else item.lines[1]) for item in sent]
        if lines:
            reply = await self._post(request, request.params, multi.join(lines), "")
            if reply.status != 200:
                return reply
        else:
            reply = Reply(200, [("content-type", "application/json")], b'{"took":0,"responses":[]}')
        start, response = time.monotonic(), await parsed(reply)
        given = response.get("responses") if isinstance(response, dict) else None
        if not isinstance(given, list) or len(given) != len(sent):
            raise EngineError("the engine's answer is no multi-search response: responses do not match the searches")
        results, kept = await self._answers([item.ask for item in sent], given)
        await self._recount(request, sent, results, kept)
        found = iter(results)
        response = response | {"responses": [fault(item.error) if item.error else next(found) for item in items]}
        return await self._reply(reply, _timed(response, start), request.params)

    @staticmethod
    def check_params(params: Params) -> None:
        """Nothing, if no URL parameter of a multi-search clashes with verification.

        Raises:
            InvalidField: one does; the message names it.
        """
        search = Search({}, params, Context(""))
        for name in params.names():
            option = PARAMS.get(name)
            if name in ("filter_path", "format") and option and option.clashes(search):
                raise InvalidField(f"{name}: cannot be combined with a rerank context in this search: {option.remark}")

    async def found(self, request: Request, params: Params, body: bytes, content_type: str = "") -> Any:
        """The engine's parsed response to a request of the caller's with another body.

        Raises:
            EngineError: it cannot be had, or is an error.
        """
        reply = await self._post(request, params, body, content_type)
        if reply.status != 200:
            raise EngineError(f"the engine answered {reply.status} to the search for the record")
        return await parsed(reply)

    async def _answers(
        self, asks: list[Ask | None], given: list[Any]
    ) -> tuple[list[Any], dict[int, list[dict[str, Any]]]]:
        """The searches' responses, and by number the kept hits of those whose aggregations are to be computed."""
        results, kept = [], {}
        for number, (asked, response) in enumerate(zip(asks, given, strict=True)):
            result = response
            if asked and asked.verifies and isinstance(response, dict) and "error" not in response:
                start = time.monotonic()
                try:
                    result, listed = await self._verification.answer(asked, response)
                    result = _timed(result, start)
                    if listed is not None:
                        kept[number] = listed
                except SimgateError as error:
                    result = fault(error)
            results.append(result)
        return results, kept

    async def _recount(
        self, request: Request, sent: list[Item], results: list[Any], kept: dict[int, list[dict[str, Any]]]
    ) -> None:
        """Nothing; results get their aggregations over the kept hits, or the error that computing them made."""
        asks = {number: asked for number in kept if (asked := sent[number].ask)}
        if not asks:
            return
        headers = {number: multi.without_pipeline(sent[number].lines[0]) for number in asks}
        lines = [(headers[number], strict.write(recount(asked, kept[number]))) for number, asked in asks.items()]
        reply = await self._post(request, recount_params(request.params), multi.join(lines), "")
        whole = await parsed(reply)
        given = whole.get("responses") if isinstance(whole, dict) else None
        for place, number in enumerate(asks):
            second = given[place] if isinstance(given, list) and len(given) == len(asks) else None
            if isinstance(second, dict) and "error" in second:
                results[number] = second
                continue
            try:
                results[number] = merged(results[number], second, len(kept[number]))
            except EngineError as error:
                results[number] = fault(error)

    async def _post(self, request: Request, params: Params, body: bytes, content_type: str) -> Reply:
        """The engine's response to the caller's request with another body."""
        headers = request.headers(*BODY_HEADERS, *(["content-type"] if content_type else []))
        if content_type:
            headers.append(("content-type", content_type))
        return await self._forward.whole(request.method, request.target(params), headers, body)

    @staticmethod
    async def _reply(reply: Reply, body: Any, params: Params) -> Reply:
        """The engine's reply with another body."""
        if len(reply.body) < LONG:
            return replace(reply, body=strict.passed_on(body, params.flag("pretty")))
        return replace(reply, body=await asyncio.to_thread(strict.passed_on, body, params.flag("pretty")))


async def parsed(reply: Reply) -> Any:
    """The JSON of a reply; a long one is parsed on a thread, so that other requests do not wait."""
    if len(reply.body) < LONG:
        return strict.answered(reply.body)
    return await asyncio.to_thread(strict.answered, reply.body)


def _timed(response: dict[str, Any], start: float) -> dict[str, Any]:
    """The response, what was done since `start` added to its ``took``."""
    took = response.get("took")
    return response | {"took": took + round(1000 * (time.monotonic() - start))} if isinstance(took, int) else response
