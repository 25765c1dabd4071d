"""The gateway as an ASGI app: searches with a rerank context are verified, all else goes to the engine untouched."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from plugin_server import strict
from plugin_server.core import Core
from plugin_server.engines.reach import Reach
from plugin_server.errors import InvalidField
from plugin_server.gateway.content import decoded, is_foreign, may_concern
from plugin_server.gateway.exchange import Exchange
from plugin_server.gateway.fault import fault
from plugin_server.gateway.forward import PRODUCT, Forward, Headers, Reply, relay
from plugin_server.gateway.guard import Body, Guard
from plugin_server.gateway.request import Receive, Request, Scope, Send
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.gateway.shadow import Beside
from plugin_server.gateway.verification import Verification
from plugin_server.job import arrived
from plugin_server.status import headers as status_headers


class Gateway:
    """An ASGI app in front of an engine; mount it behind other routes, or run it alone.

    Whoever mounts it calls `close` at the end; alone, it does so by itself. Searches are those of ``/_search``,
    ``/{index}/_search``, ``/_msearch`` and ``/{index}/_msearch``; no other request is read, unless
    `GatewaySettings.indices` limits what may be reached.

    Args:
        core: verifies.
        settings: of the engine and the limits.

    Attributes:
        counts: see `Verification.counts`.
    """

    def __init__(self, core: Core, settings: GatewaySettings) -> None:
        self._core = core
        self._settings = settings
        self._forward = Forward(settings)
        self._guard = Guard(Reach.of(settings.indices)) if settings.indices.strip() else None
        verification = Verification(core, settings)
        self.counts: Counter[str] = verification.counts
        self._exchange = Exchange(self._forward, verification, settings, core.newest.settings.max_candidates)
        self._beside = Beside(core, self._forward, self._exchange, settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            try:
                request = Request(scope, receive)
            except InvalidField as error:
                await self._say(error, send)
                return
            await self._http(request, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def close(self) -> None:
        """Nothing; connections to the engine are closed."""
        await self._beside.close()
        await self._forward.close()

    async def refuse(self, error: Exception, send: Send) -> None:
        """Nothing; a request that does not come this far is answered in the engine's form."""
        await self._say(error, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _http(self, request: Request, send: Send) -> None:
        """One request, given up as soon as the caller is gone."""
        work, gone = asyncio.create_task(self._respond(request, send)), asyncio.create_task(request.gone())
        try:
            await asyncio.wait([work, gone], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, work):
                if not task.done():
                    task.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            results = await asyncio.gather(work, return_exceptions=True)
        error = results[0]
        if isinstance(error, Exception) and not isinstance(error, ConnectionResetError):
            raise error

    async def _respond(self, request: Request, send: Send) -> None:
        begun = False

        async def noted(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            if self._guard:
                await self._judge(self._guard, request)
            if request.endpoint and self._core.shadow:
                await self._beside.respond(request, noted)
            elif request.endpoint:
                await self._searched(request, noted)
            else:
                await self._passed(request, request.chunks() if request.has_body else None, noted)
        except Exception as error:
            if begun or isinstance(error, ConnectionResetError):  # nothing else can be said now but to break off
                raise
            await self._say(error, send, request.params.flag("pretty"))

    async def _judge(self, guard: Guard, request: Request) -> None:
        """Nothing, if the request stays within the indices that the settings name.

        Raises:
            IndexDenied, InvalidField, TooLarge: it does not, or cannot be judged.
        """
        kind, indices = guard.target(request.method, request.path, request.params)
        if kind is not Body.DATA:
            limit = self._settings.max_body_bytes
            raw = await request.body(limit)
            content_type, encoding = request.header("content-type"), request.header("content-encoding")
            await asyncio.to_thread(lambda: guard.body(kind, indices, content_type, decoded(raw, encoding, limit)))

    async def _say(self, error: Exception, send: Send, pretty: bool = False) -> None:
        """The response to a request that simgate itself refuses or cannot serve."""
        said = fault(error)
        headers = [("content-type", "application/json; charset=UTF-8")]
        if self._forward.product:
            headers.append((PRODUCT, self._forward.product))
        headers += status_headers(error).items()
        await _send(send, Reply(said["status"], headers, strict.write(said, pretty)))

    async def _passed(self, request: Request, data: Any, send: Send) -> None:
        """The engine's response to the request as it is, passed on as it comes in."""
        async with self._forward.open(request.method, request.target(), request.headers(), data) as reply:
            await relay(reply, send)

    async def _searched(self, request: Request, send: Send) -> None:
        """The response to a search, verified if it has a rerank context."""
        raw = await arrived(request.body(self._settings.max_body_bytes))
        body = decoded(raw, request.header("content-encoding"), self._settings.max_body_bytes)
        content_type, by_url = request.header("content-type"), ""
        if not raw and request.endpoint == "_search" and request.params.get("source_content_type"):
            by_url = content_type = request.params.get("source_content_type") or ""
            body = (request.params.get("source") or "").encode()
        if body is None or not may_concern(body):
            await self._passed(request, raw or None, send)
            return
        if is_foreign(content_type) and b"query_context" in body:
            raise InvalidField(f"content-type: {content_type} cannot be verified: send JSON")
        try:
            searches = self._exchange.items(body, request.index) if request.endpoint == "_msearch" else None
            parsed: Any = strict.parse(body) if request.endpoint == "_search" else None
        except ValueError as error:
            await _send(send, await self._refused_by_engine(request, raw, str(error)))
            return
        context = self._exchange.context(parsed)
        if (searches or context) and is_foreign(accept := request.header("accept")):
            raise InvalidField(f"accept: {accept} cannot be verified: take JSON")
        if searches:
            await _send(send, await self._exchange.msearch(request, searches))
        elif context:
            await _send(send, await self._exchange.search(request, parsed, context, by_url))
        else:
            await self._passed(request, raw or None, send)

    async def _refused_by_engine(self, request: Request, raw: bytes, fault: str) -> Reply:
        """The engine's own error for a body that is not strict JSON.

        Raises:
            InvalidField: it finds nothing wrong, for example with comments; the hits would be unverified.
        """
        reply = await self._forward.whole(request.method, request.target(), request.headers(), raw)
        if reply.status < 300:
            raise InvalidField(f"body: may hold a rerank context, but is not strict JSON: {fault}")
        return reply


async def _send(send: Send, reply: Reply) -> None:
    headers = [item for item in reply.headers if item[0] != "content-length"]
    headers.append(("content-length", str(len(reply.body))))
    await send({"type": "http.response.start", "status": reply.status, "headers": _raw(headers)})
    await send({"type": "http.response.body", "body": reply.body})


def _raw(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode()) for name, value in headers]
