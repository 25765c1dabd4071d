"""What a cluster can do, and the settings that let its connectors call the sidecar."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from index_templates.store import Request, TemplateError

REGEX = "plugins.ml_commons.trusted_connector_endpoints_regex"
PRIVATE = "plugins.ml_commons.connector.private_ip_enabled"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a cluster can do.

    Attributes:
        machine_learning: OpenSearch has ML Commons.
        processors: types of its search pipelines' processors.
        inference: Elasticsearch has inference endpoints.
    """

    machine_learning: bool
    processors: frozenset[str]
    inference: bool

    @classmethod
    async def ask(cls, request: Request, engine: str) -> Abilities:
        """What every node of the cluster can do.

        Raises:
            TemplateError: what answers is no OpenSearch.
        """
        if engine == "elasticsearch":
            return cls(False, frozenset(), await _answers(request, "/_inference"))
        found = await request("GET", "/_nodes/plugins,search_pipelines", None) or {}
        nodes = found.get("nodes", {}).values()
        if not nodes:
            raise TemplateError("engine: tells of no node as OpenSearch does: is it elasticsearch, the address right?")
        plugins = [{plugin["name"] for plugin in node.get("plugins", [])} for node in nodes]
        types = [_types(node) for node in nodes]
        return cls(all("opensearch-ml" in found for found in plugins), frozenset.intersection(*types), False)

    def missing(self, body: dict[str, Any], kind: str, sidecar: bool) -> str:
        """What a resource needs that is not there, empty for nothing."""
        if kind == "inference":
            if not self.inference:
                return "this cluster has no inference endpoints"
            return "" if sidecar else "calls the sidecar: give --sidecar"
        if kind in ("model_group", "connector", "model"):
            if not self.machine_learning:
                return "this cluster has no ML Commons"
            return "" if sidecar else "calls the sidecar: give --sidecar"
        if kind == "search_pipeline":
            lacking = sorted(_used(body) - self.processors)
            if lacking:
                return f"this cluster has no processor {', '.join(lacking)}"
            if "model_id" in json.dumps(body) and not sidecar:
                return "calls the sidecar: give --sidecar"
        return ""


class Trust:
    """The cluster settings that let connectors call one address: added to what is allowed already, and taken away.

    Args:
        settings: by name; the list of regular expressions holds one, of the address.
    """

    def __init__(self, request: Request, settings: Mapping[str, Any]) -> None:
        self.request, self.settings = request, settings
        (self.pattern,) = settings[REGEX]

    async def give(self, dry: bool) -> str:
        """What became of the settings: updated or unchanged.

        Raises:
            TemplateError: a transient setting goes before what would be set.
        """
        found = await self._settings()
        effective = found["defaults"] | found["persistent"] | found["transient"]
        trusted = _listed(effective.get(REGEX))
        wanted: dict[str, Any] = {}
        if self.pattern not in trusted:
            wanted[REGEX] = [*trusted, self.pattern]
        if str(effective.get(PRIVATE)).lower() != "true":
            wanted[PRIVATE] = self.settings[PRIVATE]
        hidden = sorted(wanted.keys() & found["transient"].keys())
        if hidden:
            raise TemplateError(f"{hidden[0]}: a transient setting goes before a persistent one: set it to null first")
        if wanted and not dry:
            await self._put(wanted)
        return "updated" if wanted else "unchanged"

    async def take(self, dry: bool) -> str:
        """What became of the settings: updated or unchanged.

        Where no other address was added to the engine's own, both settings go back to their defaults.
        """
        persistent = (await self._settings())["persistent"]
        trusted = _listed(persistent.get(REGEX))
        if self.pattern not in trusted:
            return "unchanged"
        if dry:
            return "updated"
        left = [pattern for pattern in trusted if pattern != self.pattern]
        await self._put({REGEX: None, PRIVATE: None})
        defaults = (await self._settings())["defaults"]  # which are told only while nothing else is set
        if set(left) - set(_listed(defaults.get(REGEX))):
            await self._put({REGEX: left, PRIVATE: persistent.get(PRIVATE)})
        return "updated"

    async def _put(self, persistent: dict[str, Any]) -> None:
        await self.request("PUT", "/_cluster/settings", {"persistent": persistent})

    async def _settings(self) -> dict[str, dict[str, Any]]:
        """The defaults, the persistent settings and the transient ones, in which the later go before the earlier."""
        found = await self.request("GET", "/_cluster/settings?include_defaults=true&flat_settings=true", None)
        return {kind: found.get(kind, {}) for kind in ("defaults", "persistent", "transient")}


def _listed(setting: Any) -> list[str]:
    """The elements of a setting that is a list; somebody may have set it as one text, with commas between.

    Example:
        >>> _listed(["^a$"]), _listed("^a$,^b$"), _listed(None)
        (['^a$'], ['^a$', '^b$'], [])
    """
    return setting.split(",") if isinstance(setting, str) else list(setting or [])


async def _answers(request: Request, path: str) -> bool:
    """Whether the engine knows a path at all."""
    try:
        return await request("GET", path, None) is not None
    except Exception as error:
        if "no handler found" in str(error) or "invalid_index_name" in str(error):
            return False
        raise


def _types(node: dict[str, Any]) -> frozenset[str]:
    """The types of processors that a node has."""
    kinds = ("request_processors", "response_processors", "phase_results_processors")
    found = {item["type"] for kind in kinds for item in node.get("search_pipelines", {}).get(kind, [])}
    if any(plugin["name"] == "opensearch-neural-search" for plugin in node.get("plugins", [])):
        found.add("normalization-processor")  # which OpenSearch 2 does not list
    return frozenset(found)


def _used(body: dict[str, Any]) -> set[str]:
    """The types of processors that a pipeline uses."""
    lists = [value for key, value in body.items() if key.endswith("_processors")]
    return {kind for items in lists for item in items for kind in item}
