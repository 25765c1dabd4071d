"""Figures that are looked up when Prometheus asks: how much runs and waits, and what the cache holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class Queue(Protocol):
    """What admits requests; `plugin_server.admission.Admission` is one."""

    @property
    def running(self) -> int:
        """Requests that are computed now."""

    @property
    def waiting(self) -> int:
        """Requests in the queue."""


class Cache(Protocol):
    """What remembers."""

    @property
    def hits(self) -> int:
        """Found, since the beginning."""

    @property
    def misses(self) -> int:
        """Not found."""

    @property
    def evictions(self) -> int:
        """Thrown out for others."""

    @property
    def bytes(self) -> int:
        """Held now."""


class Readings(Collector):
    """A collector of these figures; 0 where there is nothing to look at.

    Attributes:
        queue, cache: that are looked at.
        expires: when the server's certificate does, seconds since 1970; None without one.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.queue: Queue | None = None
        self.cache: Cache | None = None
        self.expires: Callable[[], float] | None = None
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """The figures, now."""
        queue, cache = self.queue, self.cache
        yield GaugeMetricFamily("simgate_requests_running", "Requests computed now.", queue.running if queue else 0)
        yield GaugeMetricFamily("simgate_requests_waiting", "Requests in the queue.", queue.waiting if queue else 0)
        yield CounterMetricFamily("simgate_cache_hits", "Found in the cache.", cache.hits if cache else 0)
        yield CounterMetricFamily("simgate_cache_misses", "Not found in the cache.", cache.misses if cache else 0)
        yield CounterMetricFamily(
            "simgate_cache_evictions", "Thrown out of the cache for others.", cache.evictions if cache else 0
        )
        yield GaugeMetricFamily("simgate_cache_bytes", "Held by the cache.", cache.bytes if cache else 0)
        if self.expires:
            words = "When the server's certificate expires, seconds since 1970."
            yield GaugeMetricFamily("simgate_certificate_expiry_seconds", words, self.expires())
