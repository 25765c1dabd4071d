"""Token matrices and the text they are stored as: whole numbers of 4 or 8 bits, with the encoder's fingerprint.

::

    "sgb1:" + base64( fingerprint 8 bytes | dimension u16 | bits u16 | windows u16 | rows u16 for each window
                      | numbers, row after row, window after window | crc32 of all before, u32 )   (little endian)

Numbers of 8 bits are int8. Numbers of 4 bits are stored plus 8, two a byte, the first in the lower half; if their count
is odd, the last upper half is 0.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plugin_server.bundle import Manifest
from plugin_server.errors import BlobMalformed, BlobOfOtherBundle, BundleMalformed, InvalidField, OverLimit

MAGIC = "sgb1:"
#: Windows of a blob, and rows of a window, that two bytes can count.
MAX_WINDOWS = MAX_ROWS = 65535

#: Largest number of a row in 4 bits; rows of larger ones take 8.
LARGEST_OF_4_BITS = 7

#: Fingerprint, dimension, bits, windows.
HEAD = struct.Struct("<8sHHH")
#: A byte of zeros, by the bits of a number.
ZEROS = {4: b"\x88", 8: b"\0"}
#: Both numbers of each byte.
HALVES = np.stack([np.arange(256) & 15, np.arange(256) >> 4], axis=1).astype(np.int8) - np.int8(8)

#: int8 (t, d): a token a row; a row's direction counts, its length does not.
TokenMatrix = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class TokenBlob:
    """The token matrices of a document's windows and the fingerprint of the bundle that made them."""

    fingerprint: str
    windows: tuple[TokenMatrix, ...]

    def text(self) -> str:
        """The blob as ASCII text for a field of the document; in 4 bits a number if all of them fit.

        Raises:
            OverLimit: more windows than the format can count.
            InvalidField: what `parse` would refuse: no window, or one that is no int8 matrix of directions.
        """
        if len(self.windows) > MAX_WINDOWS:
            raise OverLimit("document", len(self.windows), MAX_WINDOWS, "windows", "split the document")
        if not self.windows or not all(_is_matrix(window, self.windows[0].shape[-1]) for window in self.windows):
            raise InvalidField("windows: give at least one int8 matrix, all of one width and no row all zero")
        rows = [len(window) for window in self.windows]
        numbers = np.concatenate([window.ravel() for window in self.windows])
        small = max(int(numbers.max()), -int(numbers.min())) <= LARGEST_OF_4_BITS
        head = HEAD.pack(bytes.fromhex(self.fingerprint), self.windows[0].shape[1], 4 if small else 8, len(rows))
        head += struct.pack(f"<{len(rows)}H", *rows)
        body = head + (_halves(numbers) if small else numbers.tobytes())
        return MAGIC + base64.b64encode(body + struct.pack("<I", zlib.crc32(body))).decode("ascii")

    @classmethod
    def parse(cls, text: str, field: str = "blob") -> TokenBlob:
        """The blob that `text` wrote.

        Args:
            field: its name, for error messages.

        Raises:
            BlobMalformed: truncated, altered, no blob, or a row without direction (all zero).

        Example:
            >>> rows = np.array([[127, 0], [0, -127]], np.int8)
            >>> TokenBlob.parse(TokenBlob("00" * 8, (rows,)).text()).windows[0].tolist()
            [[127, 0], [0, -127]]
        """
        if not is_blob(text):
            raise BlobMalformed(f"does not start with {MAGIC!r}", field)
        try:
            raw = binascii.a2b_base64(text[len(MAGIC) :], strict_mode=True)
        except (binascii.Error, ValueError):
            raise BlobMalformed("is not base64, or truncated", field) from None
        # the last characters carry up to four bits that decoding drops, so that the checksum does not see them
        tail = base64.b64encode(raw[(len(raw) - 1) // 3 * 3 :]).decode("ascii")
        body, checksum = raw[:-4], int.from_bytes(raw[-4:], "little")
        if not text.endswith(tail) or len(body) < HEAD.size or zlib.crc32(body) != checksum:
            raise BlobMalformed("is truncated or altered (its checksum differs)", field)
        return cls(body[:8].hex(), tuple(_windows(body, field)))

    def expect(self, manifest: Manifest, field: str = "blob") -> TokenBlob:
        """This blob, if the manifest's bundle made it.

        Raises:
            BlobOfOtherBundle: another one made it.
            BlobMalformed: a row does not have the bundle's width, or a window more rows than the bundle's.
        """
        fingerprint, dimension, longest = manifest.fingerprint, manifest.token_dimension, manifest.window_tokens
        if self.fingerprint != fingerprint:
            raise BlobOfOtherBundle(self.fingerprint, fingerprint, field)
        if self.windows[0].shape[1] != dimension:
            raise BlobMalformed(f"has rows of {self.windows[0].shape[1]} numbers, the bundle {dimension}", field)
        if max(map(len, self.windows)) > longest:
            raise BlobMalformed(f"has a window of {max(map(len, self.windows))} rows, the bundle {longest}", field)
        return self


def is_blob(text: str) -> bool:
    """Whether a text is meant as a token blob: it starts with the magic.

    Example:
        >>> is_blob("sgb1:AAAA"), is_blob("a red car")
        (True, False)
    """
    return text.startswith(MAGIC)


def split(text: str) -> tuple[str, str]:
    """A blob at the beginning of a text, empty for none, and the text behind it.

    OpenSearch's rerank processor joins a document's fields without a separator, and a blob says in its head how long it
    is. One that is cut off, or whose head cannot be read, comes back whole with nothing behind it.

    Example:
        >>> blob = TokenBlob("00" * 8, (np.array([[127, 0]], np.int8),)).text()
        >>> split(blob + "a red car") == (blob, "a red car"), split("a red car"), split("sgb1:cut off")
        (True, ('', 'a red car'), ('sgb1:cut off', ''))
    """
    if not is_blob(text):
        return "", text
    try:
        _, dimension, bits, count = HEAD.unpack(_decoded(text, 0, HEAD.size))
        lengths = struct.unpack(f"<{count}H", _decoded(text, HEAD.size, HEAD.size + 2 * count))
    except (binascii.Error, ValueError, struct.error):
        return text, ""
    size = HEAD.size + 2 * count + -(-sum(lengths) * dimension * bits // 8) + 4
    end = len(MAGIC) + -(-size // 3) * 4
    return text[:end], text[end:]


def maker(text: str) -> str:
    """The fingerprint of the bundle that made a blob, empty for a text that is none or cannot be read.

    Example:
        >>> maker(TokenBlob("00" * 8, (np.array([[127, 0]], np.int8),)).text()), maker("a red car")
        ('0000000000000000', '')
    """
    try:
        return _decoded(text, 0, 8).hex() if is_blob(text) else ""
    except (binascii.Error, ValueError):
        return ""


def _decoded(text: str, start: int, end: int) -> bytes:
    """Bytes `start` to `end` of what a blob's base64 spells."""
    first, last = start // 3, -(-end // 3)
    raw = base64.b64decode(text[len(MAGIC) + 4 * first : len(MAGIC) + 4 * last], validate=True)
    return raw[start - 3 * first : end - 3 * first]


def quantise(rows: NDArray[np.float32], bits: int) -> TokenMatrix:
    """The rows (t, d) as int8, each scaled so that its largest number becomes the largest of that many bits: 127 or 7.

    At 64 numbers a row's direction moves by a degree at most with 8 bits, by 15 with 4; every token matrix of a bundle
    is rounded like this, whether it was stored or encoded just now, so that a blob and its text get the same verdict.

    Example:
        >>> rows = np.array([[0.6, -0.8]], np.float32)
        >>> quantise(rows, bits=8).tolist(), quantise(rows, bits=4).tolist()
        ([[95, -127]], [[5, -7]])

    Raises:
        BundleMalformed: a row is all zero or not finite, so that it has no direction: no encoder that works gives one.
    """
    largest = np.abs(rows).max(axis=1, keepdims=True)
    if not (np.isfinite(largest) & (largest > 0)).all():
        raise BundleMalformed(
            "the encoder gave a token row that is zero or not finite: copy or convert the bundle again"
        )
    scaled: TokenMatrix = np.rint(rows * ((2 ** (bits - 1) - 1) / largest)).astype(np.int8)
    return scaled


def _is_matrix(window: TokenMatrix, width: int) -> bool:
    """Whether a window can be stored: int8, of that width, 1 to `MAX_ROWS` rows, none of them all zero."""
    fits = window.dtype == np.int8 and window.ndim == 2 and window.shape[1] == width and 0 < len(window) <= MAX_ROWS
    return fits and bool(window.any(axis=1).all())


def _halves(numbers: NDArray[np.int8]) -> bytes:
    """Numbers from -8 to 7, two a byte."""
    nibbles = np.zeros(-(-len(numbers) // 2) * 2, np.uint8)
    nibbles[: len(numbers)] = numbers + 8
    return (nibbles[::2] | nibbles[1::2] << 4).tobytes()


def _numbers(raw: bytes, bits: int, count: int) -> NDArray[np.int8]:
    """The first `count` numbers of so many bits, fewer if there are fewer."""
    if bits == 8:
        return np.frombuffer(raw, np.int8)[:count]
    halves: NDArray[np.int8] = HALVES.take(np.frombuffer(raw, np.uint8), axis=0).ravel()[:count]
    return halves


def _windows(body: bytes, field: str) -> Sequence[TokenMatrix]:
    _, dimension, bits, count = HEAD.unpack_from(body)
    start = HEAD.size + 2 * count
    if not dimension or not count or len(body) < start:
        raise BlobMalformed("holds no rows", field)
    if bits not in ZEROS:
        raise BlobMalformed(f"holds numbers of {bits} bits, which this simgate cannot read", field)
    lengths = struct.unpack_from(f"<{count}H", body, HEAD.size)
    numbers, raw = sum(lengths) * dimension, body[start:]
    if not all(lengths) or len(raw) != -(-numbers * bits // 8):
        raise BlobMalformed("holds another number of rows than it says", field)
    matrix = _numbers(raw, bits, numbers).reshape(-1, dimension)
    # looking for that many bytes takes a fifth of the time of looking at every row
    suspect = ZEROS[bits] * (dimension * bits // 8) in raw
    if suspect and not matrix.any(axis=1).all():
        raise BlobMalformed("holds a row of zeros, which has no direction", field)
    return np.split(matrix, np.cumsum(lengths)[:-1]) if count > 1 else [matrix]
