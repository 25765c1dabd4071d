"""The embedded index: one SQLite file, and exact cosine search over a matrix in memory."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from plugin_server import strict
from plugin_server.bundle import Manifest
from plugin_server.corpus import Document
from plugin_server.encoder import Encoded
from plugin_server.errors import IndexFailure, InvalidField
from plugin_server.index_file import SCHEMA, check, connect, damaged, guarded, is_new, transaction

#: The number stays when a document is written again, and with it the order of equal scores.
UPSERT = """INSERT INTO documents (id, title, text, extra, blob) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
    SET title = excluded.title, text = excluded.text, extra = excluded.extra, blob = excluded.blob RETURNING number"""


@dataclass(frozen=True, slots=True)
class Found:
    """A document that a search found, the cosine of its best window in [-1, 1], and its token blob."""

    document: Document
    score: float
    blob: str


@dataclass(frozen=True, slots=True)
class _Matrix:
    """Vectors of all windows (n, dimension), where each document's begin, and the documents' numbers."""

    rows: NDArray[np.float32]
    starts: NDArray[np.int64]
    numbers: list[int]


class Index:
    """Documents with their recall vectors and token blobs; readable from several threads.

    Made by `open` or `create`. Memory: 4 bytes a dimension and window (1.5 kB at 384), no texts.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._connection = connection
        self._lock = threading.RLock()
        self._matrix: _Matrix | None = None

    @classmethod
    def open(cls, path: Path, manifest: Manifest) -> Index:
        """The index in that file, its vectors loaded.

        Raises:
            IndexMissing: there is none.
            IndexOfOtherBundle: another encoder made it.
            IndexDamaged: the file is no index, or damaged.
        """
        index = cls(path, connect(path), manifest)
        try:
            with guarded(path):
                check(path, index._connection, manifest)
            index._loaded()
        except BaseException:
            index.close()
            raise
        return index

    @classmethod
    def create(cls, path: Path, manifest: Manifest, label: str = "", replace: bool = False) -> Index:
        """The index in that file for adding documents, made with its folders if there is none.

        Args:
            label: kept with a new index, see `label_of`.
            replace: empty an index that is there, whichever bundle made it.

        Raises:
            IndexOfOtherBundle, IndexDamaged: as `open`.
            IndexFailure: the file cannot be made.
        """
        fresh = is_new(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        except OSError as error:
            raise IndexFailure(f"{path}: {error.strerror}: give another place with --index") from error
        index = cls(path, connect(path), manifest)
        try:
            with guarded(path):
                if not fresh:
                    check(path, index._connection, None if replace else manifest)
                if fresh or replace:
                    index._make(label)
        except BaseException:
            index.close()
            raise
        return index

    def add(self, documents: Sequence[Document], encoded: Sequence[Encoded]) -> None:
        """Nothing; every document is in the file, in place of one with its id, or after an error or a kill none is.

        Args:
            encoded: one for each document, made by the bundle of this index.
        """
        fingerprint = self.manifest.fingerprint
        with self._lock, guarded(self.path), transaction(self._connection):
            for document, item in zip(documents, encoded, strict=True):
                values = (document.id, *_content(document), item.blob(fingerprint).text())
                (number,) = self._connection.execute(UPSERT, values).fetchone()
                raw = np.ascontiguousarray(item.vectors, "<f4").tobytes()
                self._connection.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?)", (number, raw))
            self._matrix = None

    def missing(self, documents: Sequence[Document]) -> list[Document]:
        """Those of the documents that the index does not hold in the very same form."""
        query = "SELECT title, text, extra FROM documents WHERE id = ?"
        with self._lock, guarded(self.path):
            return [
                document
                for document in documents
                if self._connection.execute(query, (document.id,)).fetchone() != _content(document)
            ]

    def search(self, vector: NDArray[np.float32], k: int) -> list[Found]:
        """The `k` documents nearest to a vector, best first; equal scores in the order of adding.

        Args:
            vector: (recall_dimension,) float32 of length 1.
            k: at least 1; fewer come back from a smaller index.

        Raises:
            InvalidField: the vector has another width, or `k` is below 1.
        """
        if vector.shape != (self.manifest.recall_dimension,):
            raise InvalidField(f"vector: shape {vector.shape}, the index has ({self.manifest.recall_dimension},)")
        if k < 1:
            raise InvalidField(f"k: {k} is below 1: give a whole number of at least 1")
        with self._lock, guarded(self.path):
            matrix = self._loaded()
            if not matrix.numbers:
                return []
            scores = np.maximum.reduceat(matrix.rows @ vector, matrix.starts)
            return [self._found(matrix.numbers[place], float(scores[place])) for place in _highest(scores, k)]

    def __len__(self) -> int:
        """The number of documents."""
        with self._lock, guarded(self.path):
            return int(self._connection.execute("SELECT count(*) FROM documents").fetchone()[0])

    def close(self) -> None:
        """Nothing; the file is closed."""
        self._connection.close()

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _make(self, label: str) -> None:
        """Empty tables and what they were made with, in one transaction."""
        meta = {"bundle": self.manifest.fingerprint, "dimension": str(self.manifest.recall_dimension), "label": label}
        with transaction(self._connection):
            for statement in SCHEMA:
                self._connection.execute(statement)
            self._connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())

    def _loaded(self) -> _Matrix:
        """The matrix, read from the file if documents were added since."""
        with self._lock, guarded(self.path):
            if self._matrix is None:
                self._matrix = _load(self.path, self._connection, self.manifest.recall_dimension)
            return self._matrix

    def _found(self, number: int, score: float) -> Found:
        query = "SELECT id, title, text, extra, blob FROM documents WHERE number = ?"
        row = self._connection.execute(query, (number,)).fetchone()
        if row is None:
            raise IndexFailure(f"{self.path}: was replaced while it was open: open it again")
        if not all(isinstance(value, str) for value in row):
            raise damaged(self.path, f"document {number} holds what is no text")
        identity, title, text, extra, blob = row
        try:
            return Found(Document(identity, text, title, strict.parse(extra)), score, blob)
        except ValueError as error:
            raise damaged(self.path, f"document {number}: {error}") from error


def default_path(environment: Mapping[str, str]) -> Path:
    """Where the index is when no path is given: the XDG data folder of the user.

    Example:
        >>> default_path({"HOME": "/home/ann"}).as_posix(), default_path({"XDG_DATA_HOME": "/data"}).as_posix()
        ('/home/ann/.local/share/simgate/index.db', '/data/simgate/index.db')
    """
    given = Path(environment.get("XDG_DATA_HOME", ""))
    # the XDG specification has relative paths ignored
    data = given if given.is_absolute() else _home(environment) / ".local" / "share"
    return data / "simgate" / "index.db"


def _home(environment: Mapping[str, str]) -> Path:
    """The user's folder; the root for one whom the system does not know, as container engines have it."""
    try:
        return Path(environment.get("HOME") or Path.home())
    except RuntimeError:
        return Path("/")


def _load(path: Path, connection: sqlite3.Connection, dimension: int) -> _Matrix:
    """Every document's vectors, in the order of adding."""
    step, numbers, starts, raws = 4 * dimension, [], [], bytearray()
    for number, raw in connection.execute("SELECT number, vectors FROM vectors ORDER BY number"):
        if not raw or len(raw) % step:
            raise damaged(path, f"document {number} has {len(raw)} bytes of vectors")
        numbers.append(number)
        starts.append(len(raws) // step)
        raws += raw
    rows = np.frombuffer(raws, "<f4").reshape(-1, dimension)
    if not np.allclose(np.einsum("nd,nd->n", rows, rows), 1, atol=1e-3):
        raise damaged(path, "a vector does not have length 1")
    if connection.execute("SELECT count(*) FROM documents").fetchone()[0] != len(numbers):
        raise damaged(path, "documents and vectors do not fit together")
    return _Matrix(rows, np.array(starts, np.int64), numbers)


def _highest(scores: NDArray[np.float32], k: int) -> list[int]:
    """Places of the `k` highest scores, best first, equal ones in their order."""
    chosen = np.arange(len(scores))
    if k < len(scores):
        chosen = np.flatnonzero(scores >= np.partition(scores, len(scores) - k)[len(scores) - k])
    order: list[int] = chosen[np.argsort(-scores[chosen], kind="stable")][:k].tolist()
    return order


def _content(document: Document) -> tuple[str, str, str]:
    return document.title, document.text, json.dumps(document.extra)
