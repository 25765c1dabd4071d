"""API keys: a file names who may come in, with the digest of a key that only its owner has."""

from __future__ import annotations

import hmac
import math
import re
import secrets
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from plugin_server.errors import InvalidField

#: Of a key, for scanners that look for leaked ones, and for people.
PREFIX = "sg_"
#: Of a key, drawn at random: so many cannot be guessed, which is why a plain digest is enough.
BYTES = 32
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
DIGEST = re.compile(r"[0-9a-fA-F]{64}")
#: Of requests per second and of a burst; and of the former the least.
MOST, LEAST = 1_000_000, 0.0001


@dataclass(frozen=True, slots=True)
class Key:
    """One table of the file.

    Attributes:
        name: whose key it is; in logs and metrics.
        sha256: of the key, in hexadecimal.
        requests_per_second: that it may send; None for any number.
        burst: requests at once, after a pause; without it those of one second, at least one.
        expires: since when it is not taken any more; None for never.

    Raises:
        InvalidField: a value cannot be used; keys are not shown.

    Example:
        >>> Key("search-team", "0" * 64, requests_per_second=2.5).most
        3
    """

    name: str
    sha256: str
    requests_per_second: float | None = None
    burst: int | None = None
    expires: datetime | None = None

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise InvalidField(f"[{self.name[:80]}]: name it with 1 to 64 letters, digits, - and _")
        if not isinstance(self.sha256, str) or not DIGEST.fullmatch(self.sha256):
            self._refuse("sha256", "is not a SHA-256 digest: give 64 hexadecimal digits, as `simgate key new` does")
        if self.requests_per_second is not None and not _number(self.requests_per_second):
            self._refuse("requests_per_second", f"is not a number from {LEAST} to {MOST}: give one, or leave it out")
        if self.burst is not None and (type(self.burst) is not int or not 1 <= self.burst <= MOST):
            self._refuse("burst", f"is not a whole number from 1 to {MOST}: give one, or leave it out")
        if self.burst is not None and self.requests_per_second is None:
            self._refuse("burst", "limits nothing alone: give requests_per_second too")
        if self.expires is not None and (not isinstance(self.expires, datetime) or self.expires.tzinfo is None):
            self._refuse("expires", "is not a date with time and offset: give one as 2027-01-31T00:00:00Z, no quotes")

    @property
    def most(self) -> int:
        """Requests at once."""
        return self.burst or max(1, math.ceil(self.requests_per_second or 1))

    def valid(self, now: float) -> bool:
        """Whether it is taken at a time in seconds since 1970."""
        return self.expires is None or now < self.expires.timestamp()

    def _refuse(self, field: str, fault: str) -> None:
        raise InvalidField(f"[{self.name}] {field}: {fault}")


@dataclass(frozen=True, slots=True)
class Keys:
    """All tables of a file."""

    keys: tuple[Key, ...]

    @classmethod
    def read(cls, path: str) -> Keys:
        """The keys in a file.

        Raises:
            InvalidField: it is not TOML, a table of it cannot be used, or there is none, which would lock all out.
        """
        try:
            tables = tomllib.loads(Path(path).read_text("utf-8"))
            return cls.of(tables)
        except OSError as error:
            raise InvalidField(f"api_keys: {path}: cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError) as error:  # UnicodeDecodeError, whose words hold bytes, is a ValueError
            fault = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is not UTF-8, or nested too deep"
            raise InvalidField(f"api_keys: {path}: is not TOML: {fault}") from None
        except InvalidField as error:
            raise InvalidField(f"api_keys: {path}: {error}") from None

    @classmethod
    def of(cls, tables: Mapping[str, Any]) -> Keys:
        """The keys in the tables of a file.

        Raises:
            InvalidField: as `read`.
        """
        keys = tuple(_key(name, table) for name, table in tables.items())
        digests: dict[str, str] = {}
        for key in keys:
            other = digests.setdefault(key.sha256.lower(), key.name)
            if other != key.name:
                raise InvalidField(f"[{key.name}] sha256: is that of [{other}]: give each a key of its own")
        if not keys:
            raise InvalidField("holds no key: add one with `simgate key new`")
        return cls(keys)

    def find(self, given: bytes) -> Key | None:
        """The key that was given, unless it has expired; every one is compared, in a time that tells nothing."""
        digest, found = sha256(given).digest(), None
        for key in self.keys:
            if hmac.compare_digest(digest, bytes.fromhex(key.sha256)):
                found = key
        return found if found and found.valid(time.time()) else None


def new_key() -> str:
    """A key that nobody has seen.

    Example:
        >>> len(new_key()), new_key() == new_key()
        (46, False)
    """
    return PREFIX + secrets.token_urlsafe(BYTES)


def entry(key: Key) -> str:
    """A key as a table of the file.

    Example:
        >>> print(entry(Key("search-team", "0" * 64, 2.5)).replace("0" * 64, "…"))
        [search-team]
        sha256 = "…"
        requests_per_second = 2.5
    """
    limits = [("requests_per_second", key.requests_per_second), ("burst", key.burst)]
    lines = [f"[{key.name}]", f'sha256 = "{key.sha256}"', *(f"{name} = {value}" for name, value in limits if value)]
    return "\n".join([*lines, *([f"expires = {key.expires.isoformat()}"] if key.expires else [])])


def _key(name: str, table: Any) -> Key:
    """One table of the file."""
    if not isinstance(table, dict):
        raise InvalidField(f"{name[:80]}: stands outside of a table: name the key first, as in [search-team]")
    known = [item.name for item in fields(Key)][1:]
    for field in table:
        if field not in known:
            raise InvalidField(f"[{name[:80]}] {field[:80]}: is not known: choose one of {', '.join(known)}")
    return Key(name, **{"sha256": "", **table})


def _number(value: Any) -> bool:
    return type(value) in (int, float) and LEAST <= value <= MOST
