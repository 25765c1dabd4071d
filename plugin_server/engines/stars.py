"""Names and patterns as engines write them: a star stands for any text."""

from __future__ import annotations

from collections.abc import Collection


def matches(name: str, patterns: Collection[str]) -> bool:
    """Whether one of the patterns, in which ``*`` stands for any text, is the name.

    Example:
        >>> matches("text", ["te*"]), matches("text", ["t", "*x"])
        (True, False)
    """
    return any(_matches(name, pattern.split("*")) for pattern in patterns)


def _matches(name: str, parts: list[str]) -> bool:
    if len(parts) == 1:
        return name == parts[0]
    first, *middle, last = parts
    if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
        return False
    place, end = len(first), len(name) - len(last)
    for part in middle:
        found = name.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True
