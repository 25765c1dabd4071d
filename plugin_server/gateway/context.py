"""What a search asks of simgate: the query text and the knobs, read from its ``ext``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugin_server.bundle import PROFILES
from plugin_server.choices import Policy, Verification
from plugin_server.errors import InvalidField, UnknownChoice
from plugin_server.gateway.recall import SCALES
from plugin_server.search import DEFAULT_K

TEXT, PATH = "query_text", "query_text_path"
HERE = "ext.rerank.query_context"
#: Characters of a path: every way to part it at its dots is tried; and digits of a place in a list.
LONGEST_PATH, LONGEST_NUMBER = 1000, 10


@dataclass(frozen=True, slots=True)
class Context:
    """The rerank context of one search.

    Attributes:
        query: the text that hits are held against.
        profile: ``passages`` or ``pairs``.
        policy: what happens to a rejected hit.
        k: hits that the engine is asked for and that are verified.
        scores: what the engine's scores are, a key of `plugin_server.gateway.recall.SCALES`.
        aggregations: over the ``kept`` hits, or as the engine computes them over the whole ``recall``.
        calibration: name of the one that hits are held against; empty for the one named like the index.
        verification: as in `Reranker.rerank`; a cascade ends when the caller's page is full. Empty for the settings'.
    """

    query: str
    profile: str = "passages"
    policy: Policy = Policy.FILTER
    k: int = DEFAULT_K
    scores: str = "cosinesimil"
    aggregations: str = "kept"
    calibration: str = ""
    verification: str = ""


#: The knobs that are one of a few words.
CHOICES = {
    "profile": list(PROFILES),
    "policy": [policy.value for policy in Policy],
    "scores": list(SCALES),
    "aggregations": ["kept", "recall"],
    "verification": [verification.value for verification in Verification],
}


def context_of(body: Any, max_k: int) -> Context | None:
    """The context of a search body; None if the search is none of simgate's business.

    Args:
        body: the parsed body, whatever it is.
        max_k: the largest `Context.k`.

    Raises:
        InvalidField: the context is there, but something of it cannot be used; the message names the field.
        UnknownChoice: a knob has none of its values.

    Example:
        >>> body = {"query": {"match": {"title": {"query": "red car"}}}}
        >>> context_of(body, 1000) is None
        True
        >>> asked = {"query_context": {"query_text_path": "query.match.title.query"}}
        >>> context_of(body | {"ext": {"rerank": asked, "simgate": {"k": 50}}}, 1000).query
        'red car'
    """
    ext = body.get("ext") if isinstance(body, dict) else None
    if not isinstance(ext, dict):
        return None
    rerank = ext.get("rerank")
    if not (isinstance(rerank, dict) and "query_context" in rerank):
        if "simgate" in ext:
            raise InvalidField(f"ext.simgate: is given without {HERE}, so that nothing would be verified: give both")
        return None
    _only(rerank, ["query_context"], "ext.rerank")
    given = rerank["query_context"]
    _only(given, [TEXT, PATH], HERE)
    if len(given) != 1:
        raise InvalidField(f"{HERE}: give one of {TEXT} and {PATH}")
    if isinstance(given.get(PATH), str) and len(given[PATH]) > LONGEST_PATH:
        raise InvalidField(f"{HERE}.{PATH}: has more than {LONGEST_PATH} characters: give {TEXT}")
    query = given[TEXT] if TEXT in given else _at(body, given[PATH])
    if not isinstance(query, str):
        raise InvalidField(f"{HERE}.{next(iter(given))}: does not give a text")
    return Context(query, **_knobs(ext.get("simgate", {}), max_k))


def without_context(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body without what is simgate's, and without an ``ext`` that held nothing else.

    Example:
        >>> without_context({"size": 3, "ext": {"rerank": {}, "simgate": {}}})
        {'size': 3}
    """
    rest = {key: value for key, value in body["ext"].items() if key not in ("rerank", "simgate")}
    result = {key: value for key, value in body.items() if key != "ext"}
    return result | {"ext": rest} if rest else result


def _knobs(given: Any, max_k: int) -> dict[str, Any]:
    """The arguments of `Context` that ``ext.simgate`` gives."""
    _only(given, [*CHOICES, "k", "calibration"], "ext.simgate")
    for name, known in CHOICES.items():
        if name in given and given[name] not in known:
            raise UnknownChoice(f"ext.simgate.{name}", given[name], known)
    k = given.get("k", min(DEFAULT_K, max_k))
    if type(k) is not int or not 1 <= k <= max_k:
        raise InvalidField(f"ext.simgate.k: {k!r} is not a whole number from 1 to {max_k}")
    if not isinstance(given.get("calibration", ""), str):
        raise InvalidField("ext.simgate.calibration: is not a text: give a calibration's name")
    return dict(given) | {"k": k, "policy": Policy(given.get("policy", Policy.FILTER))}


def _only(given: Any, known: list[str], field: str) -> None:
    """Nothing, if it is an object with none but these keys."""
    if not isinstance(given, dict):
        raise InvalidField(f"{field}: is not an object")
    if unknown := [key for key in given if key not in known]:
        raise InvalidField(f"{field}: {', '.join(map(repr, unknown))} is not known: choose from {', '.join(known)}")


def _at(value: Any, path: Any) -> Any:
    """What the dotted path points at, None for nothing; a key may itself hold dots, a list is entered by number."""
    if not path or not isinstance(path, str):
        return value if path == "" else None
    parts = path.split(".")
    if isinstance(value, list):
        number = parts[0]
        place = int(number) if number.isdecimal() and len(number) < LONGEST_NUMBER else len(value)
        found = value[place] if place < len(value) else None
        return _at(found, ".".join(parts[1:]))
    if not isinstance(value, dict):
        return None
    for end in range(1, len(parts) + 1):
        if (key := ".".join(parts[:end])) in value:
            found = _at(value[key], ".".join(parts[end:]))
            if found is not None:
                return found
    return None
