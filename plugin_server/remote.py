"""Errors that a client meets: what the server answered, or that it did not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc

from plugin_server.errors import SimgateError


class RemoteError(SimgateError):
    """A call failed; every other class here says how.

    Attributes:
        code: the gRPC status code; this very class stands for the codes without a class of their own.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message or f"the server answered {code.name} without a message")
        self.code = code


class RemoteInvalidRequest(RemoteError):
    """The request cannot be served; sending it again changes nothing. The message names the field."""


class RemoteNotReady(RemoteError):
    """Something must be mended first: a token blob of another bundle, or no index to search."""


class RemoteTooLarge(RemoteError):
    """A message is larger than the server or the client takes: send fewer or shorter texts at a time."""


class RemoteTimeout(RemoteError):
    """No answer within the client's timeout."""


class RemoteUnavailable(RemoteError):
    """Nobody answers at the address, or the server is stopping: try again, or elsewhere."""


class RemoteUnauthenticated(RemoteError):
    """The server wants an API key, another one than was given."""


class RemoteOverloaded(RemoteError):
    """The server has too much to do, or the key's share is used up: send the request again later.

    Attributes:
        retry_after: seconds after which it is worth trying.
    """

    def __init__(self, code: grpc.StatusCode, message: str, retry_after: float) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class RemoteFault(RemoteError):
    """The server failed; its log has the traceback."""


#: Milliseconds after which a call that was sent away may come again (gRPC proposal A6).
PUSHBACK = "grpc-retry-pushback-ms"
KINDS = {
    grpc.StatusCode.INVALID_ARGUMENT: RemoteInvalidRequest,
    grpc.StatusCode.FAILED_PRECONDITION: RemoteNotReady,
    grpc.StatusCode.RESOURCE_EXHAUSTED: RemoteTooLarge,
    grpc.StatusCode.DEADLINE_EXCEEDED: RemoteTimeout,
    grpc.StatusCode.UNAUTHENTICATED: RemoteUnauthenticated,
    grpc.StatusCode.UNAVAILABLE: RemoteUnavailable,
    grpc.StatusCode.INTERNAL: RemoteFault,
}


def remote_error(code: grpc.StatusCode, message: str, trailing: Iterable[Any] = ()) -> RemoteError:
    """The error for a status code and the server's message.

    Args:
        trailing: metadata, as pairs of name and value.

    Example:
        >>> remote_error(grpc.StatusCode.INVALID_ARGUMENT, "query: holds no words")
        RemoteInvalidRequest('query: holds no words')
    """
    hint = next((value for name, value in trailing if name == PUSHBACK), "")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and str(hint).isdigit():
        return RemoteOverloaded(code, message, int(hint) / 1000)
    return KINDS.get(code, RemoteError)(code, message)
