"""The health service, which lets its watchers go when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

Status = health_pb2.HealthCheckResponse


class Health:
    """grpc.health.v1 for a few services: serving from the start, since a loaded bundle works, until closed.

    A watcher's call never ends by itself and would hold up a draining server for its whole grace period, as it does
    with grpcio's own class; here it is told NOT_SERVING and ended.

    Args:
        services: their full names; the empty name, which stands for the server, is added.
    """

    def __init__(self, services: Sequence[str]) -> None:
        self.services = frozenset(("", *services))
        self._closing = asyncio.Event()

    def add_to(self, server: grpc.aio.Server) -> None:
        """Nothing; the server answers health checks from now on."""
        health_pb2_grpc.add_HealthServicer_to_server(self, server)

    def close(self) -> None:
        """Nothing; every service is NOT_SERVING for good, and watchers are told."""
        self._closing.set()

    @property
    def serving(self) -> bool:
        """Whether it is not closed."""
        return not self._closing.is_set()

    async def Check(self, request: Any, context: Any) -> Any:
        """The status of one service; NOT_FOUND for a name that is not served."""
        if request.service not in self.services:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"service: {request.service!r:.100} is not served here")
        return Status(status=self._status(request.service))

    async def List(self, request: Any, context: Any) -> Any:
        """The status of every service, by name."""
        return health_pb2.HealthListResponse(
            statuses={name: Status(status=self._status(name)) for name in self.services}
        )

    async def Watch(self, request: Any, context: Any) -> None:
        """The status of one service now, and again when the server stops."""
        if not self._closing.is_set():
            await context.write(Status(status=self._status(request.service)))
        await self._closing.wait()
        await context.write(Status(status=self._status(request.service)))

    def _status(self, service: str) -> int:
        if service not in self.services:
            return int(Status.SERVICE_UNKNOWN)
        return int(Status.SERVING if self.serving else Status.NOT_SERVING)
