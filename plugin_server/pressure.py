"""How much more comes than can be done, and so how many may wait for it."""

from __future__ import annotations

import math

#: Seconds over which it is measured.
PERIOD = 5.0
#: Below this part of what can be done there is no pressure: a queue empties by itself then.
CALM = 0.9
#: From so many times as much on nobody needs to wait: whenever a thread is free somebody comes.
FLOOD = 1.5


class Pressure:
    """Begins when a request has to be sent away, and ends with a period in which less came than can be done.

    A queue is for bursts. Where more comes than can be done for long, a queue is always as long as it may be: everybody
    is late, and hardly more are served than with a short one, which only has to keep the threads busy until the next
    request comes. So under pressure few wait, and the fewer the more come: as many as there are threads where as much
    comes as can be done, none from `FLOOD` times as much on.

    Args:
        threads: that compute under pressure.

    Example:
        >>> pressure = Pressure(threads=4)
        >>> pressure.room(now=0.0)
        inf
        >>> pressure.sent_away(now=0.0)
        >>> pressure.room(now=1.0)  # nothing is known yet
        0
        >>> for _ in range(24):  # in 5 seconds 4 threads do 20 of them
        ...     pressure.done(seconds=1.0)
        >>> pressure.room(now=5.0), pressure.room(now=10.0)
        (2, inf)
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._end = -math.inf
        self._room = math.inf
        self._begin(-math.inf)

    def done(self, seconds: float) -> None:
        """Nothing; a request was computed for so long."""
        self._done += 1
        self._seconds += seconds

    def sent_away(self, now: float) -> None:
        """Nothing; a request was not computed.

        Args:
            now: seconds of a clock that never goes back.
        """
        if self.room(now) == math.inf:
            self._room = 0
            self._begin(now)
        self._sent_away += 1

    def room(self, now: float) -> float:
        """How many requests may wait; infinite without pressure."""
        if self._room < math.inf and now >= self._end:
            load = self._load(now - self._end + PERIOD)
            self._room = round(self.threads * max(0.0, FLOOD - load) / (FLOOD - 1)) if load >= CALM else math.inf
            self._begin(now)
        return self._room

    def _load(self, seconds: float) -> float:
        """What came, in shares of what can be done in so many seconds."""
        each = self._seconds / self._done if self._done else 0.0
        return (self._done + self._sent_away) * each / (self.threads * seconds)

    def _begin(self, now: float) -> None:
        self._done = self._sent_away = 0
        self._seconds = 0.0
        self._end = now + PERIOD
