"""The one table from simgate's errors to gRPC and HTTP codes."""

from __future__ import annotations

import logging
from http import HTTPStatus
from math import ceil

import grpc

from plugin_server.errors import (
    BlobOfOtherBundle,
    BodyTooSlow,
    BundleError,
    CalibrationError,
    CallerGone,
    DeadlinePassed,
    EngineBusy,
    EngineDenied,
    EngineError,
    EngineMissing,
    EngineNotReady,
    EngineRefused,
    EngineTimeout,
    IndexFailure,
    IndexMissing,
    InvalidRequest,
    LayoutError,
    Overloaded,
    TooLarge,
    Unauthenticated,
    VerificationFailed,
)

log = logging.getLogger(__name__)

#: The nearest class in an error's ancestry counts. A limit is INVALID_ARGUMENT and not RESOURCE_EXHAUSTED, which
#: clients take for overload and send again; FAILED_PRECONDITION says that something else must be mended first.
TABLE: dict[type[BaseException], tuple[grpc.StatusCode, HTTPStatus]] = {
    InvalidRequest: (grpc.StatusCode.INVALID_ARGUMENT, HTTPStatus.BAD_REQUEST),
    TooLarge: (grpc.StatusCode.INVALID_ARGUMENT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    BlobOfOtherBundle: (grpc.StatusCode.FAILED_PRECONDITION, HTTPStatus.CONFLICT),
    BundleError: (grpc.StatusCode.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE),
    CalibrationError: (grpc.StatusCode.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE),
    IndexFailure: (grpc.StatusCode.FAILED_PRECONDITION, HTTPStatus.CONFLICT),
    IndexMissing: (grpc.StatusCode.FAILED_PRECONDITION, HTTPStatus.NOT_FOUND),
    VerificationFailed: (grpc.StatusCode.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE),
    EngineError: (grpc.StatusCode.UNAVAILABLE, HTTPStatus.BAD_GATEWAY),
    EngineNotReady: (grpc.StatusCode.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE),
    EngineTimeout: (grpc.StatusCode.DEADLINE_EXCEEDED, HTTPStatus.GATEWAY_TIMEOUT),
    EngineBusy: (grpc.StatusCode.RESOURCE_EXHAUSTED, HTTPStatus.TOO_MANY_REQUESTS),
    EngineDenied: (grpc.StatusCode.PERMISSION_DENIED, HTTPStatus.FORBIDDEN),
    EngineRefused: (grpc.StatusCode.INVALID_ARGUMENT, HTTPStatus.BAD_REQUEST),
    EngineMissing: (grpc.StatusCode.NOT_FOUND, HTTPStatus.NOT_FOUND),
    Overloaded: (grpc.StatusCode.RESOURCE_EXHAUSTED, HTTPStatus.TOO_MANY_REQUESTS),
    Unauthenticated: (grpc.StatusCode.UNAUTHENTICATED, HTTPStatus.UNAUTHORIZED),
    DeadlinePassed: (grpc.StatusCode.DEADLINE_EXCEEDED, HTTPStatus.GATEWAY_TIMEOUT),
    BodyTooSlow: (grpc.StatusCode.DEADLINE_EXCEEDED, HTTPStatus.REQUEST_TIMEOUT),
    CallerGone: (grpc.StatusCode.CANCELLED, HTTPStatus.BAD_REQUEST),
    LayoutError: (grpc.StatusCode.FAILED_PRECONDITION, HTTPStatus.CONFLICT),
}
UNFORESEEN = (grpc.StatusCode.INTERNAL, HTTPStatus.INTERNAL_SERVER_ERROR)
#: Characters of a sentence: percent-encoded they must fit the 8 KiB that gRPC's clients take of headers.
LONGEST = 600
#: What a caller reads of an error that is not in the table.
UNFORESEEN_MESSAGE = "internal error: the server's log has the traceback"


def grpc_status(error: BaseException) -> grpc.StatusCode:
    """The gRPC code of an error; INTERNAL for one that is not simgate's.

    Example:
        >>> from plugin_server.errors import EmptyText
        >>> grpc_status(EmptyText("query")).name, grpc_status(KeyError("secret")).name
        ('INVALID_ARGUMENT', 'INTERNAL')
    """
    return _row(error)[0]


def http_status(error: BaseException) -> int:
    """The HTTP code of an error; 500 for one that is not simgate's.

    Example:
        >>> from plugin_server.errors import EmptyText
        >>> http_status(EmptyText("query")), http_status(KeyError("secret"))
        (400, 500)
    """
    return _row(error)[1].value


def message(error: BaseException) -> str:
    """What the caller may read of an error: its sentence, or nothing of the inside if it is not simgate's.

    The latter is logged with its traceback. A sentence that quotes much of what was sent is cut, because gRPC sends it
    as a header, and half a surrogate pair becomes ``?``.
    """
    if _row(error) is not UNFORESEEN:
        words = str(error).encode("utf-8", "replace").decode()
        return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"
    log.error("unforeseen error", exc_info=error)
    return UNFORESEEN_MESSAGE


def retry_after(error: Exception) -> dict[str, str]:
    """The header that says when to send a request again, if it is worth trying: whole seconds, as HTTP has them.

    Example:
        >>> retry_after(Overloaded(64, 0.25)), retry_after(ValueError())
        ({'retry-after': '1'}, {})
    """
    return {"retry-after": str(ceil(error.retry_after))} if isinstance(error, Overloaded) else {}


def headers(error: Exception) -> dict[str, str]:
    """The headers that belong to an error's status.

    Example:
        >>> headers(Unauthenticated())
        {'www-authenticate': 'Bearer'}
    """
    found = retry_after(error)
    if isinstance(error, Unauthenticated):
        found["www-authenticate"] = "Bearer"
    if isinstance(error, BodyTooSlow):
        found["connection"] = "close"  # its rest would be read as the next request
    return found


def _row(error: BaseException) -> tuple[grpc.StatusCode, HTTPStatus]:
    return next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), UNFORESEEN)
