"""Requests that are no Protocol Buffers: refused as any other bad request, where grpcio would log a traceback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from inspect import isasyncgenfunction
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from plugin_server.errors import InvalidField
from plugin_server.handlers import behaviour_of, remade
from plugin_server.status import grpc_status, message

UNREADABLE = InvalidField("request: is not this method's message: use a client made from its .proto")


class Decoding(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Ends a call whose request cannot be decoded with INVALID_ARGUMENT; grpcio itself says UNKNOWN."""

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], details: Any) -> Any:
        """The method's handler, made to look at its requests first; None for a method that there is not."""
        handler = await continuation(details)
        if handler is None:
            return None
        inner = behaviour_of(handler)
        outer = _each(inner) if isasyncgenfunction(inner) else _once(inner)
        return remade(handler, outer, _lenient(handler.request_deserializer))


def _lenient(decode: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """The decoder, which gives `UNREADABLE` where it would raise."""

    def lenient(raw: bytes) -> Any:
        try:
            return decode(raw)
        except DecodeError:
            return UNREADABLE

    return lenient


def _once(inner: Callable[..., Any]) -> Callable[..., Any]:
    async def outer(request: Any, context: Any) -> Any:
        return await inner(await _checked(request, context), context)

    return outer


def _each(inner: Callable[..., Any]) -> Callable[..., Any]:
    async def outer(request: Any, context: Any) -> AsyncIterator[Any]:
        async for response in inner(await _checked(request, context), context):
            yield response

    return outer


async def _checked(request: Any, context: Any) -> Any:
    """The request; a stream of requests is checked one by one."""
    if request is UNREADABLE:
        await context.abort(grpc_status(UNREADABLE), message(UNREADABLE))
    return _stream(request, context) if hasattr(request, "__aiter__") else request


async def _stream(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
    async for request in requests:
        yield await _checked(request, context)
