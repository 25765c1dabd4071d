"""Every gRPC call on its way in and out: counted, traced, logged, and given an id."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from time import perf_counter
from typing import Any

import grpc

from plugin_server import spans
from plugin_server.access import probes, tell
from plugin_server.handlers import behaviour_of, remade
from plugin_server.traffic import CODES, UNKNOWN, GrpcTraffic, Method
from plugin_server.visit import HEADER, begin

#: Codes that are the server's fault, by OpenTelemetry's conventions.
FAULTS = {
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}
#: A client whose deadline is over cancels a little before it is over here: what it sends is rounded up by at most a
#: hundredth (`timeout_encoding.cc` of gRPC), and was on its way for some milliseconds.
ROUNDING, JOURNEY = 0.01, 0.05


class Interceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Put it first, so that calls which others refuse are seen too.

    Args:
        traffic: counts.
        known: methods that are served; all others are counted as one, since callers may make names up.
    """

    def __init__(self, traffic: GrpcTraffic, known: Iterable[Method]) -> None:
        self._traffic = traffic
        self._known = {f"/{method.route}": method for method in known}

    async def intercept_service(self, continuation: Callable[..., Awaitable[Any]], details: Any) -> Any:
        """The handler of a call, seen; None for a method that is not served."""
        handler = await continuation(details)
        if handler is None:
            call = Call(UNKNOWN, self._traffic, _metadata(details.invocation_metadata))
            call.end(grpc.StatusCode.UNIMPLEMENTED)
            return None
        return remade(handler, self._seen(self._known.get(details.method, UNKNOWN), behaviour_of(handler)))

    def _seen(self, method: Method, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        """The behaviour of a method, seen; what yields its responses still does."""

        async def answered(request: Any, context: Any) -> Any:
            with self._watched(method, context):
                return await behaviour(request, context)

        async def yielded(request: Any, context: Any) -> AsyncIterator[Any]:
            with self._watched(method, context):
                async for response in behaviour(request, context):
                    yield response

        return yielded if inspect.isasyncgenfunction(behaviour) else answered

    @contextmanager
    def _watched(self, method: Method, context: Any) -> Iterator[None]:
        """Nothing; the block is the call."""
        metadata = _metadata(context.invocation_metadata())
        with nullcontext() if probes(method.route) else spans.request(method.route, metadata.items()):
            call, patience = Call(method, self._traffic, metadata), context.time_remaining()
            # not in the initial metadata: a client that has got those never tries again
            context.set_trailing_metadata(((HEADER, call.visit.id),))
            try:
                yield
            except grpc.aio.InternalError as error:  # a status for a caller that is gone: gRPC would log a failure
                call.end(code_of(asyncio.CancelledError(), context, patience))
                raise asyncio.CancelledError from error
            except BaseException as error:
                call.end(code_of(error, context, patience))
                raise
            call.end(context.code() or grpc.StatusCode.OK)


class Call:
    """A call from its beginning to its end.

    Attributes:
        visit: what its log records know of it.
    """

    def __init__(self, method: Method, traffic: GrpcTraffic, metadata: dict[str, str]) -> None:
        self._method, self._traffic, self._began = method, traffic, perf_counter()
        self.visit = begin("grpc", metadata.get(HEADER, ""), metadata.get("traceparent", ""))
        self.visit.trace = spans.trace() or self.visit.trace
        traffic.started(method)

    def end(self, code: grpc.StatusCode) -> None:
        """Nothing; the call has ended with this code."""
        seconds, route = perf_counter() - self._began, self._method.route
        self._traffic.handled(self._method, code, seconds)
        attributes = {
            "rpc.system": "grpc",
            "rpc.service": self._method.service,
            "rpc.method": self._method.name,
            "rpc.grpc.status_code": code.value[0],
            "simgate.request_id": self.visit.id,
        }
        spans.outcome(route, attributes, code in FAULTS)
        tell(self.visit, route, CODES[code], seconds)


def code_of(error: BaseException, context: Any, patience: float | None) -> grpc.StatusCode:
    """The code with which a call ends that raised this.

    Args:
        context: knows the code of a call that was aborted, and what time there is left.
        patience: seconds that the caller had at the beginning of the call, if it said so.
    """
    if isinstance(error, grpc.aio.AbortError):
        return context.code() or grpc.StatusCode.UNKNOWN
    if not isinstance(error, asyncio.CancelledError):
        return grpc.StatusCode.UNKNOWN
    late = patience is not None and context.time_remaining() <= ROUNDING * patience + JOURNEY
    return grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED


def _metadata(pairs: Any) -> dict[str, str]:
    """The metadata that are texts, by key."""
    return {key: value for key, value in pairs or () if isinstance(value, str)}
