"""The content of a file that somebody else may have put there: of a regular file alone, and of no more than a limit."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path


@contextmanager
def opened(path: Path, limit: int) -> Iterator[BufferedReader]:
    """The file, opened for reading; symbolic links are followed, as Kubernetes mounts its volumes by them.

    Args:
        limit: of its bytes, looked at before anything is read.

    Raises:
        OSError: it cannot be opened, or is a folder.
        ValueError: it is a pipe or a device, which might never end, or is larger than the limit.
    """
    with open(path, "rb", opener=_at_once) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("is a pipe or a device: put a file there")
        if status.st_size > limit:
            raise ValueError(f"has {status.st_size} bytes, the limit is {limit}")
        yield file


def read(path: Path, limit: int) -> bytes:
    """The file's bytes.

    Raises:
        OSError, ValueError: as `opened`.
    """
    with opened(path, limit) as file:
        raw = file.read(limit + 1)
    if len(raw) > limit:  # it grew, or is one of those that the system makes up as they are read
        raise ValueError(f"has more than {limit} bytes, which is the limit")
    return raw


def _at_once(path: str, flags: int) -> int:
    """A descriptor, without waiting for somebody to write into a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
