"""Requests as Prometheus counts them, by the names that other servers use for gRPC and HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import grpc
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

#: Bounds of the histograms of durations, seconds: OpenTelemetry's own for HTTP.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
#: Methods of HTTP that are told apart; others are `OTHER`.
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
OTHER = "_OTHER"
#: Codes of gRPC as Go writes them, and with it most dashboards.
CODES = {
    code: {"OK": "OK", "CANCELLED": "Canceled"}.get(code.name) or code.name.title().replace("_", "")
    for code in grpc.StatusCode
}
KINDS = {
    (False, False): "unary",
    (True, False): "client_stream",
    (False, True): "server_stream",
    (True, True): "bidi_stream",
}


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a gRPC service, with the kind that says which of its sides is a stream."""

    service: str
    name: str
    kind: str = "unary"

    @property
    def route(self) -> str:
        """Its name in full."""
        return f"{self.service}/{self.name}"

    @property
    def labels(self) -> tuple[str, str, str]:
        """The values of its labels."""
        return self.kind, self.service, self.name


def methods(*modules: Any) -> list[Method]:
    """The methods of the services in these generated modules."""
    services = [service for module in modules for service in module.DESCRIPTOR.services_by_name.values()]
    return [
        Method(service.full_name, method.name, KINDS[method.client_streaming, method.server_streaming])
        for service in services
        for method in service.methods
    ]


#: Stands for whatever is not served here, as callers may make names up.
UNKNOWN = Method("unknown", "unknown")


class GrpcTraffic:
    """Counts calls as go-grpc-middleware does."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["grpc_type", "grpc_service", "grpc_method"]
        self._started = Counter("grpc_server_started", "Calls that were begun.", labels, registry=registry)
        self._handled = Counter(
            "grpc_server_handled", "Calls that have ended, by code.", [*labels, "grpc_code"], registry=registry
        )
        self._seconds = Histogram(
            "grpc_server_handling_seconds", "Seconds from begin to end.", labels, buckets=SECONDS, registry=registry
        )

    def expect(self, methods: Sequence[Method]) -> None:
        """Nothing; the methods' series begin at 0, so that the first increase is seen."""
        for method, code in product(methods, CODES.values()):
            self._started.labels(*method.labels)
            self._seconds.labels(*method.labels)
            self._handled.labels(*method.labels, code)

    def started(self, method: Method) -> None:
        """Nothing; a call was begun."""
        self._started.labels(*method.labels).inc()

    def handled(self, method: Method, code: grpc.StatusCode, seconds: float) -> None:
        """Nothing; a call has ended."""
        self._handled.labels(*method.labels, CODES[code]).inc()
        self._seconds.labels(*method.labels).observe(seconds)


class HttpTraffic:
    """Counts requests by OpenTelemetry's names, as Prometheus writes them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "http_server_request_duration_seconds",
            "Seconds from begin to end.",
            ["http_request_method", "http_route", "http_response_status_code"],
            buckets=SECONDS,
            registry=registry,
        )
        self._active = Gauge("http_server_active_requests", "Requests now.", ["http_request_method"], registry=registry)
        self._active.labels("POST")

    @contextmanager
    def active(self, method: str) -> Iterator[None]:
        """Nothing; a request runs while the block does."""
        with self._active.labels(method).track_inprogress():
            yield

    def handled(self, method: str, route: str, status: int, seconds: float) -> None:
        """Nothing; a request has ended.

        Args:
            method: one of `METHODS` or `OTHER`.
            route: a template.
            status: 499 if the caller left before there was one.
        """
        self._seconds.labels(method, route, str(status)).observe(seconds)
