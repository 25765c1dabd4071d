"""The gRPC server: bound, healthy and reflecting once it exists, drained when it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health
from grpc_reflection.v1alpha import reflection

from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server.errors import InvalidField
from plugin_server.health import Health
from plugin_server.index import Index
from plugin_server.reranker import Reranker
from plugin_server.service import NAME, Service

log = logging.getLogger(__name__)

ADDRESS = "127.0.0.1:50051"
#: Of one request or response; gRPC's own 4 MiB would refuse a few hundred long documents.
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
#: Seconds that running calls get to finish once the server stops.
GRACE = 30.0
#: Requests computed at a time; each uses the bundle's onnxruntime threads.
WORKERS = 4
STOPPING = (signal.SIGTERM, signal.SIGINT)


class Server:
    """A running server; made by `start`.

    Attributes:
        address: host and port it is bound to, the port never 0.
    """

    def __init__(self, server: grpc.aio.Server, health: Health, executor: ThreadPoolExecutor, address: str) -> None:
        self.address = address
        self._server = server
        self._health = health
        self._executor = executor

    @classmethod
    async def start(
        cls,
        reranker: Reranker,
        address: str = ADDRESS,
        index: Index | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        workers: int = WORKERS,
    ) -> Server:
        """A server that answers calls, on the running event loop.

        Args:
            address: ``host:port``, port 0 for a free one; ``[::]:50051`` for every interface.
            index: for Search; made by the reranker's bundle.
            max_message_bytes: of one request or response; a larger one ends with RESOURCE_EXHAUSTED.
            workers: requests computed at a time; others wait.

        Raises:
            InvalidField: the address cannot be bound.
        """
        options = [
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", max_message_bytes),
            ("grpc.so_reuseport", 0),  # a second server on the port fails, and does not share its calls
        ]
        server = grpc.aio.server(options=options)
        executor = ThreadPoolExecutor(workers, thread_name_prefix="simgate")
        pb_grpc.add_SimgateServicer_to_server(Service(reranker, executor, index, max_message_bytes), server)
        checks = Health([NAME])
        checks.add_to(server)
        reflection.enable_server_reflection((NAME, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
        bound = _bind(server, address)
        await server.start()
        return cls(server, checks, executor, bound)

    async def stop(self, grace: float = GRACE) -> None:
        """Nothing; new calls were refused at once, running ones were let finish for at most `grace` seconds."""
        self._health.close()
        await self._server.stop(grace)
        self._executor.shutdown(wait=False, cancel_futures=True)


async def serve(
    reranker: Reranker,
    address: str = ADDRESS,
    index: Index | None = None,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
    workers: int = WORKERS,
    grace: float = GRACE,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Nothing, after SIGTERM or SIGINT and the calls that were running then.

    Args:
        address, index, max_message_bytes, workers: as `Server.start`.
        grace: seconds that running calls get to finish.
        ready: called with the bound address once calls are answered, for example ``print``.

    Raises:
        InvalidField: the address cannot be bound.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOPPING:
        loop.add_signal_handler(number, stopping.set)
    try:
        server = await Server.start(reranker, address, index, max_message_bytes, workers)
        log.info("listening on %s, bundle %s", server.address, reranker.manifest.fingerprint)
        if ready:
            ready(server.address)
        await stopping.wait()
        log.info("stopping, up to %g s for running calls", grace)
        await server.stop(grace)
    finally:
        for number in STOPPING:
            loop.remove_signal_handler(number)


def _bind(server: grpc.aio.Server, address: str) -> str:
    """The address with the port that was bound."""
    try:
        port = server.add_insecure_port(address)
    except RuntimeError:
        port = 0
    if not port:
        raise InvalidField(f"address: {address!r} cannot be bound: give host:port of this machine with a free port")
    return f"{address.rpartition(':')[0]}:{port}"
