"""A real server with both doors, for the targets that send over the wire."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from plugin_server import Reranker
from plugin_server.backend import Source
from plugin_server.engines.settings import EngineSettings
from plugin_server.server import Server
from plugin_server.server_settings import ServerSettings
from plugin_server.settings import Settings

#: Small limits, so that inputs beyond them are small too.
SETTINGS = Settings(threads=1, cache_bytes=4 << 20, max_candidates=200, max_characters=2000)
MAX_BYTES = 1 << 20
BOUNDS = ServerSettings(max_request_bytes=MAX_BYTES)


@cache
def reranker() -> Reranker:
    """The bundle in the package, loaded once."""
    return Reranker.load(SETTINGS)


@contextmanager
def serving(engine_url: str = "", engine: str = "") -> Iterator[Server]:
    """A server until the end of the block, with an engine behind it if there is one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="server", daemon=True)
    thread.start()
    settings = EngineSettings(engine or "opensearch", engine_url, engine_timeout=2.0) if engine_url else None
    source = Source(None, settings, "hills" if engine_url else "")
    start = Server.start(reranker(), "127.0.0.1:0", source, BOUNDS, http_address="127.0.0.1:0")
    try:
        server = asyncio.run_coroutine_threadsafe(start, loop).result(60)
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(0), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
