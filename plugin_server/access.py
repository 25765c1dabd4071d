"""One line of the log for each request: what it was, how it ended, and how long it took."""

from __future__ import annotations

import logging

from plugin_server.caller import caller
from plugin_server.visit import Visit

log = logging.getLogger(__name__)

#: What orchestrators and Prometheus ask.
PROBES = {"/livez", "/readyz", "/metrics"}
PROBING = ("grpc.health.v1.Health/", "grpc.reflection.")


def probes(route: str) -> bool:
    """Whether a route is one that is asked again and again; it is not traced, and logged at level debug only.

    Example:
        >>> probes("/livez"), probes("grpc.health.v1.Health/Check"), probes("/v2/rerank")
        (True, True, False)
    """
    return route in PROBES or route.startswith(PROBING)


def tell(visit: Visit, route: str, code: str, seconds: float) -> None:
    """Nothing; the line is logged.

    Args:
        route: a template or the name of a method, never what a caller wrote.
        code: the status, as the way in has them.
    """
    level = logging.DEBUG if probes(route) else logging.INFO
    if not log.isEnabledFor(level):
        return
    fields = {
        "way": visit.way,
        "route": route,
        "code": code,
        "milliseconds": round(1000 * seconds, 3),
        "candidates": visit.candidates or "",
        "key": caller(),
    }
    known = {name: value for name, value in fields.items() if value != ""}
    log.log(level, "request: %s", " ".join(f"{name}={value}" for name, value in known.items()), extra={"fields": known})
