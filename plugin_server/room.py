"""How many windows the documents of one request may have."""

from __future__ import annotations

from plugin_server.errors import OverLimit


class Room:
    """Windows that a request may still have.

    Args:
        limit: of all its documents together.

    Example:
        >>> room = Room(4)
        >>> room.take(3, "candidates[0].text")
        >>> room.take(2, "candidates[1].text")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        plugin_server.errors.OverLimit: candidates[1].text: 5 windows of all texts, the limit is 4: ...
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0

    def take(self, windows: int, field: str) -> None:
        """Nothing, if so many more fit.

        Raises:
            OverLimit: they do not; then they do not count.
        """
        if self._taken + windows > self._limit:
            raise OverLimit(
                field,
                self._taken + windows,
                self._limit,
                "windows of all texts",
                "send fewer or shorter documents, or raise max_windows",
            )
        self._taken += windows
