"""Limits and settings: frozen value objects, read once from a mapping that the caller hands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TypeVar, get_type_hints

from plugin_server.choices import Verification
from plugin_server.errors import InvalidField, UnknownChoice

#: Settings are read from ``SIMGATE_<FIELD>``, for example ``SIMGATE_MAX_CANDIDATES``.
PREFIX = "SIMGATE_"
MISMATCH = ("encode", "unverified", "refuse")
FAILURE = ("open", "closed")
PROVIDERS = ("cpu", "cuda", "tensorrt")
#: What 32 bits can tell a client; and threads that no machine has cores for.
LARGEST, MAX_THREADS = 2**32 - 1, 1024
#: Of one request, by every door; gRPC's own 4 MiB would refuse a few hundred long documents.
MAX_REQUEST_BYTES = 64 * 1024 * 1024
YES, NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off", "")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set, with the defaults.

    Attributes:
        bundle: folder of the model bundle; empty for the one in the package.
        threads: of onnxruntime; 0 takes the cores this process may use.
        provider: of onnxruntime: ``cpu``, ``cuda`` or ``tensorrt``; the latter two need the extra ``gpu``.
        cache_bytes: of what was encoded lately, kept in memory by text, queries and documents alike; 0 for none.
        max_candidates: candidates of one request.
        max_characters: characters of one document; a longer one is refused, a shorter one is split into windows.
        max_query_tokens: tokens of a query, which is never split.
        max_windows: windows of all documents of one request, a few seconds of computing; never fewer than
            `max_candidates`, which have a window each.
        previous_bundle: folder of a bundle whose blobs are read too, while an index moves to another; empty for none.
        on_failure: a search whose verification fails: ``open`` gives the hits as the engine had them, each unverified;
            ``closed`` fails the search.
        on_mismatch: a candidate whose blob another encoder made: ``encode`` its text (``unverified`` without one),
            leave it ``unverified``, or ``refuse`` the request. A search also takes ``encode`` for malformed blobs.
        verification: of requests that do not say: ``full``, ``cascade`` or ``light``, see `Reranker.rerank`.
        calibrations: folders or files of calibrations, parted as in ``PATH``; empty for none.

    Example:
        >>> Settings().max_candidates
        1000
        >>> Settings.read({"SIMGATE_MAX_CANDIDATES": "50"}).max_candidates
        50
    """

    bundle: str = ""
    threads: int = 0
    provider: str = "cpu"
    cache_bytes: int = 64 * 1024 * 1024
    max_candidates: int = 1000
    max_characters: int = 200_000
    max_query_tokens: int = 256
    max_windows: int = 4000
    on_mismatch: str = "encode"
    on_failure: str = "open"
    previous_bundle: str = ""
    calibrations: str = ""
    verification: str = "full"

    def __post_init__(self) -> None:
        for name in ("max_candidates", "max_characters", "max_query_tokens", "max_windows"):
            if getattr(self, name) < 1:
                raise InvalidField(f"{name}: {getattr(self, name)} is below 1: give a whole number of at least 1")
            if getattr(self, name) > LARGEST:
                raise InvalidField(f"{name}: is above {LARGEST}: give a smaller number")
        for name, what in (("threads", "every core, or their number"), ("cache_bytes", "no cache, or its bytes")):
            if getattr(self, name) < 0:
                raise InvalidField(f"{name}: {getattr(self, name)} is below 0: give 0 for {what}")
        if self.threads > MAX_THREADS:
            raise InvalidField(f"threads: is above {MAX_THREADS}: give 0 for every core, or their number")
        if self.provider not in PROVIDERS:
            raise UnknownChoice("provider", self.provider, list(PROVIDERS))
        if self.on_mismatch not in MISMATCH:
            raise UnknownChoice("on_mismatch", self.on_mismatch, list(MISMATCH))
        if self.on_failure not in FAILURE:
            raise UnknownChoice("on_failure", self.on_failure, list(FAILURE))
        Verification.of(self.verification)

    @property
    def windows(self) -> int:
        """Windows that the documents of one request may have."""
        return max(self.max_windows, self.max_candidates)

    @classmethod
    def read(cls, mapping: Mapping[str, str]) -> Settings:
        """The settings named in a mapping such as ``os.environ``; other keys are ignored.

        Raises:
            InvalidField: a number is not a whole number, or out of range.
            UnknownChoice: ``SIMGATE_ON_MISMATCH`` is not one of its values.
        """
        return read_fields(cls, mapping)


def overridden(mapping: Mapping[str, str], given: Mapping[str, object]) -> dict[str, str]:
    """The mapping with what was given in place of its own.

    Args:
        given: by the names of settings; None for what was not given.

    Example:
        >>> overridden({"SIMGATE_GRACE": "5", "SIMGATE_DEADLINE": "9"}, {"grace": 7, "deadline": None})
        {'SIMGATE_GRACE': '7', 'SIMGATE_DEADLINE': '9'}
    """
    return dict(mapping) | {PREFIX + name.upper(): str(value) for name, value in given.items() if value is not None}


def read_fields(kind: type[Value], mapping: Mapping[str, str]) -> Value:
    """An object of a frozen dataclass of texts and numbers, from the keys ``SIMGATE_<FIELD>`` that the mapping has.

    Raises:
        InvalidField: a value is not a number where one is needed.
    """
    types = get_type_hints(kind)
    given: dict[str, str | int | float | bool] = {}
    for item in fields(kind):  # type: ignore[arg-type]
        name = PREFIX + item.name.upper()
        if name not in mapping:
            continue
        if types[item.name] is bool:
            given[item.name] = _truth(name, mapping[name])
            continue
        try:
            given[item.name] = _read(types[item.name], mapping[name])
        except ValueError:
            what = "a number" if types[item.name] is float else "a whole number"
            raise InvalidField(f"{name}: {mapping[name]!r:.100} is not {what}") from None
    return kind(**given)


def _truth(name: str, text: str) -> bool:
    """Whether a text says yes.

    Raises:
        InvalidField: it says neither yes nor no.
    """
    if text.lower() not in YES + NO:
        raise InvalidField(f"{name}: {text!r:.100} is neither true nor false: give one of them")
    return text.lower() in YES


def _read(kind: type[str | int | float], text: str) -> str | int | float:
    """The value that a text spells; of numbers only what any program reads alike, no ``1_000`` and no ``١٠``."""
    if kind is not str and ("_" in text or not text.isascii()):
        raise ValueError
    return kind(text)
