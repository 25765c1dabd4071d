"""Every HTTP request on its way in and out: counted, traced, logged, and given an id."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterable, Iterator
from contextlib import nullcontext
from http import HTTPStatus
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugin_server import spans
from plugin_server.access import probes, tell
from plugin_server.http.door import GONE
from plugin_server.traffic import METHODS, OTHER, HttpTraffic
from plugin_server.visit import HEADER, begin

#: The gateway's paths, and whatever nobody takes.
SEARCHES = ("_search", "_msearch")
ANY = "/{path}"


class Access:
    """An application whose requests are seen; put it around all others, so that what those refuse is seen too.

    Args:
        app: answers.
        traffic: counts.
        paths: of the doors.
    """

    def __init__(self, app: ASGIApp, traffic: HttpTraffic, paths: Iterable[str]) -> None:
        self._app = app
        self._traffic = traffic
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else OTHER
        span = nullcontext() if probes(scope["path"]) else spans.request(method, _headers(scope))
        with self._traffic.active(method), span:
            await self._seen(method, scope, receive, send)

    async def _seen(self, method: str, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(_headers(scope))
        visit = begin("http", headers.get(HEADER, ""), headers.get("traceparent", ""))
        visit.trace = spans.trace() or visit.trace
        began, status = perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": _named(message.get("headers", ()), visit.id)}
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except asyncio.CancelledError:
            status = status or GONE
            raise
        except BaseException:
            status = status or HTTPStatus.INTERNAL_SERVER_ERROR
            raise
        finally:
            status, route, seconds = status or GONE, route_of(scope["path"], self._paths), perf_counter() - began
            self._traffic.handled(method, route, status, seconds)
            attributes = {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": int(status),
                "url.scheme": scope.get("scheme", "http"),
                "simgate.request_id": visit.id,
            }
            spans.outcome(f"{method} {route}", attributes, status >= HTTPStatus.INTERNAL_SERVER_ERROR)
            tell(visit, route, str(int(status)), seconds)


def route_of(path: str, paths: Container[str] = ()) -> str:
    """The template of a path; there are only a few, whatever callers ask for.

    Args:
        paths: that are their own.

    Example:
        >>> route_of("/books/_search"), route_of("/books/_doc/17"), route_of("/livez", ["/livez"])
        ('/{index}/_search', '/{path}', '/livez')
    """
    if path in paths:
        return path
    parts = path.strip("/").split("/")
    if parts[-1] not in SEARCHES or len(parts) > 2:
        return ANY
    return f"/{{index}}/{parts[-1]}" if len(parts) == 2 else f"/{parts[-1]}"


def _headers(scope: Scope) -> Iterator[tuple[str, str]]:
    """The request's headers as texts."""
    return ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])


def _named(headers: list[tuple[bytes, bytes]], identity: str) -> list[tuple[bytes, bytes]]:
    """The headers of a response, with the request's id."""
    name = HEADER.encode()
    return [*(item for item in headers if item[0].lower() != name), (name, identity.encode())]
