"""Texts encoded lately, bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """A value that knows how many bytes it holds."""

    @property
    def nbytes(self) -> int:
        """Its bytes."""


Value = TypeVar("Value", bound=Sized)
#: Bytes that an entry takes beside its text and its value: keys, links, objects.
OVERHEAD = 500


class Cache(Generic[Value]):
    """Values by text, of which those asked for longest ago go when there are too many bytes; for several threads.

    Args:
        limit: bytes of texts and values; 0 keeps nothing.

    Attributes:
        hits, misses: texts asked for that were there, or not.
        evictions: values that had to go.
        bytes: held now.

    Example:
        >>> import numpy as np
        >>> cache = Cache[np.ndarray](limit=4000)
        >>> for text in "abcdae":
        ...     if cache.get(text) is None:
        ...         cache.put(text, np.zeros(400, np.int8))
        >>> cache.get("b") is None, cache.get("a") is None, cache.hits, cache.evictions
        (True, False, 2, 1)
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.hits = self.misses = self.evictions = self.bytes = 0
        self._held: OrderedDict[str, tuple[Value, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, text: str, serves: Callable[[Value], bool] = lambda value: True) -> Value | None:
        """The value of a text, None if it is not held.

        Args:
            serves: whether a value has what is asked for; one that has not counts as not held.
        """
        with self._lock:
            found = self._held.get(text)
            if found is None or not serves(found[0]):
                self.misses += 1
                return None
            self.hits += 1
            self._held.move_to_end(text)
            return found[0]

    def put(self, text: str, value: Value) -> None:
        """Nothing; the value is held, in place of an earlier one, unless it is more than a quarter of the limit."""
        size = value.nbytes + 4 * len(text) + OVERHEAD
        if size > self.limit // 4:
            return
        with self._lock:
            _, earlier = self._held.pop(text, (None, 0))
            self._held[text] = value, size
            self.bytes += size - earlier
            while self.bytes > self.limit:
                _, (_, gone) = self._held.popitem(last=False)
                self.bytes -= gone
                self.evictions += 1
