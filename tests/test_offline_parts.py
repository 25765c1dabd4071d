"""Files in parts: together they are the file, whatever its lines, row groups and the parts' size are."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import sys
import tracemalloc
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from indices import corpus_file
from pyarrow.fs import LocalFileSystem

from plugin_server import Bundle, Settings
from plugin_server.bundle import VERIFIER
from plugin_server.corpus import Document, Refused, read_corpus
from plugin_server.errors import InvalidField
from plugin_server.offline import inputs, lines
from plugin_server.offline.folder import Folder
from plugin_server.offline.part import Part
from plugin_server.offline.place import Place
from plugin_server.offline.runner import here
from plugin_server.offline.task import Encode
from plugin_server.offline.worker import Recipe

LINE = b'{"id": "%d", "text": "the bus leaves at %d"}\n'
FILES: list[tuple[bytes, int, int, str]] = [
    (b"", 3, 0, "an empty file"),
    (b"\n\n", 3, 1, "only line ends"),
    (LINE % (1, 1), 3, 1, "one line"),
    (LINE % (1, 1) * 3, 3, 1, "ids that repeat within a part"),
    (b"".join(LINE % (n, n) for n in range(9)), 3, 3, "parts that are full"),
    (b"".join(LINE % (n, n) for n in range(10)), 3, 4, "one line more"),
    (b"".join(LINE % (n, n) for n in range(10)).rstrip(), 3, 4, "no line end at the end"),
    (b"\xef\xbb\xbf" + b"".join(LINE % (n, n) for n in range(4)), 2, 2, "a byte order mark"),
    (b"\n".join([LINE % (n, n) for n in range(7)]), 2, 7, "empty lines count"),
    (b"".join([LINE % (1, 1), b"{nonsense\n", b"[1]\n", LINE % (2, 2), b'{"id": "x"}\n']), 2, 3, "bad lines"),
    (b"\r\n".join([(LINE % (n, n)).rstrip() for n in range(5)]), 2, 3, "line ends of two bytes"),
]


def found(parts: list[Part], limit: int = 1000) -> list[Document | Refused]:
    return [item for part in parts for item in inputs.documents(part, limit)]


@pytest.mark.parametrize(("raw", "rows", "number", "remark"), FILES, ids=[case[3] for case in FILES])
def test_lines_in_parts_are_the_lines_of_the_file(
    raw: bytes, rows: int, number: int, remark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_bytes(raw)
    whole = list(read_corpus(io.BytesIO(raw), 1000))
    for chunk in (7, lines.CHUNK):
        monkeypatch.setattr(lines, "CHUNK", chunk)
        parts = inputs.parts(inputs.files([str(file)]), rows)
        assert len(parts) == number, remark
        assert found(parts) == whole
        assert [getattr(item, "line", 0) for item in found(parts)] == [item.line for item in whole]
        assert [part.number for part in parts] == list(range(number))
        assert sum(part.size for part in parts) == len(raw)


def test_a_part_of_many_bytes_ends_at_the_next_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PART_BYTES", 100)
    file = tmp_path / "corpus.jsonl"
    texts = ["short", "long " * 60, "short too", "x" * 90, "end"]
    file.write_text("".join(json.dumps({"id": str(n), "text": text}) + "\n" for n, text in enumerate(texts)))
    parts = inputs.parts(inputs.files([str(file)]), 1000)
    assert [[item.text for item in found([part]) if isinstance(item, Document)] for part in parts] == [
        texts[:2], texts[2:4], texts[4:],
    ]  # fmt: skip


@pytest.mark.parametrize("ending", [".jsonl.gz", ".ndjson.gz"])
def test_a_compressed_file_is_one_part(ending: str, tmp_path: Path) -> None:
    raw = b"".join(LINE % (n, n) for n in range(50))
    file = tmp_path / f"corpus{ending}"
    file.write_bytes(gzip.compress(raw))
    parts = inputs.parts(inputs.files([str(file)]), 10)
    assert len(parts) == 1
    assert found(parts) == list(read_corpus(io.BytesIO(raw), 1000))


def table(number: int, **more: Any) -> pa.Table:
    return pa.table({"id": [str(n) for n in range(number)], "text": [f"bus {n}" for n in range(number)], **more})


GROUPS: list[tuple[int, int, int, str]] = [
    (10, 4, 3, "groups larger than parts"),
    (10, 3, 4, "groups as wide as nothing else"),
    (10, 1, 20, "a group for each row, one part"),
    (10, 10, 10, "one of both"),
    (700, 700, 300, "more rows than are read at a time"),
    (0, 1, 5, "no rows"),
]


@pytest.mark.parametrize(("rows", "group", "part", "remark"), GROUPS, ids=[case[3] for case in GROUPS])
def test_rows_in_parts_are_the_rows_of_the_file(rows: int, group: int, part: int, remark: str, tmp_path: Path) -> None:
    file = tmp_path / "corpus.parquet"
    pq.write_table(table(rows), file, row_group_size=group)
    parts = inputs.parts(inputs.files([str(file)]), part)
    assert len(parts) == -(-rows // part), remark
    assert found(parts) == [Document(str(n), f"bus {n}", line=n + 1) for n in range(rows)]
    assert [item.line for item in found(parts)] == list(range(1, rows + 1))


ROWS: list[tuple[dict[str, Any], Document | str, str]] = [
    ({"text": "a bus", "id": 7}, Document("7", "a bus"), "a number as id"),
    ({"text": "a bus", "id": "a", "title": None}, Document("a", "a bus"), "null is nothing"),
    ({"text": None, "id": "a"}, "text: is missing", "no text"),
    ({"text": "", "id": "a"}, "text: holds no words", "an empty one"),
    ({"text": "x" * 101, "id": "a"}, "the limit is 100", "too long"),
    (
        {"text": "a bus", "id": "a", "day": date(2026, 1, 2), "price": Decimal("1.50"), "raw": b"\x00"},
        Document("a", "a bus", extra={"day": "2026-01-02", "price": "1.50", "raw": "AA=="}),
        "values that JSON has no form for",
    ),
    ({"text": "a bus", "id": "a", "share": float("nan")}, "no form in JSON", "no number"),
    (
        {"text": "a bus", "id": "a", "extra": '{"price": 2, "day": "old"}', "day": "new"},
        Document("a", "a bus", extra={"price": 2, "day": "new"}),
        "other fields as simgate encode writes them; columns go before",
    ),
    ({"text": "a bus", "id": "a", "extra": "free text"}, Document("a", "a bus", extra={"extra": "free text"}), "own"),
    ({"text": "a bus", "id": "a", "simgate_blob": "sgb1:x"}, Document("a", "a bus"), "a blob is not the document's"),
    ({"text": b"caf\xc3\xa9", "id": b"a"}, Document("a", "café"), "texts as bytes"),
    ({"text": b"caf\xe9", "id": "a"}, "text: is bytes that are no UTF-8", "bytes that are no text"),
    (
        {"text": "a bus", "id": "a", "extra": '{"id": 7, "text": "a teaser", "title": "x"}'},
        Document("a", "a bus", extra={"id": 7, "text": "a teaser", "title": "x"}),
        "other fields of an index whose text has another name",
    ),
    ({"text": "a bus", "id": "a", "extra": "[" * 5000}, Document("a", "a bus", extra={"extra": "[" * 5000}), "deep"),
    ({"text": "a bus", "id": "a", "extra": "[1]"}, Document("a", "a bus", extra={"extra": "[1]"}), "no object"),
]


@pytest.mark.parametrize(("row", "expected", "remark"), ROWS, ids=[case[2] for case in ROWS])
def test_a_row_is_a_document_or_refused(
    row: dict[str, Any], expected: Document | str, remark: str, tmp_path: Path
) -> None:
    file = tmp_path / "corpus.parquet"
    columns = {name: pa.array([value], pa.string() if value is None else None) for name, value in row.items()}
    pq.write_table(pa.table(columns), file)
    (item,) = found(inputs.parts(inputs.files([str(file)]), 10), 100)
    if isinstance(expected, str):
        assert isinstance(item, Refused), remark
        assert expected in item.reason
        assert item.line == 1
    else:
        assert item == expected, remark


UNREADABLE: list[tuple[Any, str, str]] = [
    (pa.array([0, 2**60], pa.timestamp("us")), "out of range", "a time that Python has not"),
    (pa.array([0, 2**30], pa.date32()), "magnitude", "a day that Python has not"),
    (pa.array([b"a", b"caf\xe9"], pa.binary()).view(pa.string()), "can't decode", "a text that is no UTF-8"),
]


@pytest.mark.parametrize(("column", "reason", "remark"), UNREADABLE, ids=[case[2] for case in UNREADABLE])
def test_a_row_that_cannot_be_read_harms_no_other(column: Any, reason: str, remark: str, tmp_path: Path) -> None:
    file = tmp_path / "corpus.parquet"
    pq.write_table(pa.table({"id": ["a", "b"], "text": ["bus", "boat"], "more": column}), file)
    good, bad = found(inputs.parts(inputs.files([str(file)]), 10))
    assert isinstance(good, Document) and good.id == "a", remark
    assert isinstance(bad, Refused) and bad.line == 2
    assert "the row cannot be read: " in bad.reason and reason in bad.reason


def test_nanoseconds_are_read_as_microseconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)  # which pyarrow would take, and simgate does not ask for
    file = tmp_path / "corpus.parquet"
    times = pa.array([1_000_000_001, None], pa.timestamp("ns", "UTC"))
    pq.write_table(pa.table({"text": ["bus", "boat"], "at": times}), file)
    first, second = found(inputs.parts(inputs.files([str(file)]), 10))
    assert isinstance(first, Document) and first.extra == {"at": "1970-01-01T00:00:01+00:00"}
    assert isinstance(second, Document) and not second.extra


def test_a_part_of_a_large_row_group_takes_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "corpus.parquet"
    pq.write_table(pa.table({"text": [f"{n:06d} " * 100 for n in range(100_000)]}), file, compression="none")
    part = inputs.parts(inputs.files([str(file)]), 1000)[0]
    before = pa.total_allocated_bytes()
    at_most = max(pa.total_allocated_bytes() - before for _ in inputs.documents(part, 1000))
    assert at_most < file.stat().st_size / 5


def test_an_endless_line_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    with file.open("wb") as stream:
        stream.truncate(400 << 20)
    (part,) = inputs.parts(inputs.files([str(file)]), 10)
    tracemalloc.start()
    (item,) = found([part])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(item, Refused)
    assert most < 300 << 20


URIS = [
    ("s3://b/c", "a b.jsonl", "s3://b/c/a%20b.jsonl"),
    ("s3://b/c/?region=x&scheme=http", "d/a.jsonl", "s3://b/c/d/a.jsonl?region=x&scheme=http"),
    ("/tmp/a?b", "c%20d.jsonl", "/tmp/a?b/c%20d.jsonl"),
]


@pytest.mark.parametrize(("folder", "inner", "expected"), URIS)
def test_the_name_of_a_file_in_a_folder(folder: str, inner: str, expected: str) -> None:
    place = Place(LocalFileSystem(), "c", folder) / inner
    assert (place.name, place.path) == (expected, f"c/{inner}")


def test_a_folder_by_its_uri_may_hold_any_names(tmp_path: Path) -> None:
    folder = tmp_path / "x y"
    folder.mkdir()
    for name in ("a b.jsonl", "a%20c.jsonl", "ä?d.jsonl"):
        (folder / name).write_bytes(LINE % (1, 1))
    parts = inputs.parts(inputs.files([folder.as_uri()]), 10)
    assert len(found(parts)) == len(parts) == 3


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jsonl")).write_bytes(b"")
    with pytest.raises(InvalidField, match="whose name is no UTF-8: rename it"):
        inputs.files([str(tmp_path)])


def test_an_id_twice_in_a_part_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "corpus.parquet"
    pq.write_table(pa.table({"id": ["a", "b", "a"], "text": ["bus", "boat", "car"]}), file)
    items = found(inputs.parts(inputs.files([str(file)]), 10))
    assert items[2] == Refused(3, "id: 'a' was in row 1 already")


def test_a_folder_is_its_files_by_name(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/2.jsonl", "a.jsonl", "_a.jsonl", ".a.jsonl", "notes.txt"):
        (tmp_path / name).write_bytes(LINE % (1, 1))
    pq.write_table(table(3), tmp_path / "b" / "1.parquet")
    places = inputs.files([str(tmp_path)])
    assert [Path(place.path).relative_to(tmp_path).as_posix() for place in places] == [
        "a.jsonl", "b/1.parquet", "b/2.jsonl",
    ]  # fmt: skip
    parts = inputs.parts(places, 2)
    assert [part.number for part in parts] == [0, 1, 2, 3]
    assert [part.kind for part in parts] == ["lines", "rows", "rows", "lines"]
    assert inputs.files([f"file://{tmp_path}"])[0].path == places[0].path, "the same by its URI"


def broken(path: Path) -> Path:
    path.write_bytes(b"PAR1 nonsense")
    return path


def other(path: Path) -> Path:
    pq.write_table(pa.table({"body": ["a bus"]}), path)
    return path


BROKEN: list[tuple[Callable[[Path], Path | str], str, str]] = [
    (lambda folder: folder / "missing.jsonl", "there is no such file or folder", "not there"),
    (lambda folder: folder, "holds, no file that ends in .jsonl", "an empty folder"),
    (lambda folder: broken(folder / "a.parquet"), "is no Parquet file", "no Parquet"),
    (lambda folder: other(folder / "a.parquet"), "has no column text, but body: rename", "another column"),
    (lambda folder: broken(folder / "a.txt"), "is, or holds, no file", "another ending"),
    (lambda folder: "ftp9://host/a", "is no address of a file system", "no file system"),
]


@pytest.mark.parametrize(("make", "message", "remark"), BROKEN, ids=[case[2] for case in BROKEN])
def test_what_cannot_be_read_is_told_before_anything_is_done(
    make: Callable[[Path], Path | str], message: str, remark: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidField, match=message):
        inputs.parts(inputs.files([str(make(tmp_path))]), 10)


def test_a_worker_loads_the_encoder_alone(tmp_path: Path, tiny: Bundle) -> None:
    """One session of onnxruntime in each: it does without the graph of the verifier."""
    shutil.copytree(tiny.folder, tmp_path / "bundle")
    (tmp_path / "bundle" / VERIFIER).unlink()
    corpus = corpus_file(tmp_path / "corpus.jsonl", [Document("a", "The bus leaves at ten.")])
    (part,) = inputs.parts(inputs.files([str(corpus)]), 10)
    Folder(Place.of(str(tmp_path / "out"))).begin({})
    recipe = Recipe(Encode(str(tmp_path / "out"), None), Settings(bundle=str(tmp_path / "bundle"), threads=1))
    (account,) = here(recipe, [part])
    assert (account.written, account.failure) == (1, "")
