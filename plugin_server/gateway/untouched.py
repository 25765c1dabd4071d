"""A search in shadow mode, as it came, and the engine's own response, as it is."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Collection
from typing import Any

import aiohttp

from plugin_server import strict
from plugin_server.errors import EngineUnavailable, InvalidField, TooLarge
from plugin_server.gateway import multi
from plugin_server.gateway.content import decoded
from plugin_server.gateway.forward import Forward, Headers, relay
from plugin_server.gateway.request import Request, Send

#: A request to the engine: method, path and query string, headers, body.
Sent = tuple[str, str, Headers, bytes]


#: What engines say of ``ext.rerank`` if none of their plugins knows it, or none has any part of ``ext`` at all.
UNKNOWN = re.compile(rb"unknown field \[rerank\]|unknown named object category \[[\w.]*SearchExtBuilder\]")
#: Seconds for which that is remembered.
FRESH = 60.0


class Untouched:
    """Answers searches with what the engine says, whatever they hold for simgate; lives on one event loop.

    Args:
        forward: to the engine.
        limit: of the bytes of an error, uncompressed.
    """

    def __init__(self, forward: Forward, limit: int) -> None:
        self._forward = forward
        self._limit = limit
        self._refused = -FRESH

    async def passed(self, request: Request, raw: bytes, send: Send, more: AsyncIterator[bytes] | None = None) -> int:
        """The status of the engine's response to the request as it came; the caller has that response.

        Args:
            raw: the body, or its beginning.
            more: the rest of it.

        Raises:
            EngineError: the engine cannot be reached.
        """
        return await self._relayed((request.method, request.target(), request.headers(), raw), send, more)

    async def answered(self, request: Request, raw: bytes, body: bytes, content_type: str, send: Send) -> int:
        """As `passed`, for a search with a rerank context.

        ``ext.simgate``, which no engine knows, is taken out. ``ext.rerank`` stays, because a rerank processor of the
        engine's own may read it; an engine without one refuses it, and gets the search again without.

        Args:
            body, content_type: as `read` gives them.
        """
        original = (request.method, request.target(), request.headers(), raw)
        whole, bare = (rewritten(request, body, content_type, names) for names in (("simgate",), ("simgate", "rerank")))
        if time.monotonic() - self._refused >= FRESH:
            status = await self._relayed(whole or original, send, doubtful=bare is not None)
            if status:
                return status
            self._refused = time.monotonic()
        return await self._relayed(bare or original, send)

    async def _relayed(
        self, sent: Sent, send: Send, more: AsyncIterator[bytes] | None = None, doubtful: bool = False
    ) -> int:
        """The status of the engine's response; a request that meets a closed connection is sent again.

        Args:
            doubtful: an error about an unknown ``ext.rerank`` is not passed on, and the status is 0.
        """
        method, target, headers, body = sent
        for last in (more is not None, True):
            begun = False
            try:
                data = _chained(body, more) if more else body or None
                async with self._forward.open(method, target, headers, data) as reply:
                    begun = True
                    read = await reply.read() if doubtful and reply.status == 400 else b""
                    if self._unknown(reply, read):
                        return 0
                    await relay(reply, send, read)
                    return reply.status
            except EngineUnavailable as error:
                if last or begun or not isinstance(error.__cause__, aiohttp.ServerDisconnectedError):
                    raise
        raise AssertionError("unreachable")

    def _unknown(self, reply: aiohttp.ClientResponse, read: bytes) -> bool:
        """Whether an error says that the engine does not know ``ext.rerank``."""
        try:
            said = decoded(read, reply.headers.get("content-encoding", ""), self._limit)
        except TooLarge:
            return False
        return said is not None and UNKNOWN.search(said) is not None


def rewritten(request: Request, body: bytes, content_type: str, names: Collection[str]) -> Sent | None:
    """The caller's request without these parts of each ``ext``; None if there are none, or the body cannot be read.

    Args:
        body: uncompressed.
        content_type: of a body that came in the URL.
    """
    try:
        given = [(b"", body)] if request.endpoint == "_search" else multi.split(body)
        made = [(header, _without(strict.parse(line), names)) for header, line in given]
    except (ValueError, InvalidField):
        return None
    if all(value is None for _, value in made):
        return None
    lines = [(header, line if value is None else strict.write(value))
             for (header, value), (_, line) in zip(made, given, strict=True)]  # fmt: skip
    written = lines[0][1] if request.endpoint == "_search" else multi.join(lines)
    headers = request.headers("content-length", "content-encoding", *(["content-type"] if content_type else []))
    if not content_type:
        return request.method, request.target(), headers, written
    target = request.target(request.params.without(("source", "source_content_type")))
    return request.method, target, [*headers, ("content-type", content_type)], written


def _without(body: Any, names: Collection[str]) -> Any:
    """The body without these parts of its ``ext``, and without one that held nothing else; None if it has none."""
    ext = body.get("ext") if isinstance(body, dict) else None
    if not isinstance(ext, dict) or not any(name in ext for name in names):
        return None
    rest = {name: value for name, value in ext.items() if name not in names}
    bare = {name: value for name, value in body.items() if name != "ext"}
    return bare | {"ext": rest} if rest else bare


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


async def _chained(first: bytes, more: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in more:
        yield chunk
