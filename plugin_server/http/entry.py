"""Where every HTTP request begins: a request of the core, with a deadline."""

from __future__ import annotations

import math

from starlette.types import ASGIApp, Receive, Scope, Send

from plugin_server.core import Core
from plugin_server.occasion import occurring

#: Milliseconds that the caller will wait, as Envoy and Istio tell it; HTTP itself has no such header.
TIMEOUT = b"x-envoy-expected-rq-timeout-ms"


class Entry:
    """An application each of whose requests is a request of the core, from its beginning to its end.

    Args:
        app: answers.
        core: computes.
        deadline: seconds of a request, at most; the caller's `TIMEOUT` counts if it is shorter.
    """

    def __init__(self, app: ASGIApp, core: Core, deadline: float) -> None:
        self._app = app
        self._core = core
        self._deadline = deadline

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with (
            self._core.request(min(self._deadline, patience(scope))),
            occurring(scope["path"], scope["headers"]),
        ):
            await self._app(scope, receive, send)


def patience(scope: Scope) -> float:
    """Seconds that the caller says it will wait; infinite if it says nothing that can be read.

    Example:
        >>> patience({"headers": [(b"x-envoy-expected-rq-timeout-ms", b"250")]}), patience({"headers": []})
        (0.25, inf)
    """
    given = next((value for name, value in scope["headers"] if name == TIMEOUT), b"")
    return int(given) / 1000 if given.isdigit() and len(given) < 16 else math.inf
