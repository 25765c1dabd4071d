"""An ASGI app served over real HTTP, on a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def serving(app: Any, **options: Any) -> Iterator[str]:
    """The app's address, ``http://127.0.0.1:port``, until the end of the block."""
    quiet = {"log_level": "critical", "server_header": False, "date_header": False}
    config = uvicorn.Config(app, ws="none", timeout_graceful_shutdown=1, **quiet, **options)
    server = uvicorn.Server(config)
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:  # else asyncio leaves Nagle on, and replies take 40 ms
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()
