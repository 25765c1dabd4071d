"""A document as the engine stores it: its own fields, and simgate's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from plugin_server.corpus import Document
from plugin_server.encoder import Encoded
from plugin_server.engines.layout import BLOB, BUNDLE, OWN, VECTOR, WINDOWS, Layout, Mapped
from plugin_server.errors import InvalidField

#: Decimals of a stored number: a vector's direction moves by less than a ten-millionth.
DECIMALS = 7


def source(document: Document, layout: Layout) -> dict[str, Any]:
    """The document's own fields.

    Raises:
        InvalidField: one has a name that is simgate's, or the text's.
    """
    titled = {layout.title: document.title} if document.title else {}
    for name in document.extra | titled:
        if name.split(".")[0] in OWN:
            raise InvalidField(f"{name}: is simgate's own field: rename yours")
        if name == layout.text:
            raise InvalidField(f"{name}: is the field of the text, which comes from the line's text: leave one out")
    return document.extra | titled | {layout.text: document.text}


def digest(own: Mapping[str, Any], fingerprint: str, vectors: bool) -> str:
    """16 hexadecimal digits that change with the document, with the bundle, and with whether it has vectors.

    Example:
        >>> digest({"text": "a"}, "00", True) == digest({"text": "a"}, "00", True) != digest({"text": "a"}, "00", False)
        True
    """
    text = json.dumps([fingerprint, vectors, own], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def encoding(encoded: Encoded, fingerprint: str, mapped: Mapped, vectors: bool) -> dict[str, Any]:
    """simgate's fields: blob, fingerprint and, if wanted, a vector for each window."""
    fields: dict[str, Any] = {BLOB: encoded.blob(fingerprint).text(), BUNDLE: fingerprint}
    if vectors:
        fields[WINDOWS] = [{VECTOR: numbers(row, mapped)} for row in encoded.vectors]
    return fields


def numbers(vector: np.ndarray[Any, np.dtype[np.float32]], mapped: Mapped) -> list[float] | list[int]:
    """A vector of length 1 as the engine takes it: decimals, or whole numbers up to 127.

    Where the engine compares directions alone, the largest number becomes 127, which rounds the least.

    Example:
        >>> row = np.array([0.6, -0.8], np.float32)
        >>> numbers(row, Mapped(True, 2, False, "cosine", {})), numbers(row, Mapped(True, 2, True, "cosine", {}))
        ([0.6, -0.8], [95, -127])
        >>> numbers(row, Mapped(True, 2, True, "innerproduct", {}))
        [76, -102]
    """
    if mapped.byte:
        scale = 127 / np.abs(vector).max() if mapped.space == "cosine" else 127
        whole: list[int] = np.rint(vector * scale).astype(int).tolist()
        return whole
    decimal: list[float] = vector.astype(np.float64).round(DECIMALS).tolist()
    return decimal


def documented(identity: str, fields: Mapping[str, Any], layout: Layout) -> Document:
    """The document that an engine's source describes, without simgate's fields; half a surrogate pair becomes ``?``.

    Raises:
        ValueError: a number is not finite.
    """
    if not isinstance(identity, str):
        raise TypeError(f"_id {identity!r:.40}")
    title = fields.get(layout.title, "")
    extra = {
        name: value for name, value in fields.items() if name not in OWN and name not in (layout.text, layout.title)
    }
    return Document(*_sendable([identity, layout.text_of(fields), title if isinstance(title, str) else "", extra]))


def _sendable(value: list[Any]) -> list[Any]:
    """The value as it can be sent on."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        value = json.loads(text.encode("utf-8", "replace"))
    return value
