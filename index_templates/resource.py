"""The JSON resources of this package, and their placeholders."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

ENGINES = ("opensearch", "elasticsearch")
PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Resource:
    """One file ``engine/subject@kind.json``.

    Attributes:
        engine: ``opensearch`` or ``elasticsearch``.
        subject, kind: from its name, as ``rerank`` and ``search_pipeline``.
        body: what the file says, placeholders (``{{name}}``) and all.
    """

    engine: str
    subject: str
    kind: str
    body: dict[str, Any]

    @classmethod
    def load(cls, engine: str, name: str) -> Resource:
        """The resource of that name.

        Raises:
            FileNotFoundError: there is none.

        Example:
            >>> Resource.load("opensearch", "hybrid@search_pipeline").version
            1
        """
        subject, _, kind = name.partition("@")
        text = (files(__package__) / engine / f"{name}.json").read_text(encoding="utf-8")
        return cls(engine, subject, kind, json.loads(text))

    @property
    def version(self) -> int:
        """Raised whenever the file changes, so that an older simgate does not overwrite a newer one's."""
        return int(self.body["version"])

    @property
    def description(self) -> str:
        """What it is for."""
        return str(self.body["_meta"]["description"])

    def render(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The body with its placeholders filled; one that stands alone keeps its value's type.

        Raises:
            KeyError: a placeholder has no value.

        Example:
            >>> Resource("opensearch", "a", "b", {"dims": "{{n}}", "name": "{{p}}-a"}).render({"n": 4, "p": "x"})
            {'dims': 4, 'name': 'x-a'}
        """
        filled = _fill(self.body, values)
        assert isinstance(filled, dict)
        return filled


def names(engine: str) -> list[str]:
    """The names of an engine's resources, without ``.json``, in alphabetical order."""
    folder = files(__package__) / engine
    return sorted(item.name.removesuffix(".json") for item in folder.iterdir() if item.name.endswith(".json"))


def digest(body: Mapping[str, Any]) -> str:
    """12 hexadecimal digits that change whenever the body does.

    Example:
        >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 2, "b": 2})
        True
    """
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12]


def _fill(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {_text(key, values): _fill(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, values) for item in value]
    if not isinstance(value, str):
        return value
    whole = PLACEHOLDER.fullmatch(value)
    return values[whole[1]] if whole else _text(value, values)


def _text(text: str, values: Mapping[str, Any]) -> str:
    return PLACEHOLDER.sub(lambda match: str(values[match[1]]), text)
