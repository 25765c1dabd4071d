"""The connection to the engine: a request goes there as it came, and the response comes back as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from plugin_server.engines.clients import tls
from plugin_server.errors import EngineError, EngineTimeout, EngineUnavailable
from plugin_server.gateway.settings import GatewaySettings

Headers = list[tuple[str, str]]
#: Of one connection, and so not passed on (RFC 9110, 7.6.1); besides them, those that Connection names.
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
#: Written anew for the engine.
OWN = {"host", "expect"}
#: For simgate alone: its API key.
SECRET = {"x-api-key"}
PRODUCT = "x-elastic-product"
CONNECT_TIMEOUT = 10.0
#: Longest header line of a response; engines send their warnings in them.
MAX_FIELD = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """A response that was read to its end."""

    status: int
    headers: Headers
    body: bytes


class Forward:
    """The engine behind the gateway; the session is opened with the first request, on the loop that runs then.

    Attributes:
        product: what the engine says it is in ``X-elastic-product``; empty for none, or before its first response.

    Raises:
        InvalidField: the file of certificates cannot be read.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        self.product = ""
        self._settings = settings
        self._tls = tls(settings.url, settings.ca)
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def open(
        self, method: str, target: str, headers: Headers, data: bytes | AsyncIterator[bytes] | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The engine's response, its body not read yet and as it is, compressed or not.

        Args:
            target: path and query string as they were written.

        Raises:
            EngineUnavailable: nobody answers, or the connection breaks.
            EngineTimeout: a connection cannot be had in time.
        """
        try:
            async with self._opened().request(
                method, self._url(target), headers=headers, data=data, allow_redirects=False
            ) as reply:
                self._look_at(reply)
                yield reply
        except TimeoutError:
            raise EngineTimeout(self._settings.url, min(CONNECT_TIMEOUT, self._settings.timeout)) from None
        except aiohttp.ClientError as error:
            raise EngineUnavailable(self._settings.url, str(error) or type(error).__name__) from error

    async def whole(self, method: str, target: str, headers: Headers, data: bytes) -> Reply:
        """The engine's response to a search, read to its end; a search that meets a closed connection is sent again.

        Raises:
            EngineUnavailable: nobody answers, or the connection breaks.
            EngineTimeout: the response takes longer than `GatewaySettings.timeout`.
        """
        limit = aiohttp.ClientTimeout(self._settings.timeout, sock_connect=CONNECT_TIMEOUT)
        for attempt in (1, 2):
            try:
                async with self._opened().request(
                    method, self._url(target), headers=headers, data=data, allow_redirects=False, timeout=limit
                ) as reply:
                    self._look_at(reply)
                    return Reply(reply.status, end_to_end(reply.raw_headers), await reply.read())
            except aiohttp.ServerDisconnectedError as error:
                if attempt == 2:
                    raise EngineUnavailable(self._settings.url, "the connection was closed") from error
            except TimeoutError:
                raise EngineTimeout(self._settings.url, self._settings.timeout) from None
            except aiohttp.ClientError as error:
                raise EngineUnavailable(self._settings.url, str(error) or type(error).__name__) from error
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Nothing; connections are closed, and a later request opens them again."""
        session, self._session = self._session, None
        if session:
            await session.close()

    def _look_at(self, reply: aiohttp.ClientResponse) -> None:
        """Nothing; the reply is one that can be passed on."""
        if not 200 <= reply.status < 600:
            raise EngineError(
                f"{self._settings.url}: answered with the status {reply.status}, which HTTP does not have"
            )
        self.product = reply.headers.get(PRODUCT, self.product)

    def _url(self, target: str) -> URL:
        """The engine's address with a target as it was written; whatever that is, it stays the engine's."""
        base, (path, _, query) = URL(self._settings.url), target.partition("?")
        return URL.build(
            scheme=base.scheme,
            authority=base.raw_authority,
            path=base.raw_path.rstrip("/") + path,
            query_string=query,
            encoded=True,
        )

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=self._tls or True),
                timeout=aiohttp.ClientTimeout(None, sock_connect=min(CONNECT_TIMEOUT, self._settings.timeout)),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=["User-Agent", "Accept", "Accept-Encoding", "Content-Type"],
                auto_decompress=False,
                max_line_size=MAX_FIELD,
                max_field_size=MAX_FIELD,
            )
        return self._session


async def relay(reply: aiohttp.ClientResponse, send: Callable[[Any], Awaitable[None]], read: bytes = b"") -> None:
    """Nothing; the response is passed on over ASGI as it comes in.

    Args:
        read: what was read of its body before.
    """
    headers = [(name.encode("latin-1"), value.encode()) for name, value in end_to_end(reply.raw_headers)]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if read:
        await send({"type": "http.response.body", "body": read, "more_body": True})
    async for chunk in reply.content.iter_any():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def end_to_end(headers: Iterable[tuple[bytes, bytes]], drop: Iterable[str] = ()) -> Headers:
    """The headers that are passed on, their names in lower case: none of one connection only, none of `drop`.

    Example:
        >>> end_to_end([(b"Connection", b"close, X-Hop"), (b"X-Hop", b"1"), (b"Authorization", b"Basic eA==")])
        [('authorization', 'Basic eA==')]
    """
    listed = [(name.decode("latin-1").lower(), _text(value)) for name, value in headers]
    named = {part.strip().lower() for name, value in listed if name == "connection" for part in value.split(",")}
    leave = HOP_BY_HOP | named | set(drop)
    return [(name, value) for name, value in listed if name not in leave]


def _text(value: bytes) -> str:
    """A header's value, which is written as UTF-8 again."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
