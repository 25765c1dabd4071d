"""The HTTP server: bound once it exists, on the event loop that is running, drained when it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import ssl
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from plugin_server.errors import InvalidField

ADDRESS = "127.0.0.1:8080"
#: Seconds that an idle connection is kept; engines pool theirs, and one closed under their hands fails a search.
KEEP_ALIVE = 75
#: Seconds between two looks whether uvicorn has started.
TICK = 0.005


class HttpServer:
    """A running server; made by `start`.

    Attributes:
        address: host and port it is bound to, the port never 0.
    """

    def __init__(self, server: Uvicorn, task: asyncio.Task[None], address: str) -> None:
        self.address = address
        self._server = server
        self._task = task

    @classmethod
    async def start(cls, application: ASGIApp, address: str = ADDRESS, tls: ssl.SSLContext | None = None) -> HttpServer:
        """A server that answers requests, on the running event loop.

        Args:
            address: ``host:port``, port 0 for a free one; ``[::]:8080`` for every interface.
            tls: makes every connection; None for plain HTTP.

        Raises:
            InvalidField: the address cannot be bound.
        """
        listening = bind(address)
        config = uvicorn.Config(
            application, log_config=None, access_log=False, lifespan="off", ws="none", timeout_keep_alive=KEEP_ALIVE
        )
        config.load()
        config.ssl = tls  # uvicorn would make one by itself, of files that it reads once
        server = Uvicorn(config)
        bound = f"{address.rpartition(':')[0]}:{listening.getsockname()[1]}"
        task = asyncio.create_task(server.serve(sockets=[listening]))
        while not (server.started or task.done()):
            await asyncio.sleep(TICK)
        return cls(server, task, bound)

    async def stop(self, grace: float) -> None:
        """Nothing; new connections were refused, running requests were let finish for about `grace` seconds."""
        self._server.config.timeout_graceful_shutdown = max(1, math.ceil(grace))
        self._server.should_exit = True
        await self._task


class Uvicorn(uvicorn.Server):
    """uvicorn without its signal handlers: whoever started the server decides when it stops."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


def bind(address: str) -> socket.socket:
    """A socket that listens there.

    Raises:
        InvalidField: it cannot.
    """
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if not host or not 0 <= int(port) <= 65535:
            raise ValueError
        both = family is socket.AF_INET6 and socket.has_dualstack_ipv6()
        made = socket.create_server((host.strip("[]"), int(port)), family=family, dualstack_ipv6=both)
    except (OSError, ValueError):
        message = f"http address: {address!r} cannot be bound: give host:port of this machine with a free port"
        raise InvalidField(message) from None
    # asyncio sends at once, without waiting 40 ms for more (Nagle), only where it sees that a socket is TCP's
    return socket.socket(made.family, made.type, socket.IPPROTO_TCP, made.detach())
