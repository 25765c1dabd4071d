"""JSON as both simgate and the engine read it, and nothing that only one of them does."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from plugin_server.depth import too_deep
from plugin_server.errors import EngineError


def parse(raw: bytes | str) -> Any:
    """The value that a JSON text spells.

    Raises:
        ValueError: it is not JSON, a key occurs twice, a number is not finite, or it is nested too deeply.

    Example:
        >>> parse(b'{"size": 3}')
        {'size': 3}
        >>> parse(b'{"size": 3, "size": 4}')
        Traceback (most recent call last):
        ...
        ValueError: the key 'size' occurs twice
    """
    try:
        value = json.loads(raw, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    if too_deep(value):
        raise ValueError("is nested too deeply")
    return value


def write(value: Any, pretty: bool = False) -> bytes:
    """The JSON text of a value, on one line, or indented as the engine does it.

    Example:
        >>> write({"took": 3, "hits": []}), write({"took": 3}, pretty=True)
        (b'{"took":3,"hits":[]}', b'{\\n  "took" : 3\\n}\\n')
    """
    if pretty:
        return json.dumps(value, indent=2, separators=(",", " : "), allow_nan=False).encode() + b"\n"
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def answered(raw: bytes) -> Any:
    """The value of an engine's answer, which need not be strict.

    Raises:
        EngineError: it is not JSON.
    """
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise EngineError(f"the engine's answer is not JSON: {error}") from None


def passed_on(value: Any, pretty: bool = False) -> bytes:
    """What `write` gives, of an engine's answer.

    Raises:
        EngineError: it has a number that is not finite, or is nested too deeply.
    """
    try:
        return write(value, pretty)
    except (ValueError, RecursionError) as error:
        raise EngineError(f"the engine's answer cannot be written again: {error}") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(literal: str) -> float:
    if not math.isfinite(value := float(literal)):
        raise ValueError(f"{literal} is out of range")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key {key!r} occurs twice")
        result[key] = value
    return result
