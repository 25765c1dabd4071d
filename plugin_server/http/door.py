"""A route whose body has a limit and whose errors are answered in the form that its clients know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from plugin_server.errors import TooLarge
from plugin_server.http.fault import Form, answer, as_message, as_tei
from plugin_server.job import arrived

#: The caller left before there was an answer; nginx's number for it, which nobody but the metrics reads.
GONE = 499


class LimitedRequest(Request):
    """A request of which no more is read than the app's `max_body_bytes`."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The pieces of the body.

        Raises:
            TooLarge: there are more bytes than the limit, by its header or by what has arrived.
        """
        limit: int = self.app.state.max_body_bytes
        announced = self.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > limit:
            raise TooLarge(limit)
        size = 0
        async for piece in super().stream():
            size += len(piece)
            if size > limit:
                raise TooLarge(limit)
            yield piece


class Door(APIRoute):
    """A route in Cohere's form."""

    form: Form = staticmethod(as_message)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, behind the limit, with errors as answers."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            limited = LimitedRequest(request.scope, request.receive)
            try:
                await arrived(limited.body())
                return await while_there(handler(limited), limited)
            except ClientDisconnect:  # nobody is there to read an answer
                return Response(status_code=GONE)
            except Exception as error:
                return answer(error, self.form)

        return handle


class TeiDoor(Door):
    """A route in text-embeddings-inference's form."""

    form: Form = staticmethod(as_tei)


async def while_there(answering: Coroutine[Any, Any, Response], request: Request) -> Response:
    """What the handler answers; it is cancelled as soon as the caller is gone.

    Args:
        request: whose body was read to its end.

    Raises:
        ClientDisconnect: the caller is gone.
    """
    work, gone = asyncio.ensure_future(answering), asyncio.ensure_future(left(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        raise ClientDisconnect
    finally:
        work.cancel()
        gone.cancel()


async def left(request: Request) -> None:
    """Nothing, once the caller has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
