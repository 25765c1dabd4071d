"""A second host, which nothing that is sent to simgate may make it contact."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Stranger:
    """A listening socket on another address than the engine's; `seen` is what was sent to it."""

    host: str
    seen: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.host}"


@contextmanager
def stranger() -> Iterator[Stranger]:
    """The second host, on 127.0.0.2, until the end of the block; whatever connects gets an engine's answer."""
    with socket.create_server(("127.0.0.2", 0)) as listener:
        found = Stranger(f"127.0.0.2:{listener.getsockname()[1]}")

        def serve() -> None:
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(1)
                    asked = connection.recv(65536)
                    if asked == b"stop":
                        return
                    found.seen.append(asked)
                    body = b'{"took":1,"hits":{"hits":[]}}'
                    head = b"HTTP/1.1 200 OK\r\nX-elastic-product: Elasticsearch\r\nContent-Type: application/json\r\n"
                    connection.sendall(head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield found
        finally:
            with socket.create_connection(listener.getsockname()) as last:
                last.sendall(b"stop")
            thread.join(10)
