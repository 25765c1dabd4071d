"""An error of simgate's in the form that engines give theirs, so that their clients read it."""

from __future__ import annotations

from typing import Any

from plugin_server.errors import (
    BodyTooSlow,
    DeadlinePassed,
    EngineError,
    EngineTimeout,
    EngineUnavailable,
    IndexDenied,
    InvalidRequest,
    Overloaded,
    RateLimited,
    TooLarge,
    Unauthenticated,
    VerificationFailed,
)
from plugin_server.status import http_status, message

#: The nearest class in an error's ancestry counts.
TYPES: dict[type[BaseException], str] = {
    InvalidRequest: "simgate_invalid_request",
    TooLarge: "simgate_body_too_large",
    VerificationFailed: "simgate_verification_failed",
    Overloaded: "simgate_overloaded",
    RateLimited: "simgate_rate_limited",
    Unauthenticated: "simgate_unauthenticated",
    DeadlinePassed: "simgate_deadline_passed",
    BodyTooSlow: "simgate_body_too_slow",
    EngineError: "simgate_engine_error",
    IndexDenied: "simgate_index_denied",
    EngineTimeout: "simgate_engine_timeout",
    EngineUnavailable: "simgate_engine_unavailable",
}


def fault(error: BaseException) -> dict[str, Any]:
    """The body of an error response; its ``status`` is the response's.

    Example:
        >>> from plugin_server.errors import InvalidField
        >>> said = fault(InvalidField("size: -1 is not a whole number of at least 0"))
        >>> said["status"], said["error"]["type"], said["error"]["reason"]
        (400, 'simgate_invalid_request', 'size: -1 is not a whole number of at least 0')
    """
    kind = next((TYPES[base] for base in type(error).__mro__ if base in TYPES), "simgate_internal_error")
    cause = {"type": kind, "reason": message(error)}
    return {"error": {"root_cause": [cause], **cause}, "status": http_status(error)}
