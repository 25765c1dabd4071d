"""Templates applied to real engines, and what an engine then holds."""

from __future__ import annotations

from typing import Any

from conftest import Run
from nodes.engine import Engine, Refused

from index_templates.apply import Change, Options, apply, remove
from plugin_server import Reranker
from plugin_server.commands.templates import requester
from plugin_server.engines.connection import Engine as Connection
from plugin_server.engines.settings import EngineSettings

SIDECAR = "http://127.0.0.1:1"
TRUSTED = "plugins.ml_commons.trusted_connector_endpoints_regex"
PRIVATE = "plugins.ml_commons.connector.private_ip_enabled"
LEARNING = ("connectors", "models", "model_groups")


def options(engine: Engine, reranker: Reranker, prefix: str, **given: Any) -> Options:
    """Options for this engine, with a sidecar that nobody asks."""
    manifest = reranker.manifest
    chosen = {"sidecar": SIDECAR} | given
    return Options(engine.kind, manifest.recall_dimension, manifest.fingerprint, manifest.name, prefix, **chosen)


def where(engine: Engine, **given: Any) -> EngineSettings:
    """The engine as simgate is told of it."""
    return EngineSettings(**({"engine": engine.kind, "engine_url": engine.url, "engine_timeout": 60} | given))


async def changes(engine: Engine, chosen: Options, dry: bool = False, gone: bool = False) -> list[Change]:
    """What became of each resource, applied or removed."""
    async with Connection(where(engine)) as connection:
        work = (remove if gone else apply)(requester(connection), chosen, dry)
        return [change async for change in work]


class Cluster:
    """An engine under test, with a prefix of the test's own.

    Attributes:
        engine: that is asked.
        prefix: that names begin with.
    """

    def __init__(self, engine: Engine, reranker: Reranker, run: Run, prefix: str) -> None:
        self.engine, self.prefix = engine, prefix
        self._reranker, self._run = reranker, run

    def options(self, **given: Any) -> Options:
        """Options with this prefix."""
        return options(self.engine, self._reranker, **({"prefix": self.prefix} | given))

    def apply(self, dry: bool = False, **given: Any) -> dict[str, str]:
        """What became of each resource, by its kind and name without the prefix."""
        return self._told(self._run(changes(self.engine, self.options(**given), dry)))

    def remove(self, dry: bool = False, **given: Any) -> dict[str, str]:
        """The same for a removal."""
        return self._told(self._run(changes(self.engine, self.options(**given), dry, gone=True)))

    def state(self) -> dict[str, Any]:
        """Everything that templates may change."""
        state: dict[str, Any] = {"settings": self.engine.request("GET", "/_cluster/settings")}
        for path in ("_component_template", "_index_template", "_search/pipeline"):
            if self.engine.kind == "opensearch" or "template" in path:
                state[path] = self.engine.request("GET", f"/{path}") if self._any(path) else {}
        for kind in LEARNING if self.engine.kind == "opensearch" else ():
            # ML Commons writes a model that is deployed once more by itself, as it was
            own = kind == "models"
            state[kind] = {hit["_id"]: (own or hit["_seq_no"], hit["_source"]) for hit in self.learnt(kind)}
        return state

    def learnt(self, kind: str) -> list[dict[str, Any]]:
        """What ML Commons keeps of a kind."""
        self.engine.request("POST", "/.plugins-ml-*/_refresh?expand_wildcards=all")
        query = {"size": 1000, "query": {"match_all": {}}, "seq_no_primary_term": True}
        found = self.engine.request("POST", f"/_plugins/_ml/{kind}/_search", query)["hits"]["hits"]
        return [hit for hit in found if "chunk_number" not in hit["_source"]]

    def one(self, kind: str, name: str) -> dict[str, Any]:
        """The one of a name, with its id."""
        (found,) = [hit for hit in self.learnt(kind) if hit["_source"]["name"] == f"{self.prefix}-{name}"]
        return {"id": found["_id"]} | found["_source"]

    def _any(self, path: str) -> bool:
        try:
            self.engine.request("GET", f"/{path}")
        except Refused as error:
            if error.status != 404:
                raise
            return False
        return True

    def _told(self, found: list[Change]) -> dict[str, str]:
        names = {f"{change.kind} {change.name.removeprefix(self.prefix).lstrip('-')}".strip() for change in found}
        assert len(names) == len(found), "a resource is told of twice"
        return {
            f"{change.kind} {change.name.removeprefix(self.prefix).lstrip('-')}".strip(): (
                f"{change.action} {change.detail}".strip()
            )
            for change in found
        }
