"""Who sent the request that is being worked on, by the name of its API key."""

from __future__ import annotations

from contextvars import ContextVar

_CALLER: ContextVar[str] = ContextVar("caller", default="")


def caller() -> str:
    """The name of the key that the request came with; empty where none was asked for.

    Example:
        >>> caller()
        ''
    """
    return _CALLER.get()


def called_by(name: str) -> None:
    """Nothing; `caller` gives this name in what is still done for the request, its threads and its log included."""
    _CALLER.set(name)
