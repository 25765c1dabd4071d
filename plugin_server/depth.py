"""How deep a JSON value is nested: much that reads one does so by recursion, and the stack is short."""

from __future__ import annotations

from typing import Any

#: Objects and lists within one another; engines take fewer in a query or a mapping.
DEEPEST = 100


def too_deep(value: Any) -> bool:
    """Whether more than `DEEPEST` objects and lists lie within one another.

    Example:
        >>> too_deep({"a": [[1]]}), too_deep(eval("[" * 90 + "]" * 90)), too_deep([[eval("[" * 99 + "]" * 99)]])
        (False, False, True)
    """
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
