"""The lines of a multi-search: a header and a body for each search."""

from __future__ import annotations

import json
from collections.abc import Sequence

from plugin_server.errors import InvalidField

Lines = tuple[bytes, bytes]


def split(body: bytes) -> list[Lines]:
    """The header and the body of each search, as they were written; a header left over is left out, as engines do.

    Raises:
        ValueError: the last line does not end, which engines refuse.
        InvalidField: the first line is empty, which engines read in different ways.

    Example:
        >>> split(b'{"index":"a"}\\n{"size":1}\\n\\n{"size":2}\\n')
        [(b'{"index":"a"}', b'{"size":1}'), (b'', b'{"size":2}')]
    """
    *lines, rest = body.split(b"\n")
    if rest.strip():
        raise ValueError("the last line does not end")
    if lines and not lines[0].strip():
        raise InvalidField("body: the first line is empty, which engines read in different ways: write {} instead")
    return list(zip(lines[::2], lines[1::2], strict=False))


def join(searches: Sequence[Lines]) -> bytes:
    """The body of a multi-search."""
    return b"".join(header + b"\n" + body + b"\n" for header, body in searches)


def index_of(header: bytes, otherwise: str) -> str:
    """The one index that a search's header names; empty if it names several.

    Args:
        otherwise: what the URL names, for a header that names none.

    Example:
        >>> index_of(b'{"index": ["a"]}', "b"), index_of(b'{"index": ["a", "c"]}', "b"), index_of(b"", "b")
        ('a', '', 'b')
    """
    try:
        named = json.loads(header).get("index", otherwise)
    except (ValueError, AttributeError, RecursionError):  # empty; or the engine refuses it
        return otherwise
    only = named[0] if isinstance(named, list) and len(named) == 1 else named
    return only if isinstance(only, str) else ""


def without_pipeline(header: bytes) -> bytes:
    """The header of a search that runs no search pipeline, if it named one; else the header as it is.

    Raises:
        InvalidField: it is no JSON object.

    Example:
        >>> without_pipeline(b'{"index": "a", "search_pipeline": "p"}'), without_pipeline(b"")
        (b'{"index": "a", "search_pipeline": "_none"}', b'')
    """
    if b"search_pipeline" not in header:
        return header
    try:
        return json.dumps(json.loads(header) | {"search_pipeline": "_none"}).encode()
    except (ValueError, TypeError, RecursionError):
        raise InvalidField("body: the header of a search is no JSON object: write one, or {}") from None
