"""Which indices of the engine may be reached, and the judgement of what a request names against that."""

from __future__ import annotations

import re
from dataclasses import dataclass

from plugin_server.engines.stars import matches
from plugin_server.errors import IndexDenied, InvalidField

#: Signs that no index has in its name, or that somebody on the way may read otherwise than the engine does. Of the
#: last, ``${…}`` is filled in by the engine after it was judged here.
SIGNS = re.compile(r'[\\/?"<>|#%:;{}$\s]')
#: Takes hidden indices away; without it a star finds those that are hidden by name alone, on both engines.
NOT_HIDDEN = "-.*"


@dataclass(frozen=True, slots=True)
class Reach:
    """The indices that may be named; made by `of`.

    What is judged is the name that a request gives: an alias by its own name, not by those of the indices behind it.

    Attributes:
        patterns: names, and patterns in which ``*`` stands for any text; one that does not begin with a dot stands for
            no name that does. Empty for every index but those whose names begin with a dot.
    """

    patterns: tuple[str, ...] = ()

    @classmethod
    def of(cls, setting: str) -> Reach:
        """What a setting says: names and patterns, parted by commas.

        Raises:
            InvalidField: one of them cannot be of an index of this cluster.

        Example:
            >>> Reach.of("products-*, articles").patterns
            ('products-*', 'articles')
        """
        patterns = tuple(part.strip() for part in setting.split(",")) if setting.strip() else ()
        for part in patterns:
            if not part or part[0] in "-_+" or SIGNS.search(part) or not part.isprintable():
                raise InvalidField(
                    f"engine_indices: {part!r} is no name or pattern of an index: give some parted by commas, such as "
                    "products-*,articles"
                )
        return cls(patterns)

    def allows(self, name: str) -> bool:
        """Whether everything that a name or a pattern stands for may be reached, but for names that begin with a dot.

        A pattern must lie within one of those allowed, not within several together.

        Example:
            >>> reach = Reach.of("products-*,articles")
            >>> [reach.allows(name) for name in ("articles", "products-a*", "a*", ".products-1")]
            [True, True, False, False]
            >>> Reach().allows("any*"), Reach().allows(".kibana")
            (True, False)
        """
        hidden = name.startswith(".")
        if not self.patterns:
            return not hidden
        return matches(name, [pattern for pattern in self.patterns if pattern.startswith(".") >= hidden])

    def narrowed(self, expression: str, field: str = "index") -> str:
        """The expression, kept from hidden indices that a star at its beginning would find.

        Args:
            expression: names and patterns parted by commas; what begins with ``-`` behind a pattern is taken away.
            field: where it stands, for the message.

        Raises:
            IndexDenied: something that it can name may not be reached.

        Example:
            >>> Reach().narrowed("shop,a*,-ab*"), Reach().narrowed("*-2024")
            ('shop,a*,-ab*', '*-2024,-.*')
        """
        asked: list[str] = []
        parts, several = expression.split(","), False
        for place, part in enumerate(parts):
            if fault := self._fault(part, several):
                raise IndexDenied(field, part, fault, self.patterns)
            several = several or "*" in part
            asked.append(part)
            if part.startswith("*") and parts[place + 1 : place + 2] != [NOT_HIDDEN]:
                asked.append(NOT_HIDDEN)
        return ",".join(asked)

    def check(self, expression: str, field: str = "index") -> None:
        """Nothing, if all that the expression can name may be reached as it stands.

        Raises:
            IndexDenied: as `narrowed`; or a star at its beginning would find hidden indices too.
        """
        if self.narrowed(expression, field) != expression:
            fault = f"finds hidden indices too: put {NOT_HIDDEN} right behind what begins with a star"
            raise IndexDenied(field, expression, fault, self.patterns)

    def _fault(self, part: str, several: bool) -> str:
        """What is wrong with a part of an expression, empty for nothing.

        Args:
            several: whether a pattern stands before it, from which it can take away.
        """
        taken = part.startswith("-") and several
        name = part[1:] if taken else part
        if not name:
            return "is empty, which stands for every index"
        if ":" in name:
            return "is of a remote cluster, or a part of an index"
        if "<" in name:
            return "is date math, whose index is not known here"
        if name[0] in "-_+" or SIGNS.search(name) or not name.isprintable():
            return "is no name of an index"
        if (taken and "*" in name) or self.allows(name):
            return ""
        return "is hidden" if name.startswith(".") else "is outside"
