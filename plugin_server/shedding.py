"""Before every gRPC call: what would be sent away once it was read is sent away unread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container
from typing import Any

import grpc

from plugin_server.admission import Admission
from plugin_server.errors import Overloaded
from plugin_server.guard import refusal


class Shedding(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in its stubs alone
    """An interceptor; where more comes than can be done, reading costs more than saying so.

    Args:
        admission: knows whether there is room.
        computed: the methods that are nothing but a computation, with their services: ``/package.Service/Method``.
    """

    def __init__(self, admission: Admission, computed: Container[str]) -> None:
        self._admission = admission
        self._computed = computed

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], details: Any) -> Any:
        """What answers the call."""
        if details.method in self._computed:
            try:
                self._admission.check()
            except Overloaded as error:
                return refusal(error)
        return await continuation(details)
