"""What Prometheus reads: verdicts, why some could not be given, blobs by their bundle, waits, and the process."""

from __future__ import annotations

import logging
from collections import Counter as Totals
from collections.abc import Callable, Sequence
from importlib.metadata import version
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from plugin_server.bundle import PROFILES
from plugin_server.choices import Policy
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
from plugin_server.readings import Queue, Readings
from plugin_server.reranker import Reranker
from plugin_server.traffic import GrpcTraffic, HttpTraffic
from plugin_server.verdict import Outcome, Verdict
from plugin_server.visit import current

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
#: Stands for the policy where there is none, as in Verify.
NO_POLICY = "none"
#: Bounds of the histograms: seconds in the queue and for a batch, pairs or windows of a batch, probabilities.
WAITS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCH_WAITS = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
PROBABILITIES = tuple(round(step / 20, 2) for step in range(1, 21))
#: Other bundles that are told apart and warned of, each once; more would be noise.
MAX_WARNINGS = 20


class Metrics:
    """Counters with a registry of their own; `observe` is what `Reranker.observed` takes.

    Args:
        fingerprint: of the bundle that is loaded.
        previous: of the one that is read beside it; empty for none.
        name: of the bundle.

    Attributes:
        grpc, http: are told of requests.

    Example:
        >>> from plugin_server import Reranker
        >>> reranker = Reranker.load()
        >>> metrics = Metrics(reranker.manifest.fingerprint)
        >>> ranking = reranker.observed(metrics.observe).rerank("a red car", ["a car that is red"])
        >>> text = metrics.text().decode()
        >>> 'simgate_verdicts_total{outcome="accepted",policy="filter",profile="passages"} 1.0' in text
        True
    """

    def __init__(self, fingerprint: str, previous: str = "", name: str = "") -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.grpc, self.http = GrpcTraffic(self.registry), HttpTraffic(self.registry)
        self._readings = Readings(self.registry)
        self._bundle = Gauge(
            "simgate_bundle_info", "The bundle that is loaded.", ["fingerprint", "name", "version"],
            registry=self.registry,
        )  # fmt: skip
        self._verdicts = self._counter(
            "simgate_verdicts", "Candidates by what was said of them.", "profile", "policy", "outcome"
        )
        self._probability = Histogram(
            "simgate_probability", "Probabilities that candidates hold up.", ["profile"], buckets=PROBABILITIES,
            registry=self.registry,
        )  # fmt: skip
        self._unverified = self._counter("simgate_unverified", "Candidates that could not be read, by cause.", "cause")
        self._blobs = self._counter(
            "simgate_blobs",
            "Candidates by their blob: of the bundle loaded, of the one before, of another, malformed, or none.",
            "bundle",
        )
        self._fingerprints = self._counter(
            "simgate_blob_fingerprints",
            f"Blobs by the fingerprint of the bundle that made them; beyond {MAX_WARNINGS} others it is other.",
            "fingerprint",
        )
        self._waits = self._histogram("simgate_queue_seconds", "Seconds that requests waited for a thread.", WAITS)
        self._shed = self._counter("simgate_shed", "Requests that were sent away, by cause.", "cause")
        self._pairs = self._histogram("simgate_batch_pairs", "Pairs of one run of the verifier.", SIZES)
        self._windows = self._histogram("simgate_batch_windows", "Windows of one run of the encoder.", SIZES)
        self._batch_waits = self._histogram(
            "simgate_batch_wait_seconds", "Seconds that pairs or windows waited for a run.", BATCH_WAITS, "graph"
        )
        self._shadowed = self._counter(
            "simgate_shadow", "Requests in shadow mode, by what became of their record.", "fate"
        )
        self._others: set[str] = set()
        self._lock = Lock()
        self._begin()
        self.loaded(fingerprint, previous, name)

    def watched(self, reranker: Reranker) -> Reranker:
        """The reranker with all that it does counted here; its bundle is the loaded one from now on."""
        previous = reranker.previous.manifest.fingerprint if reranker.previous else ""
        self.loaded(reranker.manifest.fingerprint, previous, reranker.manifest.name)
        self._readings.cache = reranker.encoder.cache
        for one in filter(None, (reranker, reranker.previous)):
            one.verifier.batcher.watch = self.batch
            one.encoder.windows.batcher.watch = self.encoded
        return reranker.observed(self.observe)

    def loaded(self, fingerprint: str, previous: str = "", name: str = "") -> None:
        """Nothing; these are the bundles from now on."""
        self.fingerprint = fingerprint
        self.previous = previous
        self._bundle.clear()
        self._bundle.labels(fingerprint, name, version("simgate")).set(1)
        for known in filter(None, (fingerprint, previous)):
            self._fingerprints.labels(known)

    def observe(self, documents: Sequence[Gathered], verdicts: Sequence[Verdict], policy: str = "") -> None:
        """Nothing; the verdicts on the documents are counted, and a bundle whose blobs cannot be used is warned of."""
        if visit := current():
            visit.candidates += len(documents)
        # a series is looked up once a request, not once a candidate
        for (profile, outcome), count in Totals((item.profile, item.outcome) for item in verdicts).items():
            self._verdicts.labels(profile, policy or NO_POLICY, outcome.value).inc(count)
        for profile in {item.profile for item in verdicts}:
            told = self._probability.labels(profile).observe
            for verdict in verdicts:
                if verdict.probability is not None and verdict.profile == profile:
                    told(verdict.probability)
        joined = zip(documents, verdicts, strict=True)
        unread = (document.fault for document, verdict in joined if verdict.outcome is Outcome.UNVERIFIED)
        for cause, count in Totals(map(cause_of, unread)).items():
            self._unverified.labels(cause).inc(count)
        for maker, count in Totals(map(self._maker, documents)).items():
            self._blobs.labels(maker).inc(count)
        for fingerprint, count in Totals(item.fingerprint for item in documents if item.fingerprint).items():
            self._fingerprints.labels(self._named(fingerprint)).inc(count)

    def waited(self, seconds: float) -> None:
        """Nothing; a request was begun after so many seconds in the queue."""
        self._waits.observe(seconds)

    def shed(self, cause: str) -> None:
        """Nothing; a request was sent away."""
        self._shed.labels(cause).inc()

    def batch(self, pairs: int, waited: float) -> None:
        """Nothing; so many pairs went through the verifier together, the first of them after so many seconds."""
        self._pairs.observe(pairs)
        self._batch_waits.labels("verifier").observe(waited)

    def encoded(self, windows: int, waited: float) -> None:
        """Nothing; so many windows went through the encoder together, the first of them after so many seconds."""
        self._windows.observe(windows)
        self._batch_waits.labels("encoder").observe(waited)

    def queue(self, queue: Queue) -> None:
        """Nothing; how much runs and waits there is told with every scrape."""
        self._readings.queue = queue

    def certificate(self, expires: Callable[[], float]) -> None:
        """Nothing; when the server's certificate expires, seconds since 1970, is told with every scrape."""
        self._readings.expires = expires

    def shadowed(self, fate: str) -> None:
        """Nothing; a request of shadow mode was recorded, or not."""
        self._shadowed.labels(fate).inc()

    def text(self) -> bytes:
        """Every counter in Prometheus' text format, media type `prometheus_client.CONTENT_TYPE_LATEST`."""
        return generate_latest(self.registry)

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(name, words, labels, registry=self.registry)

    def _histogram(self, name: str, words: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(name, words, labels, buckets=buckets, registry=self.registry)

    def _begin(self) -> None:
        """Nothing; every series begins at 0, so that its first increase is seen."""
        for profile in PROFILES:
            self._probability.labels(profile)
            for policy in (*Policy, NO_POLICY):
                for outcome in Outcome:
                    self._verdicts.labels(profile, str(policy), outcome.value)
        for cause in (*CAUSES.values(), FAILURE):
            self._unverified.labels(cause)
        for cause in ("queue_full", "queue_wait", "overload", "rate_limited", "unauthenticated"):
            self._shed.labels(cause)
        for graph in ("encoder", "verifier"):
            self._batch_waits.labels(graph)
        for fate in ("recorded", "busy", "disk", "failed", "stopping"):
            self._shadowed.labels(fate)
        for bundle in ("loaded", "previous", "other", "malformed", "none"):
            self._blobs.labels(bundle)

    def _maker(self, document: Gathered) -> str:
        """What made a document's blob."""
        if document.malformed:
            return "malformed"
        if not document.fingerprint:
            return "none"
        if document.fingerprint == self.fingerprint:
            return "loaded"
        return "previous" if document.fingerprint == self.previous else "other"

    def _named(self, fingerprint: str) -> str:
        """The fingerprint as it is told; the log names each other bundle once."""
        if fingerprint in (self.fingerprint, self.previous):
            return fingerprint
        with self._lock:
            new = fingerprint not in self._others
            if new and len(self._others) >= MAX_WARNINGS:
                return "other"
            self._others.add(fingerprint)
        if new:
            log.warning(
                "token blobs of bundle %s arrive, but bundle %s is loaded: their texts are encoded, or they stay "
                "unverified: index those documents again, or serve bundle %s",
                fingerprint,
                self.fingerprint,
                fingerprint,
            )
        return fingerprint


def cause_of(fault: SimgateError | None) -> str:
    """The name of what makes a candidate unverified.

    Example:
        >>> cause_of(EmptyText("query")), cause_of(None)
        ('empty', 'failure')
    """
    return next((name for kind, name in CAUSES.items() if isinstance(fault, kind)), FAILURE)
