"""Parquet in parts: rows of one file, whatever its row groups are."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from plugin_server.blob import TokenBlob
from plugin_server.bundle import Manifest
from plugin_server.corpus import Document, Refused, document_of
from plugin_server.encoder import Encoded
from plugin_server.engines.layout import BLOB, BUNDLE, OWN, VECTOR, WINDOWS
from plugin_server.errors import InvalidField, InvalidRequest
from plugin_server.indexing import Ready
from plugin_server.offline.part import Part
from plugin_server.offline.place import Place

#: Rows that are in memory at a time.
ROWS = 256
#: Bytes that are read of a column at a time.
BUFFER = 1 << 20
#: What pyarrow raises for values that Python has no form for: times out of its range, bytes that are no text.
UNREADABLE = (ValueError, OverflowError, TypeError, pa.ArrowException)
#: Column with a document's other fields as JSON, in what `simgate encode` writes.
EXTRA = "extra"


def parts(place: Place, rows: int) -> Iterator[Part]:
    """The parts of a Parquet file, numbered from 0.

    Args:
        rows: of a part.

    Raises:
        InvalidField: it is no such file, or has no column ``text``.
    """
    with _opened(place) as file:
        columns = file.schema_arrow.names
        if "text" not in columns:
            raise InvalidField(f"{place.name}: has no column text, but {', '.join(columns)[:200]}: rename the one")
        for number, begin in enumerate(range(0, file.metadata.num_rows, rows)):
            size = min(rows, file.metadata.num_rows - begin)
            yield Part(number, "rows", place.uri, begin, size, begin + 1)


def documents(
    place: Place, part: Part, max_characters: int, manifest: Manifest | None = None
) -> Iterator[Document | Refused]:
    """The part's documents, and what is none, each with its row's number in the file, from 1.

    Args:
        manifest: of a bundle; documents that it has encoded bring that with them. Without one none does.
    """
    first: dict[str, int] = {}
    for number, row in enumerate(_rows(place, part, bool(manifest)), part.first):
        try:
            if isinstance(row, Exception):
                raise InvalidField(f"the row cannot be read: {row}")
            own = {name: row.pop(name, None) for name in OWN}
            value, extra = _plain(row)
            document = document_of(value, max_characters, number)
            document = replace(document, extra=extra | document.extra)
            if manifest:
                document = _ready(document, own, manifest)
        except InvalidRequest as error:
            yield Refused(number, str(error))
            continue
        if document.id in first:
            yield Refused(number, f"id: {document.id!r} was in row {first[document.id]} already")
            continue
        first[document.id] = number
        yield document


def _ready(document: Document, own: dict[str, Any], manifest: Manifest) -> Document:
    """The document with what its row has of the bundle's; as it is if that is another's or cannot be read."""
    if own[BUNDLE] != manifest.fingerprint or not isinstance(own[BLOB], str):
        return document
    try:
        blob = TokenBlob.parse(own[BLOB]).expect(manifest)
        vectors = np.array([window[VECTOR] for window in own[WINDOWS]], np.float32)
    except (InvalidRequest, TypeError, KeyError, ValueError):
        return document
    if vectors.shape != (len(blob.windows), manifest.recall_dimension):
        return document
    named = {item.name: getattr(document, item.name) for item in fields(document)}
    return Ready(**named, encoded=Encoded(vectors, blob.windows, ()))


def _rows(place: Place, part: Part, own: bool) -> Iterator[dict[str, Any] | Exception]:
    """The part's rows; what Python has no form for is an error in its row's place.

    Args:
        own: whether with simgate's own columns.
    """
    with _opened(place) as file:
        columns = [name for name in file.schema_arrow.names if own or name not in OWN]
        groups, skip, start = list[int](), 0, 0
        for group in range(file.metadata.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            if start < part.begin + part.size and end > part.begin:
                skip = skip if groups else part.begin - start
                groups.append(group)
            start = end
        left = part.size
        for batch in file.iter_batches(ROWS, row_groups=groups, columns=columns):
            taken = batch.slice(min(skip, len(batch)), left)
            skip, left = max(0, skip - len(batch)), left - len(taken)
            yield from _listed(taken)
            if not left:
                return


def _listed(batch: pa.RecordBatch) -> list[dict[str, Any] | Exception]:
    """The rows, each by itself if not all can be read; of a time's nanoseconds the microseconds."""
    columns = [
        column.cast(pa.timestamp("us", column.type.tz), safe=False)
        if pa.types.is_timestamp(column.type) and column.type.unit == "ns"
        else column
        for column in batch.columns
    ]
    batch = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
    try:
        return list(batch.to_pylist())
    except UNREADABLE as error:
        return [error] if len(batch) == 1 else [row for at in range(len(batch)) for row in _listed(batch.slice(at, 1))]


def _plain(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A row as a line of JSON would have it, without what is null; and other fields, out of the column of their own.

    Raises:
        InvalidField: a value has no form in JSON, or an id, a text or a title is bytes that are no UTF-8.
    """
    given = {name: _unicode(name, value) for name, value in row.items() if value is not None}
    try:
        value: dict[str, Any] = json.loads(json.dumps(given, default=_text, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InvalidField(f"a value has no form in JSON: {error}") from None
    extra = value.pop(EXTRA, "")
    if extra == "":
        return value, {}
    try:
        named = json.loads(extra)
    except (TypeError, ValueError, RecursionError):  # no text, or one that is no JSON
        named = None
    return value, named if isinstance(named, dict) else {EXTRA: extra}


def _unicode(name: str, value: Any) -> Any:
    """The value; of a text's bytes, as older writers mark them, the text."""
    if not isinstance(value, bytes) or name not in ("id", "text", "title"):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidField(f"{name}: is bytes that are no UTF-8: give a column of texts") from None


def _text(value: object) -> str:
    """A value that JSON has no form for, as text."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(type(value).__name__)


@contextmanager
def _opened(place: Place) -> Iterator[pq.ParquetFile]:
    """The file.

    Raises:
        InvalidField: it is no Parquet file.
    """
    with place.system.open_input_file(place.path) as raw:
        try:
            # neither alone keeps it from reading a row group's whole columns at once
            file = pq.ParquetFile(raw, pre_buffer=False, buffer_size=BUFFER)
        except (pa.ArrowException, OSError) as error:
            raise InvalidField(f"{place.name}: is no Parquet file: {error}") from None
        yield file
