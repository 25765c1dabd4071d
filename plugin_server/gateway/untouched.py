"""A search in shadow mode, as it came, and the engine's own response, as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from plugin_server.errors import EngineUnavailable, InvalidField, TooLarge
from plugin_server.gateway import multi, strict
from plugin_server.gateway.content import decoded
from plugin_server.gateway.context import without_context
from plugin_server.gateway.forward import Forward, Headers, relay
from plugin_server.gateway.request import Request, Send

#: A request to the engine: path and query string, headers, body.
Sent = tuple[str, Headers, bytes]


class Untouched:
    """Answers searches with what the engine says, whatever they hold for simgate.

    Args:
        forward: to the engine.
    """

    def __init__(self, forward: Forward) -> None:
        self._forward = forward

    async def passed(self, request: Request, raw: bytes, send: Send, more: AsyncIterator[bytes] | None = None) -> int:
        """The status of the engine's response to the request as it came; the caller has that response.

        Args:
            raw: the body, or its beginning.
            more: the rest of it.

        Raises:
            EngineError: the engine cannot be reached.
        """
        return await self._relayed(request, (request.target(), request.headers(), raw), send, more)

    async def answered(self, request: Request, raw: bytes, body: bytes, content_type: str, send: Send) -> int:
        """As `passed`, for a search with a rerank context.

        Elasticsearch, which names itself in a header, refuses an ``ext`` that it does not know: it gets the search
        without. OpenSearch gets it whole, because a rerank processor of its own may read the same context.

        Args:
            body, content_type: as `read` gives them.
        """
        stripped = plain(request, body, content_type)
        if stripped is None:
            return await self.passed(request, raw, send)
        if not self._forward.product:
            sent = (request.target(), request.headers(), raw)
            status = await self._relayed(request, sent, send, doubtful=True)
            if not (status == 400 and self._forward.product):
                return status
        return await self._relayed(request, stripped, send)

    async def _relayed(
        self,
        request: Request,
        sent: Sent,
        send: Send,
        more: AsyncIterator[bytes] | None = None,
        doubtful: bool = False,
    ) -> int:
        """The status of the engine's response; a request that meets a closed connection is sent again.

        Args:
            doubtful: Elasticsearch's response of status 400 is not passed on.
        """
        target, headers, body = sent
        for last in (more is not None, True):
            begun = False
            try:
                data = _chained(body, more) if more else body or None
                async with self._forward.open(request.method, target, headers, data) as reply:
                    begun = True
                    if not (doubtful and reply.status == 400 and self._forward.product):
                        await relay(reply, send)
                    return reply.status
            except EngineUnavailable as error:
                if last or begun or not isinstance(error.__cause__, aiohttp.ServerDisconnectedError):
                    raise
        raise AssertionError("unreachable")


def read(request: Request, raw: bytes, limit: int) -> tuple[bytes | None, str]:
    """The body to read, None if it cannot be; and its content type, if the URL holds both.

    Args:
        limit: of its bytes, uncompressed.
    """
    if not raw and request.endpoint == "_search" and request.params.get("source_content_type"):
        return (request.params.get("source") or "").encode(), request.params.get("source_content_type") or ""
    try:
        return decoded(raw, request.header("content-encoding"), limit), ""
    except TooLarge:
        return None, ""


def plain(request: Request, body: bytes, content_type: str) -> Sent | None:
    """The caller's request without rerank contexts, as an engine wants it that does not know them; None if the body
    cannot be read.

    Args:
        body: uncompressed.
        content_type: of a body that came in the URL.
    """
    try:
        if request.endpoint == "_search":
            written = strict.write(_without(strict.parse(body)))
        else:
            written = multi.join(
                [(header, strict.write(_without(strict.parse(line)))) for header, line in multi.split(body)]
            )
    except (ValueError, InvalidField):
        return None
    headers = request.headers("content-length", "content-encoding", *(["content-type"] if content_type else []))
    if not content_type:
        return request.target(), headers, written
    target = request.target(request.params.without(("source", "source_content_type")))
    return target, [*headers, ("content-type", content_type)], written


def _without(body: Any) -> Any:
    return without_context(body) if isinstance(body, dict) and isinstance(body.get("ext"), dict) else body


async def _chained(first: bytes, more: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in more:
        yield chunk
