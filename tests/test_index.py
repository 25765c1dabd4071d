"""The embedded index: exact search against a plain oracle, upserts, and every way a file can be wrong."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from plugin_server.blob import quantise
from plugin_server.bundle import Bundle, Manifest
from plugin_server.corpus import Document
from plugin_server.encoder import Encoded
from plugin_server.errors import IndexDamaged, IndexFailure, IndexMissing, IndexOfOtherBundle, InvalidField
from plugin_server.index import Index, default_path
from plugin_server.index_file import label_of

WIDTH = 8


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return replace(Bundle.open().manifest, recall_dimension=WIDTH)


def documents(count: int) -> list[Document]:
    return [Document(f"d{n}", f"text {n}", f"title {n}", {"price": n}) for n in range(count)]


def encodings(count: int, seed: int = 1) -> list[Encoded]:
    """Random unit vectors, 1 to 3 windows each."""
    random = np.random.default_rng(seed)
    result = []
    for number in range(count):
        vectors = random.normal(size=(number % 3 + 1, WIDTH)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        result.append(Encoded(vectors, tuple(quantise(row[None], 4) for row in vectors), (None,)))
    return result


@pytest.fixture
def path(tmp_path: Path, manifest: Manifest) -> Path:
    """An index of 50 documents."""
    with Index.create(tmp_path / "index.db", manifest) as index:
        index.add(documents(50), encodings(50))
    return tmp_path / "index.db"


def test_search_is_exact_and_a_documents_best_window_counts(path: Path, manifest: Manifest) -> None:
    query = encodings(1, seed=2)[0].vectors[0]
    best = [float((item.vectors @ query).max()) for item in encodings(50)]
    expected = sorted(range(50), key=lambda number: -best[number])
    with Index.open(path, manifest) as index:
        assert len(index) == 50
        for k in (1, 7, 50, 500):
            found = index.search(query, k)
            assert [item.document.id for item in found] == [f"d{number}" for number in expected[:k]]
            assert [item.score for item in found] == pytest.approx([best[number] for number in expected[:k]], abs=1e-6)


def test_a_document_comes_back_whole(path: Path, manifest: Manifest) -> None:
    with Index.open(path, manifest) as index:
        (found,) = index.search(encodings(8)[7].vectors[1], 1)
    assert found.document == documents(8)[7]
    assert found.score == pytest.approx(1, abs=1e-6)
    assert found.blob == encodings(8)[7].blob(manifest.fingerprint).text()


def test_equal_scores_keep_the_order_of_adding(tmp_path: Path, manifest: Manifest) -> None:
    same = encodings(1) * 20
    with Index.create(tmp_path / "index.db", manifest) as index:
        index.add(documents(20), same)
        index.add(documents(3), same[:3])  # written again, they keep their places
        assert [item.document.id for item in index.search(same[0].vectors[0], 5)] == ["d0", "d1", "d2", "d3", "d4"]


def test_adding_again_replaces(path: Path, manifest: Manifest) -> None:
    changed = Document("d3", "another text", "", {})
    with Index.create(path, manifest) as index:
        assert index.missing([*documents(50)[:3], changed, Document("new", "x")]) == [changed, Document("new", "x")]
        index.add([changed], encodings(1, seed=9))
        assert len(index) == 50
        assert index.search(encodings(1, seed=9)[0].vectors[0], 1)[0].document == changed


def test_a_failed_add_leaves_nothing(path: Path, manifest: Manifest) -> None:
    with Index.create(path, manifest) as index:
        with pytest.raises(ValueError, match="shorter"):
            index.add([Document("x", "x"), Document("y", "y")], encodings(1))
        assert len(index) == 50


def test_an_index_in_memory_sees_what_it_added(tmp_path: Path, manifest: Manifest) -> None:
    with Index.create(tmp_path / "deep" / "er" / "index.db", manifest) as index:
        vector = encodings(1)[0].vectors[0]
        assert index.search(vector, 3) == []
        index.add(documents(1), encodings(1))
        assert len(index.search(vector, 3)) == 1


def test_threads_may_search_at_once(path: Path, manifest: Manifest) -> None:
    vectors = [item.vectors[0] for item in encodings(50)]
    wrong: list[int] = []
    with Index.open(path, manifest) as index:

        def ask() -> None:
            wrong.extend(n for n, vector in enumerate(vectors) if index.search(vector, 1)[0].document.id != f"d{n}")

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_query_must_fit(path: Path, manifest: Manifest) -> None:
    with Index.open(path, manifest) as index:
        with pytest.raises(InvalidField, match="vector"):
            index.search(np.ones(WIDTH + 1, np.float32), 1)
        with pytest.raises(InvalidField, match="k: 0"):
            index.search(np.ones(WIDTH, np.float32), 0)


def test_no_index_there(tmp_path: Path, manifest: Manifest) -> None:
    with pytest.raises(IndexMissing, match="simgate index"):
        Index.open(tmp_path / "index.db", manifest)
    assert label_of(tmp_path / "index.db") is None


def test_an_index_of_another_bundle_is_noticed_and_can_be_replaced(path: Path, manifest: Manifest) -> None:
    other = replace(manifest, fingerprint="00" * 8)
    for way in (Index.open, Index.create):
        with pytest.raises(IndexOfOtherBundle, match=manifest.fingerprint):
            way(path, other)
    with Index.create(path, other, label="fresh", replace=True) as index:
        assert len(index) == 0
    assert label_of(path) == "fresh"


@pytest.mark.parametrize(
    "content", [b"not a database, but a text of some length\n" * 40, b"SQLite format 3\0" + b"\7" * 2000]
)
def test_another_file_is_never_touched(tmp_path: Path, manifest: Manifest, content: bytes) -> None:
    path = tmp_path / "precious.txt"
    path.write_bytes(content)
    for attempt in (
        lambda: Index.open(path, manifest),
        lambda: Index.create(path, manifest),
        lambda: Index.create(path, manifest, replace=True),
        lambda: label_of(path),
    ):
        with pytest.raises(IndexDamaged, match=r"precious\.txt"):
            attempt()
    assert path.read_bytes() == content


def test_an_sqlite_file_of_another_program_is_never_touched(tmp_path: Path, manifest: Manifest) -> None:
    path = tmp_path / "other.db"
    execute(path, "CREATE TABLE documents (number)")
    with pytest.raises(IndexDamaged, match="no index of simgate"):
        Index.create(path, manifest, replace=True)


DAMAGE = [
    # statement, part of the message
    ("UPDATE vectors SET vectors = x'0102' WHERE number = 3", "2 bytes of vectors"),
    ("UPDATE vectors SET vectors = zeroblob(32) WHERE number = 3", "does not have length 1"),
    ("DELETE FROM vectors WHERE number = 3", "do not fit together"),
    ("UPDATE meta SET value = '9' WHERE key = 'dimension'", "vectors of 9 numbers"),
    ("DELETE FROM meta WHERE key = 'dimension'", "meta table is incomplete"),
    ("DROP TABLE vectors", "it has other tables than an index"),
    ("PRAGMA user_version = 99", "format 99"),
]


@pytest.mark.parametrize(("statement", "message"), DAMAGE)
def test_damage_is_noticed_on_opening(path: Path, manifest: Manifest, statement: str, message: str) -> None:
    execute(path, statement)
    with pytest.raises(IndexDamaged, match=message):
        Index.open(path, manifest)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_noticed(path: Path, manifest: Manifest, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(IndexDamaged), Index.open(path, manifest) as index:
        index.search(encodings(1)[0].vectors[0], 50)


def test_an_empty_file_becomes_an_index(tmp_path: Path, manifest: Manifest) -> None:
    path = tmp_path / "index.db"
    path.touch()
    with pytest.raises(IndexDamaged):
        Index.open(path, manifest)
    with Index.create(path, manifest) as index:
        assert len(index) == 0


def test_a_locked_file_is_no_damage(path: Path, manifest: Manifest) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(IndexFailure, match="locked") as caught:
            Index.open(path, manifest)
        assert not isinstance(caught.value, IndexDamaged)
    finally:
        other.close()


def test_a_folder_cannot_be_an_index(tmp_path: Path, manifest: Manifest) -> None:
    for way in (Index.open, Index.create):
        with pytest.raises(IndexFailure):
            way(tmp_path, manifest)


def test_a_path_under_a_file_cannot_be_made(path: Path, manifest: Manifest) -> None:
    with pytest.raises(IndexFailure, match="--index"):
        Index.create(path / "index.db", manifest)


def test_odd_file_names(tmp_path: Path, manifest: Manifest) -> None:
    path = tmp_path / "100 % sure?#1.db"
    with Index.create(path, manifest) as index:
        index.add(documents(1), encodings(1))
    assert path.exists()
    with Index.open(path, manifest) as index:
        assert len(index) == 1


PLACES = [
    ({"XDG_DATA_HOME": "/data"}, "/data/simgate/index.db", "XDG"),
    ({"XDG_DATA_HOME": "data", "HOME": "/h"}, "/h/.local/share/simgate/index.db", "relative: to be ignored"),
    ({"XDG_DATA_HOME": "", "HOME": "/h"}, "/h/.local/share/simgate/index.db", "empty: as if not set"),
    ({}, f"{Path.home()}/.local/share/simgate/index.db", "nothing set"),
]


@pytest.mark.parametrize(("environment", "place", "remark"), PLACES)
def test_the_default_place(environment: dict[str, str], place: str, remark: str) -> None:
    assert str(default_path(environment)) == place


def test_extra_fields_survive_any_unicode(tmp_path: Path, manifest: Manifest) -> None:
    document = Document("é\0\N{AUTOMOBILE}", "שלום", "", json.loads('{"odd": "\\ud800", "n": 1e300}'))
    with Index.create(tmp_path / "index.db", manifest) as index:
        index.add([document], encodings(1))
        assert index.missing([document]) == []
        assert index.search(encodings(1)[0].vectors[0], 1)[0].document == document


def execute(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()


HOSTILE = [
    ("CREATE TRIGGER t AFTER INSERT ON documents BEGIN DELETE FROM documents; END", "other tables", "a trigger"),
    ("CREATE VIEW v AS SELECT load_extension('x')", "other tables", "a view"),
    (
        "ALTER TABLE meta RENAME TO m; CREATE VIEW meta AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) "
        "SELECT x AS key, x AS value FROM n",
        "other tables",
        "a table that never ends",
    ),
    ("UPDATE documents SET extra = replace(hex(zeroblob(99999)), '0', '[')", "nested too deeply", "beyond any stack"),
    ("UPDATE documents SET extra = '{'", "document 1: ", "no JSON"),
    ("UPDATE documents SET text = x'00ff'", "document 1 holds what is no text", "bytes for a text"),
    ("UPDATE documents SET id = 10 + number", "", "a number for an id, which SQLite makes a text"),
]


@pytest.mark.parametrize(("script", "message", "remark"), HOSTILE, ids=[row[2] for row in HOSTILE])
def test_files_made_on_purpose(tmp_path: Path, manifest: Manifest, script: str, message: str, remark: str) -> None:
    path = tmp_path / "index.db"
    with Index.create(path, manifest) as index:
        index.add(documents(1), encodings(1))
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()

    def searched() -> str:
        with Index.open(path, manifest) as index:
            return index.search(encodings(1)[0].vectors[0], 1)[0].document.id

    if message:
        with pytest.raises(IndexDamaged, match=message):
            searched()
    else:
        assert searched() == "11"


def test_a_pipe_in_its_place_does_not_hang(tmp_path: Path, manifest: Manifest) -> None:
    os.mkfifo(tmp_path / "index.db")
    for use in (Index.open, Index.create):
        with pytest.raises(IndexFailure, match="a pipe or a device"):
            use(tmp_path / "index.db", manifest)
    with pytest.raises(IndexFailure, match="a folder"):
        Index.open(tmp_path, manifest)
