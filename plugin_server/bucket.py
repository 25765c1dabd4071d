"""A limit on requests per second that lets short bursts through: a token bucket."""

from __future__ import annotations

import time
from collections.abc import Callable


class Bucket:
    """A bucket that is full at first and fills by so many tokens a second; each request takes one.

    Args:
        rate: tokens a second, above 0.
        burst: tokens that it holds, at least 1.
        clock: seconds that never go back, whatever is done to the time of day.

    Example:
        >>> bucket = Bucket(rate=0.5, burst=2, clock=lambda: 0.0)
        >>> bucket.take(), bucket.take(), bucket.take()
        (0.0, 0.0, 2.0)
    """

    __slots__ = ("_clock", "_last", "_tokens", "burst", "rate")

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._last = clock()

    def take(self) -> float:
        """0 if there was a token, which is taken; else the seconds until there is one."""
        now = self._clock()
        self._tokens = min(self.burst, self._tokens + (now - self._last) * self.rate)
        self._last = now
        if self._tokens < 1:
            return (1 - self._tokens) / self.rate
        self._tokens -= 1
        return 0.0
