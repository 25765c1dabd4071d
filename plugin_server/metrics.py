"""What Prometheus reads: verdicts, why some could not be given, and blobs by the bundle that made them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from plugin_server.bundle import PROFILES
from plugin_server.errors import (
    BlobMalformed,
    BlobOfOtherBundle,
    EmptyText,
    InvalidText,
    MaxsimOnly,
    OverLimit,
    SimgateError,
    Unreached,
)
from plugin_server.gather import Gathered
from plugin_server.verdict import Outcome, Verdict

log = logging.getLogger(__name__)

#: Names of what makes a candidate unverified; any other fault is a failure of ours.
CAUSES: dict[type[SimgateError], str] = {
    Unreached: "unreached",
    MaxsimOnly: "light",
    EmptyText: "empty",
    InvalidText: "invalid_text",
    OverLimit: "over_limit",
    BlobMalformed: "malformed_blob",
    BlobOfOtherBundle: "other_bundle",
}
FAILURE = "failure"
#: Bounds of the histogram of waits, seconds.
WAITS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Bundles that are warned of, each once; more would be noise.
MAX_WARNINGS = 20


class Metrics:
    """Counters with a registry of their own; `observe` is what `Reranker.observed` takes.

    Args:
        fingerprint: of the bundle that is loaded.
        previous: of the one that is read beside it; empty for none.

    Example:
        >>> from plugin_server import Reranker
        >>> reranker = Reranker.load()
        >>> metrics = Metrics(reranker.manifest.fingerprint)
        >>> ranking = reranker.observed(metrics.observe).rerank("a red car", ["a car that is red"])
        >>> 'simgate_verdicts_total{outcome="accepted",profile="passages"} 1.0' in metrics.text().decode()
        True
    """

    def __init__(self, fingerprint: str, previous: str = "") -> None:
        self.fingerprint = fingerprint
        self.previous = previous
        self.registry = CollectorRegistry()
        self._verdicts = Counter(
            "simgate_verdicts", "Candidates by what was said of them.", ["profile", "outcome"], registry=self.registry
        )
        self._unverified = Counter(
            "simgate_unverified", "Candidates that could not be read, by cause.", ["cause"], registry=self.registry
        )
        self._blobs = Counter(
            "simgate_blobs",
            "Candidates by their blob: of the bundle loaded, of the one before, of another, malformed, or none.",
            ["bundle"],
            registry=self.registry,
        )
        self._waits = Histogram(
            "simgate_queue_seconds",
            "Seconds that requests waited before they were computed.",
            buckets=WAITS,
            registry=self.registry,
        )
        self._shed = Counter(
            "simgate_shed", "Requests that were sent away, by cause.", ["cause"], registry=self.registry
        )
        self._warned: set[str] = set()
        self._lock = Lock()
        self._begin()

    def loaded(self, fingerprint: str, previous: str = "") -> None:
        """Nothing; these are the bundles from now on."""
        self.fingerprint, self.previous = fingerprint, previous

    def observe(self, documents: Sequence[Gathered], verdicts: Sequence[Verdict]) -> None:
        """Nothing; the verdicts on the documents are counted, and a bundle whose blobs cannot be used is warned of."""
        for document, verdict in zip(documents, verdicts, strict=True):
            self._verdicts.labels(verdict.profile, verdict.outcome.value).inc()
            if verdict.outcome is Outcome.UNVERIFIED:
                self._unverified.labels(_cause(document.fault)).inc()
            if document.malformed:
                self._blobs.labels("malformed").inc()
            elif document.fingerprint == self.fingerprint:
                self._blobs.labels("loaded").inc()
            elif document.fingerprint and document.fingerprint == self.previous:
                self._blobs.labels("previous").inc()
            elif document.fingerprint:
                self._blobs.labels("other").inc()
                self._warn(document.fingerprint)
            else:
                self._blobs.labels("none").inc()

    def waited(self, seconds: float) -> None:
        """Nothing; a request was begun after so many seconds in the queue."""
        self._waits.observe(seconds)

    def shed(self, cause: str) -> None:
        """Nothing; a request was sent away."""
        self._shed.labels(cause).inc()

    def text(self) -> bytes:
        """Every counter in Prometheus' text format, media type `prometheus_client.CONTENT_TYPE_LATEST`."""
        return generate_latest(self.registry)

    def _begin(self) -> None:
        """Nothing; every series begins at 0, so that its first increase is seen."""
        for profile in PROFILES:
            for outcome in Outcome:
                self._verdicts.labels(profile, outcome.value)
        for cause in (*CAUSES.values(), FAILURE):
            self._unverified.labels(cause)
        for cause in ("queue_full", "queue_wait", "rate_limited", "unauthenticated"):
            self._shed.labels(cause)
        for bundle in ("loaded", "previous", "other", "malformed", "none"):
            self._blobs.labels(bundle)

    def _warn(self, fingerprint: str) -> None:
        """Nothing; the log names each other bundle once."""
        with self._lock:
            if fingerprint in self._warned or len(self._warned) >= MAX_WARNINGS:
                return
            self._warned.add(fingerprint)
        log.warning(
            "token blobs of bundle %s arrive, but bundle %s is loaded: their texts are encoded, or they stay "
            "unverified: index those documents again, or serve bundle %s",
            fingerprint,
            self.fingerprint,
            fingerprint,
        )


def _cause(fault: SimgateError | None) -> str:
    """The name of a fault."""
    return next((name for kind, name in CAUSES.items() if isinstance(fault, kind)), FAILURE)
