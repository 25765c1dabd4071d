"""Documents out of a corpus in JSON Lines; a line that cannot be one is refused by its number, and the rest goes on.

A line is ``{"id": …, "text": …, "title": …, …}``. The text alone is encoded: what is verified is then exactly what the
document says, and a title (for display) can neither add a claim nor hide one. Other fields are kept and come back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from plugin_server.errors import InvalidField, InvalidRequest
from plugin_server.jsonlines import kind, read_lines, text_of, unicode_of


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a corpus.

    Attributes:
        id: unique in its corpus.
        text: what is encoded.
        title: for display, may be empty.
        extra: the line's other fields.
        line: where it stood in its file, from 1; 0 for nowhere.
    """

    id: str
    text: str
    title: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is no document, and why.

    Attributes:
        id: of what came from an index and has no line.
    """

    line: int
    reason: str
    id: str = field(default="", repr=False, compare=False)


def read_corpus(stream: BinaryIO, max_characters: int, begin: int = 1) -> Iterator[Document | Refused]:
    """A document or a refusal for every line that is not empty, in the file's order.

    Args:
        stream: opened for bytes; read line by line.
        max_characters: of one text.
        begin: number of the stream's first line.

    Example:
        >>> import io
        >>> for item in read_corpus(io.BytesIO(b'{"id": "a", "text": "a red car"}\\n{"id": "b"}\\n'), 100):
        ...     print(item)
        Document(id='a', text='a red car', title='', extra={}, line=1)
        Refused(line=2, reason='text: is missing')
    """
    first: dict[str, int] = {}
    for line in read_lines(stream):
        number = line.number + begin - 1
        if line.fault:
            yield Refused(number, line.fault)
            continue
        try:
            document = document_of(line.value, max_characters, number)
        except InvalidRequest as error:
            yield Refused(number, str(error))
            continue
        if document.id in first:
            given = f"{document.id!r} was" if "id" in line.value else "is missing, and the text was"
            yield Refused(number, f"id: {given} on line {first[document.id]} already")
            continue
        first[document.id] = number
        yield document


def document_of(value: dict[str, Any], max_characters: int, line: int = 0) -> Document:
    """The document that a line's object describes.

    Raises:
        InvalidRequest: a field is missing, empty, too long or of the wrong type; the message names it.
    """
    text = text_of(value, "text", max_characters)
    title = value.get("title", "")
    if not isinstance(title, str):
        raise InvalidField(f"title: is {kind(title)}: give a text")
    identity = value.get("id", text_id(text))
    if isinstance(identity, int) and not isinstance(identity, bool):
        identity = str(identity)
    if not isinstance(identity, str) or not identity:
        what = kind(identity) if not isinstance(identity, str) else "empty"
        raise InvalidField(f"id: is {what}: give a text or a whole number, or leave it out")
    extra = {name: item for name, item in value.items() if name not in ("id", "text", "title")}
    return Document(unicode_of(identity, "id"), text, unicode_of(title, "title"), extra, line)


def text_id(text: str) -> str:
    """The id of a document that has none: 16 hexadecimal digits, the same for the same text.

    Example:
        >>> text_id("a red car")
        '4ff7ca0b5aba7ae1'
    """
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
