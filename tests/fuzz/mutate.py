"""Inputs that are nearly right: values, JSON and bytes, changed by a seeded generator."""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random
from typing import Any

NUMBERS = [
    *(0, -0.0, 1, -1, 2, 0.5, 1 - 2**-53, 1 + 2**-52, 5e-324, -5e-324, 1e-300, 1e300, 1.7e308, -1.7e308),
    *(float("nan"), float("inf"), float("-inf"), 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32),
    *(2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**308, 10**400, -(10**400), 10**4290),
]
TEXTS = [
    *("", " ", "\t\r\n", "\0", "a\0b", "\x7f", "\u00a0", "\u2028", "\ufeff", "\ufffe",),
    *("\U0010ffff", "\ud800", "\udfff\ud800"),
    *("\u200b", "\u200d\u200d", "\u202etfel\u202c", "\u2066a\u2069", "e\u0301" * 40,),
    *("Z\u0351\u0352\u0353" * 30, "\u0301"),
    *("👩‍👩‍👧‍👦", "🇩🇪" * 20, "ﬁ ﬃ ſ İ ı ß", "１２", "٣", "²", "Ⅻ", "１_0", "1_000",),
    *("0x10", "1e3", "+7", "-0", "007", " 7 "),
    *("nan", "NaN", "inf", "-Infinity", "1e999", "9" * 400, "9" * 5000, "0." + "0" * 400 + "1", "true", "null", "None"),
    *("[", "{}", '"', "\\", "\\ud800", "%00", "%2e%2e/", "../../etc/passwd", "${x}", "{0}", "%s", "<!--", "'; --"),
    *("http://", "http://[", "http://[::1", "http://h:99999", "http://h:-1", "http://h:٣", "http://a b", "http://\0"),
    *("//", "http://:80", "https://u:p@h", "http://h#f", "http://h?q", "http://ex\u2100mple", "http://xn--", "http://h:1/é"),
    *("sgb1:", "sgb1:AAAA", "sgb1:////", "sgb1:é", "a" * 3000, "word " * 600, "字" * 500, "\u202e" * 300, "." * 2000),
]  # fmt: skip
#: Stand for text that cannot be written by a JSON library: see `spelled`.
DEEP = {"@deep-100@": 100, "@deep-900@": 900, "@deep-970@": 970, "@deep-100000@": 100_000}
RAW = ["@nan@", "@huge@", "@surrogate@", "@comment@"]
SPELLINGS = {"@nan@": "NaN", "@huge@": "9" * 5000, "@surrogate@": '"\\ud800"', "@comment@": "1 /* */"}


def value(random: Random, depth: int = 2) -> Any:
    """Any JSON value, the awkward ones more often than not."""
    kind = random.randrange(10)
    if kind < 3:
        return random.choice(NUMBERS)
    if kind < 6:
        return random.choice(TEXTS)
    if kind == 6:
        return random.choice([None, True, False, [], {}, [[]], [None], {"": None}])
    if kind == 7:
        return random.choice([*DEEP, *RAW])
    if depth <= 0:
        return random.random() * random.choice([1, -1, 1e6])
    if kind == 8:
        return [value(random, depth - 1) for _ in range(random.randrange(4))]
    return {text(random)[:20]: value(random, depth - 1) for _ in range(random.randrange(4))}


def text(random: Random) -> str:
    """A text: awkward, or of random characters of one block."""
    if random.random() < 0.6:
        return random.choice(TEXTS)
    low = random.choice(
        [0x20, 0x20, 0xA0, 0x300, 0x400, 0x590, 0x900, 0x2000, 0x4E00, 0xD7F0, 0xFF00, 0x1F300, 0xE0000]
    )
    return "".join(chr(low + random.randrange(96)) for _ in range(random.randrange(1, 30)))


def mutated(random: Random, given: Any, times: int | None = None) -> Any:
    """A copy of a JSON value with a few of its parts replaced, taken out, doubled, wrapped, exchanged or renamed."""
    result = {"": deepcopy(given)}
    for _ in range(random.randrange(1, 4) if times is None else times):
        owner, key = random.choice(list(_places(result)))
        _change(random, owner, key, result)
    return result.get("")


def _places(value: Any, depth: int = 6) -> Any:
    """Every container with each of its keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    for key in keys:
        yield value, key
        if depth:
            yield from _places(value[key], depth - 1)


def _change(random: Random, owner: Any, key: Any, root: Any) -> None:
    kind, inner = random.randrange(9), owner[key]
    if kind < 4:
        owner[key] = value(random)
    elif kind == 4 and owner is not root:
        del owner[key]
    elif kind == 5:
        owner[key] = random.choice([[inner], {"value": inner}, [inner, deepcopy(inner)], str(inner)[:200]])
    elif kind == 6 and isinstance(owner, dict) and owner is not root:
        owner[random.choice([text(random)[:30], f"{key} ", str(key).upper(), "_score", "_id", "hits"])] = value(random)
    elif kind == 7 and isinstance(inner, dict):
        inner[text(random)[:30]] = value(random)
    elif isinstance(inner, int | float) and not isinstance(inner, bool):
        owner[key] = random.choice(
            [-inner, inner + 1, inner * 10, float(inner) if abs(inner) < 1e300 else 0, not inner]
        )
    else:
        owner[key] = value(random)


def spelled(random: Random, given: Any) -> bytes:
    """The JSON text of a value; now and then the text is broken, in another encoding, or has a key twice."""
    said = json.dumps(given, ensure_ascii=random.random() < 0.5)
    for mark, depth in DEEP.items():
        if mark in said:
            opening, closing = random.choice([("[", "]"), ('{"a":', "}")])
            said = said.replace(f'"{mark}"', opening * depth + "1" + closing * depth)
    for mark, written in SPELLINGS.items():
        said = said.replace(f'"{mark}"', written)
    kind = random.randrange(30)
    if kind == 0:
        said = said.replace("{", '{"size":1,"size":2,', 1) if len(said) > 2 else said
    if kind == 1:
        return said.encode(random.choice(["utf-16", "utf-16-le", "utf-32", "utf-7", "utf-8-sig"]), "surrogatepass")
    raw = said.encode("utf-8", random.choice(["surrogatepass", "replace"]))
    return bent(random, raw) if kind in (2, 3, 4) else raw


def bent(random: Random, raw: bytes) -> bytes:
    """The bytes with some flipped, left out, doubled, put in, or cut off."""
    made = bytearray(raw)
    for _ in range(random.randrange(1, 5)):
        place, kind = random.randrange(len(made) + 1), random.randrange(7)
        if kind == 0 and place < len(made):
            made[place] ^= 1 << random.randrange(8)
        elif kind == 1:
            del made[place : place + random.randrange(1, 9)]
        elif kind == 2:
            made[place:place] = random.randbytes(random.randrange(1, 9))
        elif kind == 3:
            made[place:place] = made[place : place + random.randrange(1, 40)]
        elif kind == 4:
            del made[place:]
        elif kind == 5:
            made[place:place] = random.choice([b"\0", b"\xff", b"\xef\xbb\xbf", b"\r\n", b" ", b"\\u0000", b"[" * 500])
        elif place < len(made):
            made[place] = random.randrange(256)
    return bytes(made)
