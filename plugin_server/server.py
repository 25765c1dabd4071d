"""The server: gRPC, and HTTP on a port of its own; bound and healthy once it exists, drained when told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health
from grpc_reflection.v1alpha import reflection

from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server import tei, tei_v1_pb2_grpc
from plugin_server.errors import InvalidField
from plugin_server.health import Health
from plugin_server.index import Index
from plugin_server.metrics import Metrics
from plugin_server.reranker import Reranker
from plugin_server.search import Answer, Question, Searcher
from plugin_server.service import NAME, Search, Service

if TYPE_CHECKING:
    from plugin_server.engines.connection import Engine
    from plugin_server.engines.settings import EngineSettings
    from plugin_server.gateway.app import Gateway
    from plugin_server.http.server import HttpServer

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
        address: host and port that gRPC is bound to, the port never 0.
        http_address: the same for HTTP; empty without it.
    """

    def __init__(
        self,
        server: grpc.aio.Server,
        health: Health,
        executor: ThreadPoolExecutor,
        address: str,
        http: HttpServer | None = None,
        engine: Engine | None = None,
        gateway: Gateway | None = None,
    ) -> None:
        self.address = address
        self.http_address = http.address if http else ""
        self._server = server
        self._http = http
        self._engine = engine
        self._gateway = gateway
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
        http_address: str = "",
        engine: EngineSettings | None = None,
        engine_index: str = "",
    ) -> Server:
        """A server that answers calls, on the running event loop.

        Args:
            address: ``host:port``, port 0 for a free one; ``[::]:50051`` for every interface.
            index: for Search; made by the reranker's bundle.
            max_message_bytes: of one request or response; a larger one ends with RESOURCE_EXHAUSTED or 413.
            workers: requests computed at a time; others wait.
            http_address: ``host:port`` for HTTP, as `address`; empty for none.
            engine: a search engine for Search, in place of `index`; over HTTP also behind a gateway.
            engine_index: that is searched when a request names none.

        Raises:
            InvalidField: an address cannot be bound, or the engine's client cannot be made.
        """
        options = [
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", max_message_bytes),
            ("grpc.so_reuseport", 0),  # a second server on the port fails, and does not share its calls
        ]
        server = grpc.aio.server(options=options)
        executor = ThreadPoolExecutor(workers, thread_name_prefix="simgate")
        previous = reranker.previous.manifest.fingerprint if reranker.previous else ""
        metrics = Metrics(reranker.manifest.fingerprint, previous)
        reranker = reranker.observed(metrics.observe)
        connection = _connection(engine)
        search = _search(reranker, executor, index, connection)
        service = Service(reranker, executor, search, engine_index, max_message_bytes)
        pb_grpc.add_SimgateServicer_to_server(service, server)
        tei_v1_pb2_grpc.add_RerankServicer_to_server(tei.TeiService(reranker, executor), server)
        checks = Health([NAME, tei.NAME])
        checks.add_to(server)
        reflection.enable_server_reflection((NAME, tei.NAME, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
        bound = _bind(server, address)
        http = gateway = None
        if http_address:
            gateway = _gateway(reranker, executor, engine, max_message_bytes)
            from plugin_server.http.app import app  # FastAPI is not needed without HTTP
            from plugin_server.http.server import HttpServer

            application = app(
                reranker,
                executor,
                metrics,
                lambda: checks.serving,
                max_message_bytes,
                gateway,
                search,
                engine_index,
            )
            http = await HttpServer.start(application, http_address)
        await server.start()
        return cls(server, checks, executor, bound, http, connection, gateway)

    async def stop(self, grace: float = GRACE) -> None:
        """Nothing; new calls were refused at once, running ones were let finish for at most `grace` seconds."""
        self._health.close()
        await asyncio.gather(self._server.stop(grace), *([self._http.stop(grace)] if self._http else []))
        for connection in (self._gateway, self._engine):
            if connection:
                await connection.close()
        self._executor.shutdown(wait=False, cancel_futures=True)


async def serve(
    reranker: Reranker,
    address: str = ADDRESS,
    index: Index | None = None,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
    workers: int = WORKERS,
    grace: float = GRACE,
    ready: Callable[[Server], None] | None = None,
    http_address: str = "",
    engine: EngineSettings | None = None,
    engine_index: str = "",
) -> None:
    """Nothing, after SIGTERM or SIGINT and the calls that were running then.

    Args:
        address, index, max_message_bytes, workers, http_address, engine, engine_index: as `Server.start`.
        grace: seconds that running calls get to finish.
        ready: called with the server, which knows its addresses, once calls are answered.

    Raises:
        InvalidField: an address cannot be bound.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOPPING:
        loop.add_signal_handler(number, stopping.set)
    try:
        server = await Server.start(
            reranker, address, index, max_message_bytes, workers, http_address, engine, engine_index
        )
        addresses = " and ".join(filter(None, (server.address, server.http_address)))
        log.info("listening on %s, bundle %s", addresses, reranker.manifest.fingerprint)
        if ready:
            ready(server)
        await stopping.wait()
        log.info("stopping, up to %g s for running calls", grace)
        await server.stop(grace)
    finally:
        for number in STOPPING:
            loop.remove_signal_handler(number)


def _connection(settings: EngineSettings | None) -> Engine | None:
    """The connection to a search engine, if there is one."""
    if settings is None:
        return None
    from plugin_server.engines.connection import Engine  # its clients are not needed without

    return Engine(settings)


def _gateway(
    reranker: Reranker, executor: ThreadPoolExecutor, engine: EngineSettings | None, max_body_bytes: int
) -> Gateway | None:
    """What takes the engine's own requests, if there is an engine."""
    if engine is None:
        return None
    from plugin_server.gateway.app import Gateway
    from plugin_server.gateway.settings import GatewaySettings

    settings = GatewaySettings(
        url=engine.engine_url, text_field=engine.text_field, timeout=engine.engine_timeout, ca=engine.engine_ca,
        fail=reranker.settings.on_failure, max_body_bytes=max_body_bytes,
    )  # fmt: skip
    return Gateway(reranker, settings, executor)


def _search(
    reranker: Reranker, executor: ThreadPoolExecutor, index: Index | None, engine: Engine | None
) -> Search | None:
    """What answers a search: the engine, else the embedded index, else nothing."""
    if engine is not None:
        from plugin_server.engines.search import EngineSearcher

        return EngineSearcher(reranker, engine, executor).search
    if index is None:
        return None
    searcher = Searcher(reranker, index)

    async def search(question: Question) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(executor, searcher.search, question)

    return search


def _bind(server: grpc.aio.Server, address: str) -> str:
    """The address with the port that was bound."""
    try:
        port = server.add_insecure_port(address)
    except RuntimeError:
        port = 0
    if not port:
        raise InvalidField(f"address: {address!r} cannot be bound: give host:port of this machine with a free port")
    return f"{address.rpartition(':')[0]}:{port}"
