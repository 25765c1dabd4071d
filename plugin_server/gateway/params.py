"""A request's URL parameters, kept as they were written."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import unquote_plus


@dataclass(frozen=True, slots=True)
class Params:
    """The query string of a URL, without the question mark; engines part it at ``&`` and at ``;``.

    Example:
        >>> params = Params("size=3&pretty;q=a+b%21")
        >>> params.get("q"), params.flag("pretty"), params.without(["q"])
        ('a b!', True, Params(raw='size=3&pretty'))
    """

    raw: str = ""

    def get(self, name: str) -> str | None:
        """The decoded value, the last one if there are several; None without the parameter."""
        return next((value for key, value, _ in reversed(self._items()) if key == name), None)

    def flag(self, name: str) -> bool:
        """Whether the parameter is there and not ``false``."""
        return self.get(name) not in (None, "false")

    def names(self) -> list[str]:
        """The parameters' names, in their order."""
        return [name for name, _, _ in self._items()]

    def without(self, names: Collection[str]) -> Params:
        """The parameters but those."""
        return Params("&".join(piece for name, _, piece in self._items() if name not in names))

    def only(self, names: Collection[str]) -> Params:
        """Those of the parameters that are named."""
        return Params("&".join(piece for name, _, piece in self._items() if name in names))

    def _items(self) -> list[tuple[str, str, str]]:
        """Name, value and both as written."""
        pieces = [piece for piece in re.split("[&;]", self.raw) if piece]
        parted = [(piece.partition("="), piece) for piece in pieces]
        return [(unquote_plus(name), unquote_plus(value), piece) for (name, _, value), piece in parted]
