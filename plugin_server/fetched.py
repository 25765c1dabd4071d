"""A bundle fetched from elsewhere: its archive got, checked and unpacked, and the whole put in place at once."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from plugin_server import content
from plugin_server.archive import NAMES, unpack
from plugin_server.bundle import Bundle
from plugin_server.download import fetch, told
from plugin_server.errors import BundleError, BundleNotFetched

#: File beside a bundle's own that names the archive it came from.
MARK = "archive.sha256"
#: Bytes of an archive, and seconds for getting it.
MAX_BYTES, SECONDS = 4 << 30, 600.0


def fetched(
    source: str,
    sha256: str,
    folder: Path,
    check: Callable[[Path], object],
    max_bytes: int = MAX_BYTES,
    seconds: float = SECONDS,
    ca: str = "",
) -> bool:
    """Whether the folder was put there; False if it held the bundle of that archive already, whole.

    Fetches into the same folder wait for each other. One that ends in the middle leaves the folder as it was.

    Args:
        source: an https URL or a path.
        sha256: of the archive, 64 hexadecimal digits.
        check: raises a `BundleError` for a bundle that does not work.

    Raises:
        BundleError: there is no such archive, it is another, holds no bundle that works, or has no place.
    """
    sha256 = sha256.lower()
    if folder.is_symlink() or folder.name in ("", ".."):
        raise BundleNotFetched(str(folder), "is a link or has no name: give the folder itself")
    try:
        with _alone(folder):
            part = folder.parent / f".{folder.name}.part"
            if (part / "old").exists() and not folder.exists():  # one was killed between its two renames
                os.rename(part / "old", folder)
            if _holds(folder, sha256):
                return False
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            try:
                _get(source, sha256, part, max_bytes, seconds, ca)
                check(part / "bundle")
                _place(part, folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        fault = f"cannot be written: {error.strerror or error}: give a folder within a volume, and one with room"
        raise BundleNotFetched(str(folder), fault) from error
    return True


def _get(source: str, sha256: str, part: Path, max_bytes: int, seconds: float, ca: str) -> None:
    """Nothing; the bundle of the archive is in the folder ``bundle``, with its mark; raises as `fetched`."""
    archive = part / "archive.tar.gz"
    found = fetch(source, archive, max_bytes, seconds, ca)
    if found != sha256:
        size = archive.stat().st_size
        fault = f"sha256 is {found}, not {sha256}, of {size} bytes: it is truncated or another, give its own"
        raise BundleNotFetched(told(source), fault)
    unpack(archive, part / "bundle", told(source))
    archive.unlink()
    (part / "bundle" / MARK).write_text(f"{sha256}\n", encoding="ascii")


def _place(part: Path, folder: Path) -> None:
    """Nothing; the new bundle is where the old one was.

    Raises:
        BundleNotFetched: something else is there.
        OSError: it cannot be put there; the old one is.
    """
    if folder.exists() and not {item.name for item in folder.iterdir()} <= NAMES | {MARK}:
        raise BundleNotFetched(str(folder), "holds other files than a bundle's: give another folder")
    if not folder.exists():
        os.rename(part / "bundle", folder)
        return
    os.rename(folder, part / "old")
    try:
        os.rename(part / "bundle", folder)
    except OSError:
        os.rename(part / "old", folder)
        raise


def _holds(folder: Path, sha256: str) -> bool:
    """Whether the folder holds the bundle of that archive, whole."""
    try:
        return content.read(folder / MARK, 100).decode().strip() == sha256 and bool(Bundle.open(folder))
    except (OSError, ValueError, BundleError):
        return False


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else fetches into the folder until the end of the block; the system ends it with the process."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
