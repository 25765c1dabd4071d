"""JSON Lines in parts: a file is read once to find where they begin, then each part by itself."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from plugin_server.corpus import Document, Refused, read_corpus
from plugin_server.offline.part import Part
from plugin_server.offline.place import Place

#: How names of such files end; the latter are one part each, since nothing can be skipped in them.
PLAIN, COMPRESSED = (".jsonl", ".ndjson"), (".jsonl.gz", ".ndjson.gz")
#: A part with so many bytes ends at the next line, however few lines it has.
PART_BYTES = 16 << 20
CHUNK = 4 << 20


def parts(place: Place, rows: int) -> Iterator[Part]:
    """The parts of a file of JSON Lines, numbered from 0.

    Args:
        rows: lines of a part.
    """
    if place.path.endswith(COMPRESSED):
        yield Part(0, "lines", place.uri, 0, 0)
        return
    number, begin, first = 0, 0, 1
    for end, line in _ends(place, rows):
        yield Part(number, "lines", place.uri, begin, end - begin, first)
        number, begin, first = number + 1, end, line + 1


def documents(place: Place, part: Part, max_characters: int) -> Iterator[Document | Refused]:
    """The part's documents, and what is none, each with its line's number in the file."""
    if part.size:
        with place.system.open_input_file(place.path) as file:
            file.seek(part.begin)
            yield from _read(io.BufferedReader(_Piece(file, part.size)), part, max_characters)
        return
    with place.system.open_input_stream(place.path, compression=None) as raw, gzip.open(raw) as stream:
        yield from _read(io.BufferedReader(stream), part, max_characters)


class _Piece(io.RawIOBase):
    """The next bytes of a file, so many at most, as a file."""

    def __init__(self, file: Any, size: int) -> None:
        self._file, self._left = file, size

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """How many bytes were read into the buffer; 0 at the end."""
        read = self._file.read(min(len(buffer), self._left))
        buffer[: len(read)] = read
        self._left -= len(read)
        return len(read)


def _read(stream: io.BufferedReader, part: Part, max_characters: int) -> Iterator[Document | Refused]:
    return read_corpus(stream, max_characters, part.first)


def _ends(place: Place, rows: int) -> Iterator[tuple[int, int]]:
    """Where parts end: the bytes and the lines before, from the file's beginning."""
    done, lines, begin, ended = 0, 0, 0, 0  # bytes and lines read; the part's first byte; lines of the parts before
    with place.system.open_input_stream(place.path, compression=None) as stream:
        while chunk := stream.read(CHUNK):
            breaks = np.flatnonzero(np.frombuffer(chunk, np.uint8) == ord("\n")) + 1
            for position in breaks.tolist():
                lines += 1
                if lines - ended >= rows or done + position - begin >= PART_BYTES:
                    begin, ended = done + position, lines
                    yield begin, lines
            done += len(chunk)
    if done > begin:
        yield done, lines + 1
