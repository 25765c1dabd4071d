"""What a server takes on, who may come in, and what is seen of it from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plugin_server.admission import Bounds
from plugin_server.cores import usable_cores
from plugin_server.errors import InvalidField, UnknownChoice
from plugin_server.settings import MAX_REQUEST_BYTES, read_fields

LOG_FORMATS = ("text", "json")
LOG_LEVELS = ("debug", "info", "warning", "error")
TRACING = ("", "otlp")
#: Fields by their lowest and highest value.
RANGES: dict[str, tuple[float, float]] = {
    "max_request_bytes": (1024, 2**31 - 1),
    "max_concurrent": (0, 1024),
    "max_queue": (0, 100_000),
    "max_wait": (0, 3600),
    "deadline": (0.001, 3600),
    "grace": (0, 3600),
    "drain_delay": (0, 3600),
    "max_connection_age": (0, 86400),
    "shadow_bytes": (1024, 2**50),
}


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What can be set for ``simgate serve``, with the defaults; each is ``SIMGATE_<NAME>`` in the environment.

    Attributes:
        max_request_bytes: of one request by every door, and of one gRPC response; gRPC's own 4 MiB would refuse a few
            hundred long documents.
        max_concurrent: requests computed at a time; 0 for twice as many as there are cores, at least four, and half of
            that where more comes than can be done: each alone leaves cores idle while it is read and written, more
            only make each slower.
        max_queue: requests that wait for those; one more is sent away at once. 0 for none.
        max_wait: seconds that a request of a burst waits at most: what a caller would rather spend on another replica.
            Where more comes for long than can be done hardly any wait, see `plugin_server.pressure`.
        deadline: seconds for a request that brings no deadline of its own, and at most for one that does.
        grace: seconds that running requests get to finish after SIGTERM; below the orchestrator's own (30 s).
        drain_delay: seconds between not being ready and taking no more requests, for balancers to notice.
        max_connection_age: seconds after which a gRPC connection is ended once its calls are, so that clients find new
            replicas; 0 for never.
        tls_certificate, tls_key: files in PEM, for both ports; read again when they change. Both or neither.
        tls_client_ca: file in PEM of the authorities whose clients are let in (mTLS); empty lets any client in.
        insecure: listen without TLS on addresses beyond this machine.
        api_keys: file of the API keys; empty lets everybody in.
        log_format: ``text`` or ``json``.
        log_level: ``debug``, ``info``, ``warning`` or ``error``.
        log_texts: whether logs and shadow records hold queries and documents; else none of their text.
        tracing: ``otlp`` sends traces as OpenTelemetry's own variables (``OTEL_EXPORTER_OTLP_ENDPOINT``) say; empty
            for none.
        shadow: file of the verdicts of shadow mode, in which results are not touched; empty for no shadow mode.
        shadow_bytes: of that file; then it begins anew, and the one before is kept beside it.

    Example:
        >>> ServerSettings.read({"SIMGATE_MAX_QUEUE": "16"}).max_queue
        16
    """

    max_request_bytes: int = MAX_REQUEST_BYTES
    max_concurrent: int = 0
    max_queue: int = 64
    max_wait: float = 1.0
    deadline: float = 30.0
    grace: float = 25.0
    drain_delay: float = 0.0
    max_connection_age: float = 0.0
    tls_certificate: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    insecure: bool = False
    api_keys: str = ""
    log_format: str = "text"
    log_level: str = "info"
    log_texts: bool = False
    tracing: str = ""
    shadow: str = ""
    shadow_bytes: int = 256 * 1024 * 1024

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InvalidField(f"{name}: {value!s:.40} is not between {low:g} and {high:g}: give one that is")
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise InvalidField("tls_certificate, tls_key: give both or neither")
        if self.tls_client_ca and not self.tls_certificate:
            raise InvalidField("tls_client_ca: needs TLS: give tls_certificate and tls_key too")
        for name in ("tls_certificate", "tls_key", "tls_client_ca", "api_keys"):
            if (file := getattr(self, name)) and not _is_file(file):
                raise InvalidField(f"{name}: {file:.200}: there is no such file")
        for name, known in (("log_format", LOG_FORMATS), ("log_level", LOG_LEVELS), ("tracing", TRACING)):
            if getattr(self, name) not in known:
                raise UnknownChoice(name, getattr(self, name), list(filter(None, known)))

    @classmethod
    def read(cls, mapping: Mapping[str, str]) -> ServerSettings:
        """The settings named in a mapping such as ``os.environ``; other keys are ignored.

        Raises:
            InvalidField, UnknownChoice: a value cannot be used; the message names it.
        """
        return read_fields(cls, mapping)

    @property
    def bounds(self) -> Bounds:
        """How much is taken on."""
        cores = max(2, usable_cores())
        return Bounds(self.max_concurrent or 2 * cores, self.max_queue, self.max_wait, cores)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # a name that is too long for one
        return False
