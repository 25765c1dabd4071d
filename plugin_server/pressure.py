"""Whether there is more to do than can be done, from what had to be sent away lately."""

from __future__ import annotations

#: Seconds over which requests are counted before it is judged anew.
PERIOD = 10.0
#: Of the requests of a period: where fewer had to be sent away, all can be served, and only wait a little longer.
SHARE = 0.1


class Pressure:
    """Begins when a request is sent away, and ends with a period in which few were.

    A queue is for bursts. Where more comes than can be done it is always as long as it may be: everybody is late, and
    nobody is served who would not be with a short one. So `plugin_server.admission` keeps its queue short under
    pressure. A short queue sends a few away whom a longer one would have served: that alone is no pressure.

    Example:
        >>> pressure = Pressure()
        >>> pressure.lasts(now=0.0), pressure.sent_away(now=0.0), pressure.lasts(now=1.0)
        (False, None, True)
        >>> pressure.served(), pressure.lasts(now=9.0), pressure.lasts(now=11.0)
        (None, True, False)
    """

    def __init__(self) -> None:
        self._on = False
        self._served = self._sent_away = 0
        self._end = 0.0

    def served(self) -> None:
        """Nothing; a request was computed."""
        self._served += 1

    def sent_away(self, now: float) -> None:
        """Nothing; a request was not.

        Args:
            now: seconds of a clock that never goes back.
        """
        if self.lasts(now):
            self._sent_away += 1
        else:
            self._begin(now)

    def lasts(self, now: float) -> bool:
        """Whether there is pressure now."""
        if self._on and now >= self._end:
            self._on = self._sent_away > SHARE * (self._served + self._sent_away)
            if self._on:
                self._begin(now)
        return self._on

    def _begin(self, now: float) -> None:
        self._on = True
        self._served = self._sent_away = 0
        self._end = now + PERIOD
