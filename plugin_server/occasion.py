"""Where a request came in, and the name that its caller gave it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from plugin_server.visit import current

#: Headers, or keys of gRPC metadata, that hold a request's id, the first one first; engines' clients send the last.
NAMES = ("x-request-id", "x-opaque-id")
#: Characters of an id that are kept.
LONGEST = 128


@dataclass(frozen=True, slots=True)
class Occasion:
    """One request.

    Attributes:
        way: the door, as ``/v2/rerank`` or ``simgate.v1.Rerank``.
        request: the caller's id for it, else the one that logs and traces have; empty for none.
    """

    way: str = ""
    request: str = ""


NONE = Occasion()
_NOW: ContextVar[Occasion] = ContextVar("occasion", default=NONE)


def occasion() -> Occasion:
    """The request that is served here."""
    return _NOW.get()


@contextmanager
def occurring(way: str, headers: Iterable[tuple[str | bytes, str | bytes]]) -> Iterator[Occasion]:
    """The request, which is `occasion` within the block.

    Args:
        headers: names in lower case with their values.
    """
    visit = current()
    token = _NOW.set(Occasion(way, id_of(headers) or (visit.id if visit else "")))
    try:
        yield _NOW.get()
    finally:
        _NOW.reset(token)


def id_of(headers: Iterable[tuple[str | bytes, str | bytes]]) -> str:
    """The id that headers give a request; empty without one.

    Example:
        >>> id_of([(b"x-opaque-id", b"7"), (b"x-request-id", b"a1")]), id_of([])
        ('a1', '')
    """
    found = {_text(name).lower(): _text(value) for name, value in headers}
    return next((found[name] for name in NAMES if found.get(name)), "")[:LONGEST]


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
