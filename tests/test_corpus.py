"""Corpora in JSON Lines: what a line may be, and what happens to one that may not."""

from __future__ import annotations

import io
import json

import pytest

from plugin_server.corpus import Document, Refused, read_corpus, text_id
from plugin_server.jsonlines import LINE_BYTES, Line, dump, read_lines

LIMIT = 1000

REFUSED = [
    # line, part of the reason, remark
    (b'{"text": "caf\xe9"}', "not UTF-8: byte 0xe9 at byte 14", "Latin-1"),
    (b'{"text": "a"', "not JSON", "cut off"),
    (b"a red car", "not JSON", "plain text"),
    (b'["a red car"]', "not an object but a list", "a list"),
    (b'"a red car"', "not an object but a text", "a bare text"),
    (b"null", "not an object but null", "null"),
    (b"[" * 100_000, "nested too deeply", "would exhaust the stack"),
    (b'{"text": "a", "b": ' + b"[" * 101 + b"]" * 101 + b"}", "nested too deeply", "could not be written again"),
    (b'{"text": "a", "price": NaN}', "NaN is not a finite number", "not JSON, though Python reads it"),
    (b'{"text": "a", "price": 1e999}', "1e999 is not a finite number", "beyond a double"),
    (b'{"text": "a", "price": ' + b"9" * 5000 + b"}", "not JSON", "thousands of digits"),
    (b"{}", "text: is missing", "no text"),
    (b'{"text": ""}', "text: holds no words", "empty"),
    (b'{"text": " \\t\\n\\u00a0"}', "text: holds no words", "only spaces"),
    (b'{"text": "\\u0000\\u0007\\u200b"}', "text: holds no words", "only control characters"),
    (b'{"text": "\\ud800"}', "text: holds no words", "a lone surrogate alone"),
    (b'{"text": "a \\ud800"}', "text: is not valid Unicode", "a lone surrogate"),
    (b'{"text": 7}', "text: is a number", "wrong type"),
    (b'{"text": null}', "text: is null", "wrong type"),
    (b'{"text": "a", "title": ["b"]}', "title: is a list", "wrong type"),
    (b'{"text": "a", "id": 1.5}', "id: is a number", "not a whole number"),
    (b'{"text": "a", "id": true}', "id: is a truth value", "a truth value is no number"),
    (b'{"text": "a", "id": null}', "id: is null", "wrong type"),
    (b'{"text": "a", "id": ""}', "id: is empty", "empty id"),
    (b'{"text": "a", "id": "\\udfff"}', "id: is not valid Unicode", "cannot be stored"),
    (json.dumps({"text": "x" * 1001}).encode(), "text: 1001 characters, the limit is 1000", "too long"),
]

ACCEPTED = [
    # line, text, remark
    (b'{"text": "\xf0\x9f\x9a\x97"}', "\N{AUTOMOBILE}", "only an emoji"),
    ('{"text": "المكتب مغلق"}'.encode(), "المكتب مغلق", "right to left"),
    (b'{"text": "a\\u0000b"}', "a\0b", "a control character among words"),
    (b'\xef\xbb\xbf{"text": "a"}', "a", "byte order mark"),
    (b'{"text": "a"}\r', "a", "Windows line end"),
    (json.dumps({"text": "x" * 1000}).encode(), "x" * 1000, "just within the limit"),
]


def read(raw: bytes) -> list[Document | Refused]:
    return list(read_corpus(io.BytesIO(raw), LIMIT))


@pytest.mark.parametrize(("line", "reason", "remark"), REFUSED, ids=[row[2] for row in REFUSED])
def test_a_bad_line_is_refused_by_number_and_the_rest_goes_on(line: bytes, reason: str, remark: str) -> None:
    before, bad, after = read(b'{"id": "first", "text": "one"}\n' + line + b'\n{"id": "last", "text": "two"}\n')
    assert isinstance(bad, Refused)
    assert bad.line == 2
    assert reason in bad.reason
    assert before == Document("first", "one")
    assert after == Document("last", "two")


@pytest.mark.parametrize(("line", "text", "remark"), ACCEPTED, ids=[row[2] for row in ACCEPTED])
def test_an_unusual_line_is_a_document(line: bytes, text: str, remark: str) -> None:
    assert read(line + b"\n") == [Document(text_id(text), text)]


def test_id_title_and_other_fields_are_kept_in_order() -> None:
    (document,) = read(b'{"z": [1, {"y": null}], "text": "a", "id": 7, "title": "T", "b": 0.5}')
    assert document == Document("7", "a", "T", {"z": [1, {"y": None}], "b": 0.5})
    assert isinstance(document, Document)
    assert list(document.extra) == ["z", "b"]


def test_an_id_counts_once_and_a_refused_line_does_not_take_it() -> None:
    lines = [{"id": "a", "text": ""}, {"id": "a", "text": "x"}, {"id": "a", "text": "y"}, {"text": "z"}, {"text": "z"}]
    items = read(b"".join(dump(line) for line in lines))
    assert [item.line for item in items if isinstance(item, Refused)] == [1, 3, 5]
    assert items[2] == Refused(3, "id: 'a' was on line 2 already")
    assert items[4] == Refused(5, "id: is missing, and the text was on line 4 already")


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"  \n", b"\xef\xbb\xbf"])
def test_nothing_comes_of_an_empty_file(raw: bytes) -> None:
    assert read(raw) == []


def test_empty_lines_are_skipped_but_counted() -> None:
    assert [item.line for item in read(b'\n\n{"text": "a"}\n\n{"text": "b"}')] == [3, 5]


def test_a_line_beyond_every_measure_is_passed_over() -> None:
    stream = io.BytesIO(b"x" * (LINE_BYTES + 5) + b'\n{"text": "a"}\n')
    assert list(read_lines(stream)) == [Line(1, fault="longer than 64 MiB"), Line(2, {"text": "a"})]


def test_what_cannot_be_utf8_is_escaped_on_the_way_out() -> None:
    value = {"text": "é", "odd": "\ud800"}
    assert json.loads(dump(value)) == value
    assert dump(value).isascii()
