"""What files hold, read again once they have changed."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeAlias, TypeVar

from plugin_server.errors import SimgateError

log = logging.getLogger(__name__)

Value = TypeVar("Value")
#: Tells one content of a file from another without reading it; None where there is no file.
Stamp: TypeAlias = tuple[int, ...] | None


class Reloaded(Generic[Value]):
    """A value made of files; of files that cannot be used the value before stays, and the log says why, once.

    Files are looked at, behind symbolic links too, whenever the value is wanted, which takes microseconds: what is
    replaced counts for whoever comes next. From several threads if need be.

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
        self._seen = self._stamps()
        self._value = read(None)

    @property
    def current(self) -> Value:
        """The value of the newest files that could be used."""
        with self._lock:
            if (stamps := self._stamps()) != self._seen:
                self._renew(stamps)
            return self._value

    def _renew(self, stamps: list[Stamp]) -> None:
        """Nothing; the files were read, unless they change meanwhile: then they are when the value is wanted next."""
        try:
            value, fault = self._read(self._value), ""
        except SimgateError as error:
            value, fault = self._value, str(error)
        if self._stamps() != stamps:
            return
        self._value, self._seen = value, stamps
        if fault:
            log.error("%s; what was read before stays in use", fault)
        else:
            log.info("read again: %s", ", ".join(self._files))

    def _stamps(self) -> list[Stamp]:
        return [_stamp(file) for file in self._files]


def _stamp(file: str) -> Stamp:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
