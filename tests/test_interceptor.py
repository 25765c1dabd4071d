"""How calls are counted that nobody waits for any more, whatever their work does once it learns of that."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from prometheus_client import CollectorRegistry

from plugin_server.interceptor import Interceptor
from plugin_server.traffic import GrpcTraffic, Method

METHOD = Method("test.Service", "Wait")


async def _leaves(context: Any) -> bytes:
    await asyncio.sleep(60)
    return b"late"


async def _tells_nobody(context: Any) -> bytes:
    """It says why it ends to a caller that is gone; grpcio raises then."""
    try:
        return await _leaves(context)
    finally:
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "too late")


@asynccontextmanager
async def watched(work: Callable[[Any], Awaitable[bytes]]) -> AsyncIterator[tuple[Any, CollectorRegistry]]:
    """The method of a real server that does this work, and what is counted."""
    registry = CollectorRegistry()
    server = grpc.aio.server(interceptors=[Interceptor(GrpcTraffic(registry), [METHOD])])
    handler = grpc.unary_unary_rpc_method_handler(lambda _, context: work(context))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(METHOD.service, {METHOD.name: handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel.unary_unary(f"/{METHOD.route}"), registry
    finally:
        await server.stop(0)


async def counted(registry: CollectorRegistry) -> dict[str, float]:
    """How many calls have ended, by code, once one has."""
    for _ in range(3000):
        samples = [sample for metric in registry.collect() for sample in metric.samples]
        ended = [sample for sample in samples if sample.name == "grpc_server_handled_total"]
        found = {sample.labels["grpc_code"]: sample.value for sample in ended}
        if found:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError("no call has ended")


@pytest.mark.parametrize("work", [_leaves, _tells_nobody])
def test_a_caller_that_cancels(work: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with watched(work) as (method, registry):
            call = method(b"", timeout=60)
            await asyncio.sleep(0.2)
            call.cancel()
            assert await counted(registry) == {"Canceled": 1}

    with caplog.at_level(logging.WARNING):
        asyncio.run(scene())
    assert not caplog.records


@pytest.mark.parametrize("work", [_leaves, _tells_nobody])
def test_a_caller_whose_time_is_over(work: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It cancels a moment before the server sees the deadline itself."""

    async def scene() -> None:
        async with watched(work) as (method, registry):
            with pytest.raises(grpc.aio.AioRpcError):
                await method(b"", timeout=1.003)
            assert await counted(registry) == {"DeadlineExceeded": 1}

    with caplog.at_level(logging.WARNING):
        asyncio.run(scene())
    assert not caplog.records
