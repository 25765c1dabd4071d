"""The guard before every HTTP request: who has no key, or has used up its share, goes no further."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from plugin_server.errors import SimgateError
from plugin_server.gateway.app import Gateway
from plugin_server.http.fault import answer, as_message, as_tei
from plugin_server.keyring import Keyring, key_in

#: What orchestrators ask needs no key.
OPEN = {("GET", "/livez"), ("GET", "/readyz")}
TEI = ("POST", "/rerank")


class Guard:
    """An application whose requests need a key: ``x-api-key``, or a bearer token.

    What no door takes goes to the gateway, where ``Authorization`` is the engine's and the answers have its form.

    Args:
        app: answers who may come in.
        doors: tells which requests its doors take.
        keyring: knows who may come in.
        gateway: behind the doors; None without.
    """

    def __init__(self, app: ASGIApp, doors: FastAPI, keyring: Keyring, gateway: Gateway | None = None) -> None:
        self._app = app
        self._doors = doors_of(doors)
        self._keyring = keyring
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        asked = (scope.get("method", ""), scope.get("path", ""))
        if scope["type"] == "lifespan" or asked in OPEN:
            await self._app(scope, receive, send)
            return
        behind = self._gateway if asked not in self._doors else None
        try:
            self._keyring.admit(key_in(scope["headers"], bearer=behind is None))
        except SimgateError as error:
            if behind:
                await behind.refuse(error, send)
            else:
                await answer(error, as_tei if asked == TEI else as_message)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def doors_of(app: FastAPI) -> set[tuple[str, str]]:
    """Method and path of every door, its description's included.

    Example:
        >>> sorted(doors_of(FastAPI()))
        [('GET', '/openapi.json')]
    """
    described = {(method.upper(), path) for path, item in app.openapi()["paths"].items() for method in item}
    return {*described, ("GET", app.openapi_url or "")}
