"""An index of the engine to write into: its mapping looked at before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from plugin_server.bundle import Manifest
from plugin_server.engines.connection import Engine, shaped
from plugin_server.engines.layout import OWN, WINDOWS, Mapped
from plugin_server.errors import EngineMissing, EngineRefused, InvalidField


@dataclass(frozen=True, slots=True)
class Target:
    """An index that takes documents with simgate's fields.

    Attributes:
        name: of the index, or of an alias with one index to write to.
        mapped: what its mapping says, or what the template says that it will.
        vectors: whether documents get vectors.
    """

    engine: Engine
    name: str
    mapped: Mapped
    vectors: bool

    @classmethod
    async def open(cls, engine: Engine, name: str, manifest: Manifest, vectors: bool = True) -> Target:
        """The index of that name, or the one that a template makes of it.

        Raises:
            LayoutError: it lacks a field, or has it in another form; the message says what to do.
            EngineError: the engine cannot be asked.
        """
        mapped = await look(engine, name) or await _template(engine, name)
        return cls(engine, name, mapped.expect(name, manifest.recall_dimension, vectors), vectors)


async def look(engine: Engine, name: str) -> Mapped | None:
    """What the mapping of an index says, None if there is no such index; of several the first.

    Raises:
        InvalidField: the name cannot be one.
    """
    try:
        found = await engine.request("GET", f"/{path(name)}/_mapping")
    except EngineMissing:
        return None
    with shaped("_mapping"):
        return Mapped.of(found[min(found)]["mappings"]) if found else None


async def known(engine: Engine, name: str) -> Mapped:
    """What the mapping of an index says, which is there.

    Raises:
        EngineMissing: it is not.
        InvalidField: the name cannot be one.
    """
    mapped = await look(engine, name)
    if mapped is None:
        raise EngineMissing(f"{name}: there is no such index: give the name of one, or index a corpus into it")
    return mapped


async def identities(engine: Engine, name: str) -> list[str]:
    """What tells the indices behind a name from others that had it before, in order.

    Raises:
        EngineMissing: there is none.
    """
    found = await engine.request("GET", f"/{path(name)}/_settings", params={"flat_settings": "true"})
    with shaped("_settings"):
        return sorted(item["settings"]["index.uuid"] for item in found.values())


async def extend(engine: Engine, name: str, fields: dict[str, Any]) -> Mapped:
    """What the mapping says after simgate's fields were added to it; those that are there stay as they are.

    Args:
        fields: their mappings by name. Vectors are left out where the index cannot have them.

    Raises:
        EngineMissing: there is no such index.
    """
    mapped = await known(engine, name)
    wanted = {field: form for field, form in fields.items() if field in OWN}
    if mapped.dimension or not await _can_have_vectors(engine, name):
        wanted.pop(WINDOWS, None)
    if mapped.blob:
        wanted = {field: form for field, form in wanted.items() if field == WINDOWS}
    if wanted:
        await engine.request("PUT", f"/{path(name)}/_mapping", {"properties": wanted})
    return await look(engine, name) or mapped


def path(name: str) -> str:
    """An index's name as part of a path.

    Raises:
        InvalidField: it is empty, begins with ``_`` or ``-``, or holds what no name may.

    Example:
        >>> path("shop-2024"), path("shop-*")
        ('shop-2024', 'shop-%2A')
    """
    dots = any(part in (".", "..") for part in name.split(","))
    if not name or dots or name[0] in "_-+" or any(sign in name for sign in '\\/?"<>| #:') or name != name.lower():
        raise InvalidField(f"index: {name!r} is no name of an index: small letters, digits, - and . are")
    return quote(name, safe=",")


async def _template(engine: Engine, name: str) -> Mapped:
    """What the mapping of a new index of that name would say."""
    try:
        found = await engine.request("POST", f"/_index_template/_simulate_index/{path(name)}")
    except EngineRefused:  # no template matches
        found = {}
    with shaped("_simulate_index"):
        return Mapped.of(found.get("template", {}).get("mappings", {}))


async def _can_have_vectors(engine: Engine, name: str) -> bool:
    """Whether vectors can be added: in OpenSearch an index is made for them or not."""
    if engine.kind == "elasticsearch":
        return True
    found = await engine.request("GET", f"/{path(name)}/_settings", params={"flat_settings": "true"})
    return all(item["settings"].get("index.knn") == "true" for item in found.values())
