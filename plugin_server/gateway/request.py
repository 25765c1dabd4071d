"""A request of a caller, as it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote, unquote

from plugin_server.errors import InvalidField, TooLarge
from plugin_server.gateway.forward import OWN, SECRET, Headers, end_to_end
from plugin_server.gateway.params import Params

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
ENDPOINTS = ("_search", "_msearch")
Send = Callable[[Message], Awaitable[None]]


class Request:
    """A request over ASGI.

    Raises:
        InvalidField: the request line has no path, but a whole address or an authority.

    Attributes:
        method: in capitals.
        path: as it was written, without what the app is mounted below.
        params: of the URL.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        raw = scope.get("raw_path") or quote(scope["path"]).encode()
        self.path = raw.decode("latin-1").removeprefix(scope.get("root_path", "")) or "/"
        self.params = Params(scope["query_string"].decode("latin-1"))
        if not self.path.startswith("/"):
            raise InvalidField("path: does not start with /: send the path alone, this is no proxy for other hosts")
        self._given = list(scope["headers"])
        self._receive = receive
        self._ended = asyncio.Event()
        self._read: bytes | None = None
        if not any(name in (b"content-length", b"transfer-encoding") for name, _ in self._given):
            self._ended.set()

    @property
    def endpoint(self) -> str:
        """``_search`` or ``_msearch``, if the request is one of those over some or all indices; else empty.

        Engines ignore a slash at the end.
        """
        parts = self.path.removeprefix("/").removesuffix("/").split("/")
        searches = self.method in ("GET", "POST") and len(parts) <= 2 and all(parts) and parts[-1] in ENDPOINTS
        return parts[-1] if searches else ""

    @property
    def index(self) -> str:
        """What a search's path names before its last part: an index, several of them, or empty for all."""
        parts = self.path.strip("/").split("/")
        return unquote(parts[0]) if len(parts) == 2 else ""

    def target(self, params: Params | None = None) -> str:
        """Path and query string, with other parameters if given."""
        raw = (self.params if params is None else params).raw
        return f"{self.path}?{raw}" if raw else self.path

    def header(self, name: str) -> str:
        """A header's values, parted by commas; empty without any."""
        return ", ".join(value.decode("latin-1") for key, value in self._given if key.decode().lower() == name)

    def headers(self, *drop: str) -> Headers:
        """The headers for the engine, without those named."""
        return end_to_end(self._given, (*OWN, *SECRET, *drop))

    @property
    def has_body(self) -> bool:
        """Whether there is a body, which `chunks` gives: all that was not given before, or all that `body` read."""
        return bool(self._read) or not self._ended.is_set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, as it comes in.

        Raises:
            ConnectionResetError: the caller is gone.
        """
        if self._read:
            yield self._read
        while not self._ended.is_set():
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ConnectionResetError("the caller is gone")
            if not message.get("more_body", False):
                self._ended.set()
            if message.get("body"):
                yield message["body"]

    async def body(self, limit: int) -> bytes:
        """The whole body, as often as it is asked for.

        Raises:
            TooLarge: it has more bytes than the limit.
        """
        if self._read is not None:
            return self._read
        parts, size = [], 0
        async for chunk in self.chunks():
            parts.append(chunk)
            size += len(chunk)
            if size > limit:
                raise TooLarge(limit)
        self._read = b"".join(parts)
        return self._read

    async def beginning(self, limit: int) -> tuple[bytes, bool]:
        """The body and that it is whole; or its beginning, of more bytes than the limit, whose rest `chunks` gives."""
        if self._read is not None:
            return self._read, True
        parts, size = [], 0
        async for chunk in self.chunks():
            parts.append(chunk)
            size += len(chunk)
            if size > limit:
                break
        return b"".join(parts), self._ended.is_set()

    async def gone(self) -> None:
        """Nothing, once the caller has closed the connection; the body must be read by somebody else meanwhile."""
        await self._ended.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
