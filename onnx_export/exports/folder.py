"""The folder that an export writes its bundles into: one export at a time, and never half a bundle."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onnx_export.errors import OutputTaken
from plugin_server.bundle import Bundle, Manifest
from plugin_server.errors import BundleError

#: What the names of unfinished folders begin with.
PART = ".simgate-part-"


@contextmanager
def claimed(output: Path) -> Iterator[None]:
    """The folder, made if it is not there and this process's alone; what a run that was killed left half is taken away.

    Raises:
        OutputTaken: another export writes there.
    """
    output.mkdir(parents=True, exist_ok=True)
    handle = os.open(output, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputTaken(f"{output}: another export writes there: wait for it, or give another folder") from None
        for left in output.glob(f"{PART}*"):
            shutil.rmtree(left)
        yield
    finally:
        os.close(handle)


@contextmanager
def part_of(output: Path) -> Iterator[Path]:
    """An empty folder beside the bundles, for one that is not finished; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=PART, dir=output, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def finished(folder: Path, digest: str) -> Bundle | None:
    """The bundle in the folder, if it is whole and of that configuration."""
    try:
        bundle = Bundle.open(folder)
    except BundleError:
        return None
    return bundle if bundle.manifest.form.get("digest") == digest else None


def check_free(folder: Path) -> None:
    """Nothing, if an export may put a bundle there: nothing is there, or a bundle that an export wrote.

    Raises:
        OutputTaken: something else is there, which is left as it is.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        written = bool(Manifest.read(folder).form)
    except BundleError:
        written = False
    if not written:
        raise OutputTaken(f"{folder}: holds what no export wrote: take it away, or give another name or folder")


def put(part: Path, folder: Path) -> None:
    """Nothing; the finished folder takes its place, and what was there before is gone."""
    if folder.exists():
        folder.rename(part.parent / f"{part.name}-before")
    part.rename(folder)
