"""What became of a corpus so far, as a progress bar and lines on standard error."""

from __future__ import annotations

import stat
from os import fstat
from typing import Any, BinaryIO

from plugin_server.commands.common import Bar, report
from plugin_server.indexing import Batch


class Tally:
    """What became of a corpus so far, shown as a progress bar; a context manager.

    Attributes:
        refused: lines that could not be stored; they are told on standard error.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.added = self.unchanged = self.refused = 0
        self._stream, self._size, self._bar = stream, _size(stream), Bar("Indexing")

    def add(self, batch: Batch) -> None:
        """Nothing; the batch is counted and shown."""
        self.added += batch.added
        self.unchanged += batch.unchanged
        self.refused += len(batch.refused)
        report(batch.refused, self._stream)
        counts = {"added": self.added, "unchanged": self.unchanged, "refused": self.refused}
        note = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        self._bar.update(self._stream.tell() if self._size else self.added + self.unchanged, self._size, note)

    def __enter__(self) -> Tally:
        self._bar.__enter__()
        return self

    def __exit__(self, *fault: Any) -> None:
        if not self.added + self.unchanged + self.refused:
            self._bar.update(0, None, "no documents: the input is empty")
        self._bar.__exit__(*fault)


def _size(stream: BinaryIO) -> int | None:
    """Bytes of a regular file; None for a pipe."""
    try:
        status = fstat(stream.fileno())
    except OSError:  # a stream in memory
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
