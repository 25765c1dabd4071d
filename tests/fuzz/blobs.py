"""Token blobs: `TokenBlob.parse`, `split` and `maker` over blobs with one thing or several wrong."""

from __future__ import annotations

import base64
import struct
import zlib
from random import Random

import numpy as np
from hypothesis import strategies as st

from fuzz.mutate import bent, text
from fuzz.target import Target, at_once, coverage, mutations, properties
from plugin_server.blob import MAGIC, TokenBlob, maker, split
from plugin_server.bundle import DEFAULT as FOLDER
from plugin_server.bundle import Manifest
from plugin_server.errors import BlobError

MANIFEST = Manifest.read(FOLDER)
AWKWARD = [0, 1, 2, 3, 4, 7, 8, 16, 63, 64, 65, 255, 256, 257, 32767, 65535]
ALIKE = str.maketrans({"A": "А", "B": "Ｂ", "a": "а", "0": "٠", "1": "１", "+": "-", "/": "_", "=": "＝"})
MAGICS = [
    MAGIC,
    MAGIC,
    MAGIC,
    MAGIC,
    "sgb2:",
    "SGB1:",
    "sgb1",
    " sgb1:",
    "sgb1: ",
    "sgb１:",
    "\ufeffsgb1:",
    "sgb1:sgb1:",
    "",
]


def blob(random: Random) -> str:
    """A blob: right, or with a head, a body, a checksum, a spelling or a length that is not."""
    dimension, bits = random.choice([1, 2, 3, 8, 63, 64, 65]), random.choice([4, 8])
    rows = [random.randrange(1, 6) for _ in range(random.choice([1, 1, 1, 2, 3, 8]))]
    mark = bytes.fromhex(MANIFEST.fingerprint) if random.random() < 0.5 else random.randbytes(8)
    numbers = random.randbytes(-(-sum(rows) * dimension * bits // 8)).replace(b"\0", b"\x01").replace(b"\x88", b"\x99")
    head = [dimension, bits, len(rows)]
    if random.random() < 0.3:
        head[random.randrange(3)] = random.choice(AWKWARD)
    if random.random() < 0.2:
        rows[random.randrange(len(rows))] = random.choice(AWKWARD)
    if random.random() < 0.1:
        numbers = numbers[: random.randrange(len(numbers) + 1)] + bytes(random.randrange(9))
    body = mark + struct.pack(f"<3H{len(rows)}H", *head, *rows) + numbers
    if random.random() < 0.2:
        body = bent(random, body)
    body += struct.pack("<I", zlib.crc32(body) ^ (1 << random.randrange(32) if random.random() < 0.05 else 0))
    return respelled(random, base64.b64encode(body).decode("ascii"))


def respelled(random: Random, spelling: str) -> str:
    """The magic and a spelling, mostly as they should be."""
    kind, place = random.randrange(24), random.randrange(len(spelling) + 1)
    if kind == 0:
        spelling = spelling[:place] + random.choice(["\n", " ", "\0", "=", "==", "é", "\ud800", "%"]) + spelling[place:]
    elif kind == 1:
        spelling = spelling[:place]
    elif kind == 2:
        spelling = spelling.translate(ALIKE)
    elif kind == 3:
        spelling += random.choice(["A", "AAAA", "=", " ", "\n", "a red car", spelling])
    elif kind == 4:
        spelling = bent(random, spelling.encode()).decode("latin-1")
    elif kind == 5:
        return random.choice(MAGICS) + spelling
    elif kind == 6:
        return text(random)
    return MAGIC + spelling


def check(given: str) -> None:
    """Nothing; a blob that is accepted can be written and read again, and its parts fit together."""
    stored, rest = split(given)
    assert stored + rest == given
    mark = maker(given)
    parsed = TokenBlob.parse(given)
    assert split(given + "sgb1:") == (given, "sgb1:")
    assert mark == parsed.fingerprint
    assert sum(window.size for window in parsed.windows) <= 2 * len(given), "more numbers than the text can hold"
    again = TokenBlob.parse(parsed.text())
    assert again.fingerprint == parsed.fingerprint and len(again.windows) == len(parsed.windows)
    assert all(np.array_equal(one, two) for one, two in zip(again.windows, parsed.windows, strict=True))
    parsed.expect(MANIFEST)


def check_bytes(raw: bytes) -> None:
    """Nothing; as `check`, over a text, or a body with its right checksum or without, as the first byte says."""
    if raw[:1] in b"s":
        check(raw.decode("utf-8", "surrogateescape"))
        return
    kind, rest = raw[:1], raw[1:]
    body = rest if kind < b"\x60" else rest + struct.pack("<I", zlib.crc32(rest))
    check(MAGIC + base64.b64encode(body).decode("ascii"))


def seeds() -> list[bytes]:
    """Inputs for `check_bytes` to begin with: bodies of blobs that are right."""
    rows = np.ones((2, 64), np.int8)
    made = [TokenBlob(MANIFEST.fingerprint, windows).text() for windows in ((rows,), (rows * 9, rows), (rows[:, :3],))]
    return [b"\x70" + base64.b64decode(text[len(MAGIC) :])[:-4] for text in made] + [text.encode() for text in made]


def texts() -> st.SearchStrategy[str]:
    """Any text, most of them with the magic before it."""
    characters = st.characters(codec=None, categories=None)
    coded = st.binary(max_size=300).map(lambda raw: base64.b64encode(raw).decode())
    near = st.integers(0, 1 << 40).map(Random).map(blob)
    return st.one_of(st.text(characters), st.text(characters).map(MAGIC.__add__), coded.map(MAGIC.__add__), near)


LIMIT = 512 << 20
TARGETS = [
    Target("token blobs", "mutations", 330_000, 3000, at_once(mutations(blob, check)), (BlobError,), LIMIT),
    Target("token blobs", "hypothesis", 15_000, 300, at_once(properties(texts(), check)), (BlobError,), LIMIT),
    Target("token blobs", "atheris", 200_000, 3000, coverage("blobs"), (BlobError,)),
]
