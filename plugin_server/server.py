"""The server: gRPC, and HTTP on a port of its own; bound and healthy once it exists, drained when told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from plugin_server import service, tei, tei_v1_pb2, tei_v1_pb2_grpc
from plugin_server import simgate_v1_pb2 as pb
from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server.backend import Backend, Source
from plugin_server.core import Core
from plugin_server.decoding import Decoding
from plugin_server.errors import InvalidField
from plugin_server.guard import Guard
from plugin_server.health import Health
from plugin_server.interceptor import Interceptor
from plugin_server.keyring import Keyring
from plugin_server.listening import check_listening
from plugin_server.metrics import Metrics
from plugin_server.reloading import Reloading
from plugin_server.reranker import Reranker
from plugin_server.server_settings import ServerSettings
from plugin_server.service import NAME, Service
from plugin_server.shadow.mode import Shadow
from plugin_server.shedding import Shedding
from plugin_server.tls import Certificates
from plugin_server.traffic import methods

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from plugin_server.http.server import HttpServer

log = logging.getLogger(__name__)

ADDRESS = "127.0.0.1:50051"
#: Serve without Search.
NOTHING = Source()
#: Limits of requests, and no doors locked.
DEFAULT = ServerSettings()
#: Milliseconds: clients that are gone without a word are noticed; those that ask whether we are there are borne with.
PINGS = [
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
]
STOPPING = (signal.SIGTERM, signal.SIGINT)


class Server:
    """A running server; made by `start`.

    Attributes:
        address: host and port that gRPC is bound to, the port never 0.
        http_address: the same for HTTP; empty without it.
        certificates: of both ports; None without TLS.
    """

    def __init__(
        self,
        server: grpc.aio.Server,
        health: Health,
        core: Core,
        backend: Backend,
        address: str,
        metrics: Metrics,
        http: HttpServer | None = None,
        certificates: Certificates | None = None,
    ) -> None:
        self.address = address
        self.http_address = http.address if http else ""
        self.certificates = certificates
        self._server = server
        self._health = health
        self._core = core
        self._backend = backend
        self._metrics = metrics
        self._http = http

    @classmethod
    async def start(
        cls,
        reranker: Reranker,
        address: str = ADDRESS,
        source: Source = NOTHING,
        settings: ServerSettings = DEFAULT,
        http_address: str = "",
    ) -> Server:
        """A server that answers calls, on the running event loop.

        Args:
            address: ``host:port``, port 0 for a free one; ``[::]:50051`` for every interface.
            source: for Search; over HTTP an engine is also behind a gateway.
            settings: what is taken on.
            http_address: ``host:port`` for HTTP, as `address`; empty for none.

        Raises:
            InvalidField: an address cannot be bound, or not without TLS; certificates or keys cannot be used; or the
                engine's client cannot be made.
        """
        check_listening("address", address, settings)
        if http_address:
            check_listening("http address", http_address, settings)
        most = settings.max_request_bytes
        metrics = Metrics(reranker.manifest.fingerprint)
        metrics.grpc.expect(methods(pb, tei_v1_pb2))
        certificates = Certificates.of(settings)
        if certificates:
            metrics.certificate(lambda: certificates.expires)
        keyring = Keyring(settings.api_keys, metrics) if settings.api_keys else None
        seen = Interceptor(metrics.grpc, methods(pb, tei_v1_pb2, health_pb2, reflection_pb2))
        core = Core(metrics.watched(reranker), settings.bounds, metrics)
        shedding = Shedding(core.admission, service.COMPUTED | tei.COMPUTED)
        interceptors = [seen, *([Guard(keyring)] if keyring else []), shedding, Decoding()]
        server = grpc.aio.server(interceptors=interceptors, options=_options(settings))
        metrics.queue(core.admission)
        backend = Backend.open(source, core, most)
        pb_grpc.add_SimgateServicer_to_server(Service(core, backend, most, settings.deadline), server)
        tei_v1_pb2_grpc.add_RerankServicer_to_server(tei.TeiService(core, settings.deadline), server)
        checks = Health([NAME, tei.NAME])
        checks.add_to(server)
        reflection.enable_server_reflection((NAME, tei.NAME, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
        bound = _bind(server, address, certificates)
        core.shadow = Shadow.open(settings, metrics)
        http = None
        if http_address:
            from plugin_server.http.access import Access  # FastAPI is not needed without HTTP
            from plugin_server.http.app import app, paths
            from plugin_server.http.entry import Entry
            from plugin_server.http.guard import Guard as HttpGuard
            from plugin_server.http.server import HttpServer

            application = app(core, metrics, lambda: checks.serving, most, backend)
            entry: ASGIApp = Entry(application, core, settings.deadline)
            if keyring:
                entry = HttpGuard(entry, application, keyring, backend.gateway)
            context = certificates.context() if certificates else None
            http = await HttpServer.start(Access(entry, metrics.http, paths(application)), http_address, context)
        await server.start()
        return cls(server, checks, core, backend, bound, metrics, http, certificates)

    async def reload(self, load: Callable[[], Reranker]) -> Reranker:
        """The reranker that serves requests that begin from now on; those that run keep theirs.

        Args:
            load: makes it; called on a thread.

        Raises:
            SimgateError: it cannot be loaded, does not work, or did not make the index; the old one stays.
        """
        loaded = await asyncio.to_thread(load)
        await asyncio.to_thread(loaded.verify, "a red car", "a car that is red")
        self._backend.check(loaded)
        self._core.replace(self._metrics.watched(loaded))
        return loaded

    async def stop(self, grace: float = DEFAULT.grace, delay: float = 0.0) -> None:
        """Nothing; new calls were refused at once, running ones were let finish for at most `grace` seconds.

        Args:
            delay: seconds in which calls are still taken, while health checks say already that they should not come.
        """
        self._health.close()
        await asyncio.sleep(delay)
        await asyncio.gather(self._server.stop(grace), *([self._http.stop(grace)] if self._http else []))
        await self._backend.close()
        if self._core.shadow:
            await self._core.shadow.close()
        self._core.close()


async def serve(
    reranker: Reranker,
    address: str = ADDRESS,
    source: Source = NOTHING,
    settings: ServerSettings = DEFAULT,
    ready: Callable[[Server], None] | None = None,
    http_address: str = "",
    load: Callable[[], Reranker] | None = None,
) -> None:
    """Nothing, after SIGTERM or SIGINT and the calls that were running then.

    Args:
        address, source, settings, http_address: as `Server.start`.
        ready: called with the server, which knows its addresses, once calls are answered.
        load: makes the reranker anew when SIGHUP comes; without it that ends the process, as ever.

    Raises:
        InvalidField: an address cannot be bound.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOPPING:
        loop.add_signal_handler(number, stopping.set)
    try:
        server = await Server.start(reranker, address, source, settings, http_address)
        addresses = " and ".join(filter(None, (server.address, server.http_address)))
        reloading = Reloading(partial(server.reload, load)) if load else None
        if reloading:
            loop.add_signal_handler(signal.SIGHUP, reloading.ask)
        if ready:
            ready(server)
        log.info("listening on %s, bundle %s", addresses, reranker.manifest.fingerprint)
        await stopping.wait()
        log.info("stopping, up to %g s for running calls", settings.grace)
        await server.stop(settings.grace, settings.drain_delay)
    finally:
        for number in (*STOPPING, signal.SIGHUP):
            loop.remove_signal_handler(number)


def _options(settings: ServerSettings) -> list[tuple[str, int]]:
    """gRPC's options for a server."""
    age = round(1000 * settings.max_connection_age)
    ends = [("grpc.max_connection_age_ms", age), ("grpc.max_connection_age_grace_ms", round(1000 * settings.deadline))]
    return [
        ("grpc.max_receive_message_length", settings.max_request_bytes),
        ("grpc.max_send_message_length", settings.max_request_bytes),
        ("grpc.so_reuseport", 0),  # a second server on the port fails, and does not share its calls
        *PINGS,
        *(ends if age else []),
    ]


def _bind(server: grpc.aio.Server, address: str, certificates: Certificates | None) -> str:
    """The address with the port that was bound."""
    try:
        if certificates:
            port = server.add_secure_port(address, certificates.credentials())
        else:
            port = server.add_insecure_port(address)
    except RuntimeError:
        port = 0
    if not port:
        but = ", and a certificate that gRPC can use (RSA, ECDSA P-256 or P-384)" if certificates else ""
        fix = f"give host:port of this machine with a free port{but}"
        raise InvalidField(f"address: {address!r} cannot be bound: {fix}")
    return f"{address.rpartition(':')[0]}:{port}"
