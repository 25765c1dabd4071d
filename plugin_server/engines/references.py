"""The indices that a query names beside the ones it searches: terms looked up, shapes, likes, percolated documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plugin_server.engines.reach import Reach
from plugin_server.errors import IndexDenied

#: Keys whose text names an index: ``index`` of terms lookups, percolate queries, indexed shapes and vectors looked up,
#: ``_index`` of more_like_this, pinned documents, multi-get; ``target_index`` of runtime fields of type lookup.
NAMES = ("index", "_index", "target_index")
#: Keys of what holds a query as a text, in which nothing can be found, or has one made elsewhere.
OPAQUE = ("wrapper", "collate", "agentic", "query_template")


def check_references(reach: Reach, body: Any, field: str) -> None:
    """Nothing, if a body names no index but those that may be reached.

    A key alone in its object is taken for a field of that name, as in ``{"term": {"index": "x"}}``: whatever names an
    index needs another key beside, such as an id. Any other text under such a key counts as a name, wherever it stands.

    Args:
        body: parsed; a query, or the body of a search.
        field: its name, for the message.

    Raises:
        IndexDenied: it names another, or holds a query as a text.

    Example:
        >>> check_references(Reach(), {"terms": {"user": {"index": "users", "id": "2", "path": "followers"}}}, "filter")
        >>> check_references(Reach(), {"terms": {"user": {"index": ".roles", "id": "2", "path": "names"}}}, "filter")
        Traceback (most recent call last):
        ...
        plugin_server.errors.IndexDenied: filter.terms.user.index: '.roles' is hidden: what may be reached is every ...
    """
    for found, place in _objects(body, field):
        for key, value in found.items():
            if key in OPAQUE and isinstance(value, dict | list | str) and _opaque(key, value):
                raise IndexDenied(f"{place}.{key}", "", "holds a query as a text, which is not read", reach.patterns)
            if key in NAMES and (len(found) > 1 or key == "target_index"):
                _check(reach, value, f"{place}.{key}")
            if key == "indices_boost":
                for name in _boosted(value):
                    reach.check(name, f"{place}.{key}")


def _objects(body: Any, field: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Every object in a body, and where it stands; without recursion, as a body may be nested deeply."""
    waiting = [(body, field)]
    while waiting:
        value, place = waiting.pop()
        if isinstance(value, dict):
            yield value, place
            waiting += [(inner, f"{place}.{key}"[-300:]) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(inner, f"{place}[{number}]") for number, inner in enumerate(value)]


def _opaque(key: str, value: Any) -> bool:
    """Whether that is the value of an option, not of a field of that name."""
    return key == "query_template" or (isinstance(value, dict) and ("query" in value or "query_text" in value))


def _check(reach: Reach, value: Any, place: str) -> None:
    """Nothing, if a text or a number, which engines read as one, is the name of an index that may be reached."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        reach.check(str(value), place)


def _boosted(value: Any) -> list[str]:
    """The names in an ``indices_boost``."""
    return [name for part in (value if isinstance(value, list) else [value]) if isinstance(part, dict) for name in part]
