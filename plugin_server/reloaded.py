"""What files hold, read again once they have changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from plugin_server.errors import SimgateError

log = logging.getLogger(__name__)

Value = TypeVar("Value")


class Reloaded(Generic[Value]):
    """A value made of files; of files that cannot be used the value before stays, and the log says why, once.

    Files are read and compared whenever the value is wanted, which takes about 30 µs: what is replaced counts
    for whoever comes next, by links or in place, and no clock of a file system is trusted. From several threads if need
    be.

    Args:
        files: all that the value is made of.
        read: makes it, out of the value before, which is None at first.

    Raises:
        SimgateError: `read` raises it for the files that are there now.
    """

    def __init__(self, files: Sequence[str], read: Callable[[Value | None], Value]) -> None:
        self._files = files
        self._read = read
        self._lock = Lock()
        self._seen = self._contents()
        self._value = read(None)

    @property
    def current(self) -> Value:
        """The value of the newest files that could be used."""
        with self._lock:
            if (found := self._contents()) != self._seen:
                self._renew(found)
            return self._value

    def _renew(self, found: list[bytes | None]) -> None:
        """Nothing; the value is that of what was found, unless that changes meanwhile: then the next look has it."""
        try:
            value, fault = self._read(self._value), ""
        except SimgateError as error:
            value, fault = self._value, str(error)
        if self._contents() != found:
            return
        self._value, self._seen = value, found
        if fault:
            log.error("%s; what was read before stays in use", fault)
        else:
            log.info("read again: %s", ", ".join(self._files))

    def _contents(self) -> list[bytes | None]:
        return [_content(file) for file in self._files]


def _content(file: str) -> bytes | None:
    """What is in a file; None if it cannot be read."""
    try:
        return Path(file).read_bytes()
    except OSError:
        return None
