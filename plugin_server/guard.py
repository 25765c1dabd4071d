"""The guard before every gRPC call: who has no key, or has used up its share, goes no further."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from grpc_health.v1 import health

from plugin_server.errors import SimgateError
from plugin_server.keyring import Keyring, key_in
from plugin_server.service import abort

#: Calls that need no key.
OPEN = f"/{health.SERVICE_NAME}/"


class Guard(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in its stubs alone
    """An interceptor of every call, whatever it streams; health checks pass.

    Args:
        keyring: knows who may come in.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any) -> Any:
        """What answers the call; for who may not come in it reads nothing of the request."""
        if handler_call_details.method.startswith(OPEN):
            return await continuation(handler_call_details)
        try:
            self._keyring.admit(key_in(map(_raw, handler_call_details.invocation_metadata)))
        except SimgateError as error:
            return refusal(error)
        return await continuation(handler_call_details)


def refusal(error: Exception) -> Any:
    """What ends a call with an error; streaming on both sides, it waits for no message, and fits all calls."""

    async def refuse(requests: Any, context: Any) -> None:
        await abort(context, error)

    return grpc.stream_stream_rpc_method_handler(refuse)


def _raw(item: tuple[str, str | bytes]) -> tuple[bytes, bytes]:
    name, value = item
    return name.encode(), value if isinstance(value, bytes) else value.encode()
