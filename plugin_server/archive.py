"""The archive of a bundle, a .tar.gz, unpacked without trust in anything it says."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from gzip import BadGzipFile, GzipFile
from pathlib import Path
from tarfile import AREGTYPE, BLOCKSIZE, DIRTYPE, NUL, REGTYPE, XGLTYPE, XHDTYPE, HeaderError, TarInfo

from plugin_server.bundle import FILES, LIMITS, MANIFEST
from plugin_server.errors import BundleMalformed

NAMES = frozenset((*FILES, MANIFEST))
#: Entries of an archive, and bytes of one that describes the next, which is not read: a bundle has five files.
ENTRIES, DESCRIPTION = 64, 1 << 20
CHUNK = 1 << 20


def unpack(archive: Path, folder: Path, place: str) -> None:
    """Nothing; the folder is new and holds the files of a bundle, and nothing else.

    Only plain files of a bundle's names are taken, as they stand in the archive or all in one folder in it. No path,
    owner, mode, time or link of the archive is used. What the files hold is not looked at.

    Args:
        archive: a tar file, compressed by gzip.
        folder: which must not be there yet.
        place: where the archive came from, for messages.

    Raises:
        BundleMalformed: it is no such archive, is truncated, or holds anything else.
        OSError: the folder cannot be written.
    """
    folder.mkdir(mode=0o755)
    with GzipFile(archive) as stream:
        try:
            _copy(stream, folder)
        except (HeaderError, BadGzipFile, zlib.error, EOFError, UnicodeError) as error:
            raise BundleMalformed(f"{place}: is no whole .tar.gz: {error}: make the archive again") from error
        except ValueError as error:
            raise BundleMalformed(f"{place}: {error}: put the files of one bundle into it and no others") from error
    if missing := sorted(name for name in NAMES if not (folder / name).exists()):
        raise BundleMalformed(f"{place}: lacks {', '.join(missing)}: put the whole bundle into it")


def _copy(stream: GzipFile, folder: Path) -> None:
    """Nothing; the files are written.

    Raises:
        ValueError: an entry is not taken; or as `TarInfo.frombuf` and gzip do.
    """
    levels = set()
    for entry in _entries(stream):
        level, name = _place(entry)
        levels.add(level)
        if len(levels - {None}) > 1:
            raise ValueError(f"{entry.name!r:.100}: has files in more than one folder")
        if name:
            _write(stream, folder / name, entry.size)
            _skip(stream, -entry.size % BLOCKSIZE)


def _entries(stream: GzipFile) -> Iterator[TarInfo]:
    """The entries up to the archive's end; the reader takes a file's content from the stream.

    Raises:
        ValueError: there are too many, or a description is too long.
    """
    for _ in range(ENTRIES):
        header = stream.read(BLOCKSIZE)
        if header.count(NUL) == BLOCKSIZE:
            return
        entry = TarInfo.frombuf(header, "utf-8", "surrogateescape")
        if entry.type not in (XHDTYPE, XGLTYPE):  # they carry times, owners and long names
            yield entry
        elif 0 <= entry.size <= DESCRIPTION:
            _skip(stream, entry.size + -entry.size % BLOCKSIZE)
        else:
            raise ValueError(f"{entry.name!r:.100}: a description of {entry.size} bytes")
    raise ValueError(f"has more than {ENTRIES} entries")


def _place(entry: TarInfo) -> tuple[str | None, str]:
    """The folder that the entry lies in, None for an unknown one, and the name of the file; empty for a folder.

    Raises:
        ValueError: it is no plain file of a bundle, or too large for it.
    """
    parts = [part for part in entry.name.split("/") if part not in ("", ".")]
    if entry.name.startswith("/") or ".." in parts:
        raise ValueError(f"{entry.name!r:.100}: leads out of the archive")
    if entry.type == DIRTYPE and len(parts) <= 1 and not entry.size:
        return (parts[0] if parts else None), ""
    if entry.type not in (REGTYPE, AREGTYPE):
        raise ValueError(f"{entry.name!r:.100}: is no plain file")
    if not 1 <= len(parts) <= 2 or parts[-1] not in NAMES:
        raise ValueError(f"{entry.name!r:.100}: is no file of a bundle")
    if not 0 <= entry.size <= LIMITS[parts[-1]]:
        raise ValueError(f"{entry.name!r:.100}: has {entry.size} bytes, the limit is {LIMITS[parts[-1]]}")
    return "/".join(parts[:-1]), parts[-1]


def _write(stream: GzipFile, path: Path, left: int) -> None:
    """Nothing; so many bytes of the stream are in a new file.

    Raises:
        ValueError: the file is there already.
    """
    try:
        with path.open("xb") as file:
            while left:
                chunk = _read(stream, min(left, CHUNK))
                file.write(chunk)
                left -= len(chunk)
    except FileExistsError:
        raise ValueError(f"{path.name!r}: is there twice") from None
    path.chmod(0o644)


def _skip(stream: GzipFile, count: int) -> None:
    """Nothing; so many bytes are passed over."""
    if count:
        _read(stream, count)


def _read(stream: GzipFile, count: int) -> bytes:
    """Exactly so many bytes.

    Raises:
        EOFError: the archive ends before.
    """
    found = stream.read(count)
    if len(found) < count:
        raise EOFError("it ends in the middle of a file")
    return found
