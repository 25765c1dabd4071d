"""What a request may choose among."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from plugin_server.errors import UnknownChoice


class Choice(StrEnum):
    """Names of which one is chosen."""

    @classmethod
    def of(cls, name: str, field: str = "") -> Self:
        """The member of that name.

        Args:
            field: for the error; the class's own name if not given.

        Raises:
            UnknownChoice: there is none.

        Example:
            >>> Policy.of("demote")
            <Policy.DEMOTE: 'demote'>
        """
        try:
            return cls(name)
        except ValueError:
            raise UnknownChoice(field or cls.__name__.lower(), name, [item.value for item in cls]) from None


class Policy(Choice):
    """What happens to a rejected candidate: dropped, put behind all others, or only marked."""

    FILTER = "filter"
    DEMOTE = "demote"
    ANNOTATE = "annotate"


class Verification(Choice):
    """Every candidate; the first ones until enough are accepted; or MaxSim alone, without verdicts."""

    FULL = "full"
    CASCADE = "cascade"
    LIGHT = "light"
