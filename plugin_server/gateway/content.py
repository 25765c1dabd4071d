"""A request's body as text that can be read: uncompressed, of a kind that holds JSON."""

from __future__ import annotations

import re
import zlib

from plugin_server.errors import TooLarge

#: What a content type holds that is not JSON, yet a search body for the engine.
FOREIGN = ("yaml", "cbor", "smile")
#: Without any of these a body has no rerank context, however it is spelt: letters escaped, or of two bytes each.
MARKS = re.compile(rb"query_context|simgate|\\u00[4-7]|\x00")


def is_foreign(content_type: str) -> bool:
    """Whether a content type, or what a response may be in, is one that the engine knows and simgate does not.

    Example:
        >>> is_foreign("application/yaml"), is_foreign("application/vnd.elasticsearch+json; compatible-with=9")
        (True, False)
    """
    return any(word in content_type.lower() for word in FOREIGN)


def may_concern(body: bytes) -> bool:
    """Whether a body may hold a rerank context; false, without parsing it, for nearly all that do not.

    Example:
        >>> may_concern(b'{"rerank": {"query\\\\u005fcontext": {}}}'), may_concern(b'{"query": "caf\\\\u00e9"}')
        (True, False)
    """
    return MARKS.search(body) is not None


def decoded(raw: bytes, encoding: str, limit: int) -> bytes | None:
    """The uncompressed body; None if it cannot be uncompressed here, so that the engine may say what is wrong with it.

    Args:
        encoding: the content encoding, empty for none.
        limit: of the bytes that come back.

    Raises:
        TooLarge: there are more.

    Example:
        >>> decoded(zlib.compress(b"{}"), "deflate", 10), decoded(b"{}", "", 10), decoded(b"{}", "br", 10)
        (b'{}', b'{}', None)
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return raw
    if name not in ("gzip", "x-gzip", "deflate"):
        return None
    try:
        opened = zlib.decompressobj(wbits=47)  # either header
        body = opened.decompress(raw, limit + 1)
    except zlib.error:
        return None
    if len(body) > limit:
        raise TooLarge(limit)
    return body if opened.eof and not opened.unused_data else None
