"""Lines into a file, by a thread of its own: whatever the disk does, whoever offers a line goes on at once."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import threading
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from plugin_server.jsonlines import dump
from plugin_server.shadow.record import KEY, VERSION, now

log = logging.getLogger(__name__)

#: Lines and bytes that wait to be written; what comes on top is dropped.
MOST_LINES, MOST_BYTES = 10_000, 64 * 1024 * 1024
#: Seconds between two attempts to write after one has failed.
PAUSE = 5.0
#: Seconds in which a writer that is closed writes what still waits.
LAST = 5.0
#: Of the file before, beside the present one.
SUFFIX = ".1"
FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY


class Writer:
    """A file that is appended to, and begun anew when it is full; made it runs.

    What is lost is told in the file itself, as soon as it can be written to again.

    Args:
        path: of the file; it is created for its owner alone.
        limit: bytes of the file; a single line may be longer.
        told: is called with what became of each request: ``recorded``, or the cause for which it was lost.
        pause: seconds between two attempts after a failure.
    """

    def __init__(
        self, path: Path, limit: int, told: Callable[[str], None] = lambda fate: None, pause: float = PAUSE
    ) -> None:
        self._path, self._limit, self._told, self._pause = path, limit, told, pause
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._lost: Counter[str] = Counter()
        self._warned: set[str] = set()
        self._changed = threading.Condition()
        self._closed = False
        self._file = -1
        self._torn = False
        self._broken = False
        self._thread = threading.Thread(target=self._run, name="simgate-shadow-writer", daemon=True)
        self._thread.start()

    def offer(self, line: bytes) -> None:
        """Nothing; the line, which has its line end, will be written, or is lost if too much waits already."""
        with self._changed:
            full = len(self._lines) >= MOST_LINES or self._bytes + len(line) > MOST_BYTES
            if not (full or self._closed):
                self._lines.append(line)
                self._bytes += len(line)
                self._changed.notify()
                return
        self.lose("stopping" if self._closed else "disk")

    def lose(self, cause: str) -> None:
        """Nothing; a request that will not be recorded is counted, and the first one of a cause is logged."""
        with self._changed:
            self._lost[cause] += 1
            first = cause not in self._warned
            self._warned.add(cause)
        if first:
            log.warning("shadow mode: a request is not recorded (%s): the report tells how many are not", cause)
        self._told(cause)

    def close(self, seconds: float = LAST) -> None:
        """Nothing; what waits was written if that took no longer than so many seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(seconds)

    def _run(self) -> None:
        """Nothing, once the writer is closed and nothing waits, or it cannot be written."""
        self._attempt(self._opened)
        while step := self._next():
            if not self._attempt(step):
                with self._changed:
                    if self._closed:
                        break
                    self._changed.wait_for(lambda: self._closed, self._pause)
        self._shut()
        for _ in self._lines:
            self._told("disk")
        if self._lines:
            log.warning("shadow mode: %s: %d records were not written", self._path, len(self._lines))

    def _next(self) -> Callable[[], None] | None:
        """What is to be written next, losses before lines; None once that was all."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closed)
            if self._lost:
                return partial(self._tell, Counter(self._lost))
            return partial(self._write_first, self._lines[0]) if self._lines else None

    def _tell(self, lost: Counter[str]) -> None:
        """Nothing; the file tells of these losses."""
        self._write(dump({KEY: VERSION, "time": now(), "lost": dict(lost)}))
        with self._changed:
            self._lost -= lost

    def _write_first(self, line: bytes) -> None:
        """Nothing; the line, the first of those that wait, is in the file."""
        self._write(line)
        with self._changed:
            self._lines.popleft()
            self._bytes -= len(line)
        self._told("recorded")

    def _attempt(self, work: Callable[[], object]) -> bool:
        """Whether the work went well; the first failure in a row is logged, and so is its end."""
        try:
            work()
        except OSError as error:
            if not self._broken:
                log.warning("shadow mode: %s: cannot be written: %s: trying again", self._path, error.strerror)
            self._broken = True
            self._shut()
            return False
        if self._broken:
            log.warning("shadow mode: %s: is written again", self._path)
        self._broken = False
        return True

    def _write(self, line: bytes) -> None:
        """Nothing; the line is in the file, whole."""
        file = self._opened()
        about = os.fstat(file)
        if stat.S_ISREG(about.st_mode) and about.st_size and about.st_size + len(line) > self._limit:
            os.replace(self._path, f"{self._path}{SUFFIX}")
            file = self._opened()
        left = memoryview(b"\n" + line if self._torn else line)
        while left:
            left = left[os.write(file, left) :]
            self._torn = bool(left)

    def _opened(self) -> int:
        """The open file; opened again if another one, or none, is at the path."""
        if self._file >= 0 and not self._same():
            self._shut()
        if self._file < 0:
            self._file = os.open(self._path, FLAGS, 0o600)
            self._torn = _torn(self._file)
        return self._file

    def _same(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file), os.stat(self._path))
        except FileNotFoundError:
            return False

    def _shut(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            with contextlib.suppress(OSError):
                os.close(file)


def _torn(file: int) -> bool:
    """Whether a file ends in the middle of a line."""
    about = os.fstat(file)
    if not stat.S_ISREG(about.st_mode) or not about.st_size:
        return False
    return os.pread(file, 1, about.st_size - 1) != b"\n"
