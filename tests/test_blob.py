"""The token blob: there and back, and never a crash or a silent success for one that was altered."""

from __future__ import annotations

import base64
import string
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest

from plugin_server import Bundle, Manifest, Reranker
from plugin_server.blob import MAGIC, MAX_ROWS, MAX_WINDOWS, TokenBlob, TokenMatrix, is_blob, quantise
from plugin_server.errors import BlobMalformed, BlobOfOtherBundle, BundleMalformed, InvalidField, OverLimit

MARK = "00112233445566aa"


def matrix(rows: int, width: int = 3, seed: int = 0, bits: int = 8) -> TokenMatrix:
    """A matrix of random rows, each with 127 somewhere, or 7 of 4 bits."""
    return quantise(np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32), bits)


def packed(dimension: int, lengths: list[int], rows: bytes, bits: int = 8) -> str:
    """A blob with a right checksum, whatever it says of itself."""
    head = struct.pack(f"<HHH{len(lengths)}H", dimension, bits, len(lengths), *lengths)
    body = bytes.fromhex(MARK) + head + rows
    return MAGIC + base64.b64encode(body + struct.pack("<I", zlib.crc32(body))).decode("ascii")


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize(
    ("lengths", "width", "remark"),
    [
        ([1], 1, "the smallest"),
        ([5], 64, "one window"),
        ([256, 256, 17], 64, "a long document"),
        ([1, 1, 1], 2, "windows of one row"),
        ([4], 3, "length leaves 1 over in base64"),
        ([5], 3, "and 0"),
        ([7], 2, "and 2"),
    ],
)
def test_there_and_back(lengths: list[int], width: int, bits: int, remark: str) -> None:
    windows = tuple(matrix(rows, width, seed, bits) for seed, rows in enumerate(lengths))
    text = TokenBlob(MARK, windows).text()
    assert text.isascii()
    assert is_blob(text)
    back = TokenBlob.parse(text)
    assert back.fingerprint == MARK
    assert [window.tolist() for window in back.windows] == [window.tolist() for window in windows]
    assert all(window.dtype == np.int8 for window in back.windows)
    assert back.text() == text
    head = 8 + 6 + 2 * len(lengths)
    assert len(base64.b64decode(text[len(MAGIC) :])) == head + -(-sum(lengths) * width * bits // 8) + 4


def test_bits_by_hand() -> None:
    blob = TokenBlob(MARK, (np.array([[7, -7, 1]], np.int8),))
    assert base64.b64decode(blob.text()[len(MAGIC) :])[16:-4] == bytes([0x1F, 0x09]), "7 is 15, -7 is 1, 1 is 9"
    wide = TokenBlob(MARK, (np.array([[7, -8, 1]], np.int8),))
    assert base64.b64decode(wide.text()[len(MAGIC) :])[16:-4] == bytes([7, 256 - 8, 1]), "-8 takes a byte"
    mixed = (np.array([[7, 1]], np.int8), np.array([[8, 1]], np.int8))
    assert TokenBlob.parse(TokenBlob(MARK, mixed).text()).windows[0].tolist() == [[7, 1]], "one width for all windows"


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_every_truncation_is_found(rows: int, bits: int) -> None:
    text = TokenBlob(MARK, (matrix(rows, bits=bits), matrix(1, seed=1, bits=bits))).text()
    for length in range(len(text)):
        with pytest.raises(BlobMalformed):
            TokenBlob.parse(text[:length])


@pytest.mark.parametrize(("rows", "bits"), [(1, 8), (2, 8), (3, 8), (3, 4)])
def test_every_flipped_character_is_found(rows: int, bits: int) -> None:
    # 1, 2 and 3 bytes of rows end in two, one and no "=": the last character then carries bits that decoding drops
    text = TokenBlob(MARK, (matrix(rows, width=1, bits=bits),)).text()
    for place, right in enumerate(text):
        for wrong in string.ascii_letters + string.digits + "+/=-_ \n\0é":
            if wrong != right:
                with pytest.raises(BlobMalformed):
                    TokenBlob.parse(text[:place] + wrong + text[place + 1 :])


@pytest.mark.parametrize(
    ("text", "message", "remark"),
    [
        ("", "does not start with 'sgb1:'", "no text"),
        ("a red car", "does not start with 'sgb1:'", "a text"),
        ("SGB1:AAAA", "does not start with 'sgb1:'", "capitals"),
        (MAGIC, "truncated or altered", "the magic alone"),
        (MAGIC + "AAAA", "truncated or altered", "too short for a checksum"),
        (MAGIC + "!!!!", "not base64", "other characters"),
        (TokenBlob(MARK, (matrix(2),)).text() + "\n", "not base64", "a line end behind"),
        (TokenBlob(MARK, (matrix(2),)).text() + "AAAA", "not base64|checksum differs", "more behind"),
        (packed(3, [], b""), "holds no rows", "no window"),
        (packed(0, [1], b""), "holds no rows", "rows without numbers"),
        (packed(3, [0], b""), "another number of rows", "a window without rows"),
        (packed(3, [1, 0], b"\1\2\3"), "another number of rows", "the second window without rows"),
        (packed(3, [2], b"\1\2\3"), "another number of rows", "a row too few"),
        (packed(3, [1], b"\1\2\3\4"), "another number of rows", "a number too many"),
        (packed(3, [2], b"\1\2\3\0\0\0"), "row of zeros", "a row without direction"),
        (packed(3, [1], b"\x88\x08", bits=4), "row of zeros", "the same in 4 bits"),
        (packed(3, [2], b"\xa9\x8b\x88", bits=4), "row of zeros", "in 4 bits, beginning within a byte"),
        (packed(3, [1], b"\x99", bits=4), "another number of rows", "a number too few in 4 bits"),
        (packed(3, [1], b"\1\2\3", bits=16), "numbers of 16 bits, which this simgate cannot read", "other bits"),
    ],
)
def test_malformed(text: str, message: str, remark: str) -> None:
    with pytest.raises(BlobMalformed, match=message):
        TokenBlob.parse(text)


def test_a_count_beyond_the_text_reads_nothing_behind_it() -> None:
    body = bytes.fromhex(MARK) + struct.pack("<HHH", 3, 8, 65535)
    text = MAGIC + base64.b64encode(body + struct.pack("<I", zlib.crc32(body))).decode("ascii")
    with pytest.raises(BlobMalformed, match="holds no rows"):
        TokenBlob.parse(text)


def test_field_is_named() -> None:
    with pytest.raises(BlobMalformed, match=r"^candidates\[3\]"):
        TokenBlob.parse("a red car", "candidates[3]")


def manifest(tiny: Bundle, fingerprint: str, dimension: int, window: int = 256) -> Manifest:
    """The tiny bundle's manifest with another fingerprint and other sizes."""
    return replace(tiny.manifest, fingerprint=fingerprint, token_dimension=dimension, window_tokens=window)


def test_expect(tiny: Bundle) -> None:
    blob = TokenBlob(MARK, (matrix(2),))
    assert blob.expect(manifest(tiny, MARK, 3)) is blob
    with pytest.raises(BlobOfOtherBundle, match=f"made by bundle {MARK}, but {'ff' * 8} is loaded: index the document"):
        blob.expect(manifest(tiny, "ff" * 8, 3))
    with pytest.raises(BlobMalformed, match=r"rows of 3 numbers, the bundle.* 64"):
        blob.expect(manifest(tiny, MARK, 64))
    with pytest.raises(BlobMalformed, match="a window of 2 rows, the bundle 1"):
        blob.expect(manifest(tiny, MARK, 3, window=1))


@pytest.mark.parametrize(
    ("windows", "remark"),
    [
        ((), "no window"),
        ((np.zeros((0, 3), np.int8),), "no row"),
        ((np.zeros((2, 3), np.int8),), "rows of zeros"),
        ((matrix(2), np.array([[1, 1, 1], [0, 0, 0]], np.int8)), "one row of zeros, in the second window"),
        ((matrix(2, 3), matrix(2, 4)), "two widths"),
        ((np.array([1, 2, 3], np.int8),), "a row, not a matrix"),
        ((np.ones((MAX_ROWS + 1, 1), np.int8),), "more rows than two bytes can count"),
        ((np.full((2, 3), np.nan, np.float32),), "not a number"),  # type: ignore[arg-type]
        ((np.ones((2, 3), np.float32),), "not rounded"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_stored(windows: tuple[TokenMatrix, ...], remark: str) -> None:
    with pytest.raises(InvalidField, match="windows: give at least one int8 matrix"):
        TokenBlob(MARK, windows).text()


def test_window_count_has_a_limit() -> None:
    row = np.ones((1, 1), np.int8)
    assert len(TokenBlob.parse(TokenBlob(MARK, (row,) * MAX_WINDOWS).text()).windows) == MAX_WINDOWS
    with pytest.raises(OverLimit, match="65536 windows, the limit is 65535: split the document"):
        TokenBlob(MARK, (row,) * (MAX_WINDOWS + 1)).text()


@pytest.mark.parametrize(
    ("row", "bits", "stored", "remark"),
    [
        ([1.0, 0.0], 8, [127, 0], "an axis"),
        ([1e-20, 0.0], 8, [127, 0], "the length does not count"),
        ([0.6, -0.8], 8, [95, -127], "the largest becomes 127, whatever its sign"),
        ([1.0, 0.5 / 127], 8, [127, 0], "half a step goes to the even side"),
        ([0.6, -0.8], 4, [5, -7], "the largest of 4 bits is 7"),
        ([1.0, 0.05], 4, [7, 0], "small numbers are lost"),
    ],
)
def test_quantise(row: list[float], bits: int, stored: list[int], remark: str) -> None:
    assert quantise(np.array([row], np.float32), bits).tolist() == [stored]


@pytest.mark.parametrize("bad", [[0, 0], [np.nan, 1], [np.inf, 1], [1, -np.inf], [np.nan, np.nan]])
def test_rows_without_direction_are_refused(bad: list[float]) -> None:
    with pytest.raises(BundleMalformed, match="zero or not finite"):
        quantise(np.array([[1, 1], bad], np.float32), 8)


@pytest.mark.parametrize(("bits", "degrees"), [(8, 1), (4, 15)])
def test_direction_hardly_moves(bits: int, degrees: int) -> None:
    rows = np.random.default_rng(0).normal(size=(500, 64)).astype(np.float32)
    stored = quantise(rows, bits).astype(np.float32)
    cosine = (rows * stored).sum(1) / np.linalg.norm(rows, axis=1) / np.linalg.norm(stored, axis=1)
    assert np.degrees(np.arccos(cosine.clip(-1, 1))).max() < degrees


def test_blob_of_a_text(tiny: Bundle, tiny_reranker: Reranker) -> None:
    [encoded] = tiny_reranker.encode(["the shop sells bread"])
    blob = encoded.blob(tiny.manifest.fingerprint)
    back = TokenBlob.parse(blob.text()).expect(tiny.manifest)
    assert np.array_equal(back.windows[0], encoded.windows[0])
