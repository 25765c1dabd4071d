"""Texts and numbers as people read them, in a terminal or on a page."""

from __future__ import annotations


def shown(text: str, limit: int = 200) -> str:
    """A text fit for one line of a terminal: no line ends, no control characters, no more than `limit` characters.

    Example:
        >>> shown("a red\\n\\x1b[2Jcar"), shown("a blue house", 6)
        ('a red �[2Jcar', 'a blu…')
    """
    line = "".join(character if character.isprintable() else "�" for character in " ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def chance(probability: float | None) -> str:
    """A probability for people.

    Example:
        >>> chance(0.034), chance(None)
        ('0.03', '–')
    """
    return "–" if probability is None else f"{probability:.2f}"
