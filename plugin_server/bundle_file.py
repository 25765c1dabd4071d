"""A file of a bundle: its content or its checksum, whatever somebody has put in its place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plugin_server import content
from plugin_server.errors import BundleMalformed, BundleMissing

#: Bytes of a graph: protobuf reads no longer message, and its weights are in no other file.
GRAPH_BYTES = (1 << 31) - 1


def sha256(path: Path, limit: int = GRAPH_BYTES) -> str:
    """The file's SHA-256 as 64 hexadecimal digits.

    Raises:
        BundleMissing: the file cannot be read.
        BundleMalformed: it is no file, or larger than the limit.
    """
    with _told(path), content.opened(path, limit) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_of(path: Path, limit: int) -> bytes:
    """A file's content; raises as `sha256`."""
    with _told(path):
        return content.read(path, limit)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns what befalls a file of a bundle into this package's errors."""
    try:
        yield
    except OSError as error:
        raise BundleMissing(f"{path}: {error.strerror}: copy the whole folder of the bundle") from error
    except ValueError as error:
        raise BundleMalformed(f"{path}: {error}: copy the whole folder of the bundle") from error
