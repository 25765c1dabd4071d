"""JSON Lines in and out, as bytes and line by line: a bad line has a number and a fault, and the next one is read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from plugin_server.depth import too_deep
from plugin_server.errors import EmptyText, InvalidField, InvalidRequest, InvalidText, OverLimit

#: Bytes of one line; a longer one is passed over piece by piece, so that a file without line ends needs no more memory.
LINE_BYTES = 64 << 20
KINDS = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", int: "a number", float: "a number"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: its number from 1, and either its object or what is wrong with it."""

    number: int
    value: dict[str, Any] = field(default_factory=dict)
    fault: str = ""


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """Every line of a file opened for bytes; empty lines are skipped, but counted.

    Example:
        >>> import io
        >>> for line in read_lines(io.BytesIO(b'{"text": "a red car"}\\n\\n[1]\\n')):
        ...     print(line.number, line.fault or line.value)
        1 {'text': 'a red car'}
        3 not an object but a list
    """
    number = 0
    while raw := stream.readline(LINE_BYTES):
        number += 1
        if len(raw) == LINE_BYTES and not raw.endswith(b"\n"):
            _pass_over(stream)
            yield Line(number, fault=f"longer than {LINE_BYTES >> 20} MiB")
            continue
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if not raw.strip():
            continue
        try:
            yield Line(number, parse(raw))
        except InvalidRequest as error:
            yield Line(number, fault=str(error))


def parse(raw: bytes) -> dict[str, Any]:
    """The JSON object that the bytes spell.

    Raises:
        InvalidField: they are not UTF-8, not JSON (``NaN`` and numbers beyond a double are not), or no object.
    """
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_number, parse_float=_number)
    except UnicodeDecodeError as error:
        raise InvalidField(f"not UTF-8: byte 0x{raw[error.start]:02x} at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise InvalidField(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except ValueError as error:  # a number of thousands of digits
        raise InvalidField(f"not JSON: {error}") from None
    except RecursionError:
        raise InvalidField("not JSON: nested too deeply") from None
    if too_deep(value):
        raise InvalidField("not JSON: nested too deeply")
    if not isinstance(value, dict):
        raise InvalidField(f"not an object but {kind(value)}")
    return value


def object_of(name: str, text: str | None) -> dict[str, Any] | None:
    """The JSON object that a field's text spells, None for no text.

    Raises:
        InvalidField: it spells none; the message names the field.

    Example:
        >>> object_of("filter", '{"term": {"lang": "en"}}'), object_of("filter", "")
        ({'term': {'lang': 'en'}}, None)
    """
    try:
        return parse(text.encode()) if text else None
    except InvalidField as error:
        raise InvalidField(f"{name}: {error}") from None


def dump(value: Mapping[str, Any]) -> bytes:
    """The object as one line of UTF-8 with its line end; what is not valid Unicode is escaped.

    Example:
        >>> dump({"text": "café"}) == '{"text": "café"}\\n'.encode()
        True
    """
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8") + b"\n"
    except UnicodeEncodeError:
        return json.dumps(value).encode("ascii") + b"\n"


def text_of(value: Mapping[str, Any], name: str, limit: int) -> str:
    """The text in a field, with words in it.

    Raises:
        InvalidField: the field is missing or holds no text.
        EmptyText: it has only spaces and control characters.
        InvalidText: it has a lone surrogate, as ``"\\ud800"`` makes.
        OverLimit: it has more than `limit` characters.
    """
    if name not in value:
        raise InvalidField(f"{name}: is missing")
    text = value[name]
    if not isinstance(text, str):
        raise InvalidField(f"{name}: is {kind(text)}: give a text")
    if len(text) > limit:
        raise OverLimit(name, len(text), limit, "characters", "split it, or raise SIMGATE_MAX_CHARACTERS")
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise EmptyText(name)
    return unicode_of(text, name)


def unicode_of(text: str, name: str) -> str:
    """The text itself.

    Raises:
        InvalidText: it cannot be written as UTF-8.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidText(name) from None
    return text


def kind(value: object) -> str:
    """What JSON calls a value, with its article.

    Example:
        >>> kind([]), kind(None)
        ('a list', 'null')
    """
    return KINDS.get(type(value), "null")


def _number(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise InvalidField(f"not JSON: {literal[:20]} is not a finite number")
    return number


def _pass_over(stream: BinaryIO) -> None:
    """Read on to the line's end."""
    while (raw := stream.readline(LINE_BYTES)) and not raw.endswith(b"\n"):
        pass
