"""Sentences out of a corpus: one a line, running text, or JSON Lines with ``text``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import BinaryIO

from plugin_server.corpus import Refused
from plugin_server.errors import InvalidField, InvalidRequest
from plugin_server.jsonlines import parse, text_of

#: Words of a sentence that can be used, and characters of a text.
SHORTEST, LONGEST, CHARACTERS = 3, 40, 10_000_000
#: Lines that tell how the file is laid out.
LOOKED_AT = 1000
_BREAK = re.compile(r"[.!?][\"”’')\]]*(\s+)(?=[A-Z0-9\"“‘(\[])")
_ABBREVIATION = re.compile(
    "(?:^|[\\s(])(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|Gen|Col|Capt|Lt|Sgt|Rev|Hon|Gov|Sen|Rep|Inc|Ltd|Co|"
    "Corp|Bros|vs|etc|e\\.g|i\\.e|cf|al|approx|ca|No|Nos|Vol|pp|Fig|Mt|Ft|U\\.S|U\\.K|Jan|Feb|Mar|Apr|Aug|Sept?|"
    "Oct|Nov|Dec)\\.$"
)
_ODD = re.compile(r"https?:|www\.|[@#<>{}|\\^~_=*\x00-\x08]|\.\.|…|\[\w|[a-z)][.!?,][A-Z]|\b[A-Z]{7,}\b")
_ENGLISH = frozenset(
    "the a an is are was were be been of in on at to and or for with from by has have had he she it they we "
    "you i this that his her their its my who which when not there as one two".split()
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and the number of the line where it begins, from 1."""

    text: str
    line: int


def read_sentences(stream: BinaryIO) -> Iterator[Sentence | Refused]:
    """Every sentence of a corpus in its order, or a refusal for a line that cannot be read.

    A file whose first line begins with ``{`` is JSON Lines with ``text``. Of any other, a line is a text of its own,
    unless the lines look broken for width (most go on with a small letter): then a paragraph, up to an empty line, is.

    Args:
        stream: opened for bytes.

    Example:
        >>> import io
        >>> for item in read_sentences(io.BytesIO(b"A dog barks\\nIt rained. Dr. Ann left.\\n")):
        ...     print(item.line, item.text)
        1 A dog barks
        2 It rained.
        2 Dr. Ann left.
    """
    raw = enumerate(stream, 1)
    head = list(islice(raw, LOOKED_AT))
    lines = chain(head, raw)
    first = next((line for _, line in head if line.removeprefix(b"\xef\xbb\xbf").strip()), b"")
    texts: Iterator[Sentence | Refused]
    if first.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        texts = _objects(lines)
    else:
        texts = _decoded(lines)
        texts = _paragraphs(texts) if _broken([line for _, line in head]) else texts
    for item in texts:
        if isinstance(item, Refused):
            yield item
        else:
            yield from (Sentence(text, item.line) for text in split(item.text))


def split(text: str) -> list[str]:
    """The sentences of a running text.

    Example:
        >>> split("Mr. Ray left at 5 p.m. today. He took the U.S. mail! Did he?")
        ['Mr. Ray left at 5 p.m. today.', 'He took the U.S. mail!', 'Did he?']
    """
    found, start = [], 0
    for match in _BREAK.finditer(text):
        if _ABBREVIATION.search(text[start : match.start() + 1]):
            continue
        found.append(text[start : match.start(1)])
        start = match.end()
    return [" ".join(part.split()) for part in (*found, text[start:]) if part.strip()]


def usable(text: str) -> bool:
    """Whether a sentence is one that the rules can read: English words, of a fair length, without markup.

    Example:
        >>> usable("The dog chased the cat."), usable("Stop."), usable("See https://example.org for the rest.")
        (True, False, False)
    """
    words = text.split()
    fits = SHORTEST <= len(words) <= LONGEST and text[0].isalnum() and not _ODD.search(text)
    return (
        fits
        and text.isascii() | (sum(map(str.isascii, text)) > 0.9 * len(text))
        and bool(_ENGLISH & set(text.lower().split()))
    )


def _objects(lines: Iterable[tuple[int, bytes]]) -> Iterator[Sentence | Refused]:
    for number, raw in lines:
        if not raw.strip():
            continue
        try:
            yield Sentence(text_of(parse(raw.removeprefix(b"\xef\xbb\xbf")), "text", CHARACTERS), number)
        except InvalidRequest as error:
            yield Refused(number, str(error))


def _decoded(lines: Iterable[tuple[int, bytes]]) -> Iterator[Sentence | Refused]:
    for number, raw in lines:
        try:
            yield Sentence(_utf8(raw).strip(), number)
        except InvalidField as error:
            yield Refused(number, str(error))


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidField(f"not UTF-8: byte 0x{raw[error.start]:02x} at byte {error.start + 1}") from None


def _paragraphs(lines: Iterable[Sentence | Refused]) -> Iterator[Sentence | Refused]:
    """Lines joined up to the next empty one."""
    held: list[Sentence] = []
    for item in lines:
        if isinstance(item, Refused):
            yield item
        elif item.text:
            held.append(item)
        elif held:
            yield Sentence(" ".join(line.text for line in held), held[0].line)
            held = []
    if held:
        yield Sentence(" ".join(line.text for line in held), held[0].line)


def _broken(lines: list[bytes]) -> bool:
    """Whether most lines go on on the next one."""
    texts = [line.decode("utf-8", "replace").strip() for line in lines]
    inside = [(one, two) for one, two in pairwise(texts) if one and two]
    going = sum(one[-1] not in ".!?" and two[0].islower() for one, two in inside)
    return bool(inside) and going > len(inside) / 2
