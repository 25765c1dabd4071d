"""The SQLite file of the embedded index: its tables, its checks, and its errors in this package's words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from plugin_server.bundle import Manifest
from plugin_server.errors import IndexDamaged, IndexFailure, IndexMissing, IndexOfOtherBundle

#: SQLite's ``application_id`` ("sgix") and ``user_version`` of the file.
APPLICATION, FORMAT_VERSION = 0x73676978, 1
SCHEMA = (
    "DROP TABLE IF EXISTS meta",
    "DROP TABLE IF EXISTS vectors",
    "DROP TABLE IF EXISTS documents",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE documents (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, "
    "text TEXT NOT NULL, extra TEXT NOT NULL, blob TEXT NOT NULL)",
    # apart from the texts, so that loading the matrix reads nothing else
    "CREATE TABLE vectors (number INTEGER PRIMARY KEY, vectors BLOB NOT NULL)",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {FORMAT_VERSION}",
)
#: The tables and the indices that SQLite makes for them; a file with anything else, as a trigger or a view that
#: computes, is none of ours.
OBJECTS = {
    ("table", "meta"), ("table", "documents"), ("table", "vectors"),
    ("index", "sqlite_autoindex_meta_1"), ("index", "sqlite_autoindex_documents_1"),
}  # fmt: skip
#: How long to wait while another program writes.
BUSY_SECONDS = 2.0
#: SQLite's result codes that speak of the surroundings, not of the file's contents.
SURROUNDINGS = (
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
)  # fmt: skip


def label_of(path: Path) -> str | None:
    """The label that an index was made with, whichever bundle made it; None where there is no index.

    Raises:
        IndexDamaged: the file is no index, or damaged.
    """
    if is_new(path):
        return None
    with closing(connect(path)) as connection, guarded(path):
        return check(path, connection, None)["label"]


def is_new(path: Path) -> bool:
    """Whether nothing is at the path yet, or an empty file, as a run killed at its very start leaves."""
    return not path.exists() or (path.is_file() and path.stat().st_size == 0)


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode; what a killed run left half-written is rolled back by SQLite.

    Raises:
        IndexMissing: there is no file.
    """
    if not path.exists():
        raise IndexMissing(str(path))
    if not path.is_file():
        raise damaged(path, "no file, but a folder, a pipe or a device")
    with guarded(path):
        uri = path.absolute().as_uri() + "?mode=rw"
        made = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
        made.execute("PRAGMA trusted_schema = OFF")  # what a file says is no program
        return made


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into `IndexDamaged` where the contents are at fault, else into `IndexFailure`."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in SURROUNDINGS:
            raise IndexFailure(f"{path}: {error}") from error
        raise damaged(path, str(error)) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything within is written together, or after an error nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def check(path: Path, connection: sqlite3.Connection, manifest: Manifest | None) -> dict[str, str]:
    """The file's meta table, checked against the manifest if one is given.

    Raises:
        IndexDamaged: it is no index, or of another format.
        IndexOfOtherBundle: another bundle than the manifest's made it.
    """
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise damaged(path, "an SQLite file, but no index of simgate")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != FORMAT_VERSION:
        raise IndexDamaged(f"{path}: format {version}, this simgate reads {FORMAT_VERSION}: upgrade simgate")
    if set(connection.execute("SELECT type, name FROM sqlite_master")) != OBJECTS:
        raise damaged(path, "it has other tables than an index of simgate")
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    if path.stat().st_size < pages * size:  # SQLite itself reads a last page that is cut off as zeros
        raise damaged(path, "truncated")
    meta: dict[str, str] = dict(connection.execute("SELECT key, value FROM meta"))
    if meta.keys() < {"bundle", "dimension", "label"}:
        raise damaged(path, "its meta table is incomplete")
    if manifest and meta["bundle"] != manifest.fingerprint:
        raise IndexOfOtherBundle(str(path), meta["bundle"], manifest.fingerprint)
    if manifest and meta["dimension"] != str(manifest.recall_dimension):
        raise damaged(path, f"vectors of {meta['dimension']} numbers, the bundle has {manifest.recall_dimension}")
    return meta


def damaged(path: Path, fault: str) -> IndexDamaged:
    """The error for a file with that fault."""
    return IndexDamaged(f"{path}: {fault}: delete it and index the corpus again, or give another file with --index")
