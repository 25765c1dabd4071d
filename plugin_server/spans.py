"""Spans of what is done, which cost nothing unless `plugin_server.tracing` was begun: no library is imported here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeAlias

#: Numbers and names; never a text of a query or a document.
Attributes: TypeAlias = Mapping[str, int | float | str]
#: Headers of HTTP, or metadata of gRPC.
Headers: TypeAlias = Iterable[tuple[str, str]]


class Tracer(Protocol):
    """What makes spans."""

    def span(self, name: str, attributes: Attributes) -> AbstractContextManager[Any]:
        """A span around a block, below the one that is current."""

    def request(self, name: str, headers: Headers) -> AbstractContextManager[Any]:
        """A span around a request, below the caller's own if its headers name one."""

    def outcome(self, name: str, attributes: Attributes, failed: bool) -> None:
        """Nothing; the current span gets this name, these attributes, and the status."""

    def trace(self) -> str:
        """Id of the current trace, 32 hexadecimal digits; empty for none."""


_tracer: Tracer | None = None
_NOTHING: AbstractContextManager[Any] = nullcontext()


def use(tracer: Tracer | None) -> None:
    """Nothing; spans are made by this tracer from now on, or not at all."""
    global _tracer
    _tracer = tracer


def span(name: str, **attributes: int | float | str) -> AbstractContextManager[Any]:
    """A span around a block; nothing if there is no tracing.

    Args:
        attributes: each is told as ``simgate.<name>``.

    Example:
        >>> with span("simgate.verify", pairs=100):
        ...     pass
    """
    if _tracer is None:
        return _NOTHING
    return _tracer.span(name, {f"simgate.{key}": value for key, value in attributes.items()})


def request(name: str, headers: Headers) -> AbstractContextManager[Any]:
    """A span around a request that came in with these headers; nothing if there is no tracing."""
    return _tracer.request(name, headers) if _tracer else _NOTHING


def outcome(name: str, attributes: Attributes, failed: bool) -> None:
    """Nothing; the span of the request, which is current, is told how it ended.

    Args:
        failed: whether it is the server's fault.
    """
    if _tracer:
        _tracer.outcome(name, attributes, failed)


def trace() -> str:
    """Id of the current trace; empty for none."""
    return _tracer.trace() if _tracer else ""
