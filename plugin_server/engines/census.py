"""How many documents of an index carry blobs of which bundle."""

from __future__ import annotations

from dataclasses import dataclass

from plugin_server.engines.connection import Engine, shaped
from plugin_server.engines.layout import BUNDLE, META
from plugin_server.engines.target import known, path
from plugin_server.errors import LayoutError

#: Fingerprints listed by name.
LISTED = 100
#: What stands for documents without a blob.
NONE = "none"


@dataclass(frozen=True, slots=True)
class Census:
    """The documents of an index by the bundle that made their blobs.

    Attributes:
        documents: all of them.
        bundles: how many by fingerprint; ``none`` for those without a blob.
        made_for: the fingerprint in the mapping's ``_meta``; empty without.
    """

    documents: int
    bundles: dict[str, int]
    made_for: str

    def outstanding(self, fingerprint: str) -> int:
        """Documents that the bundle of that fingerprint cannot read from their blobs.

        Example:
            >>> Census(10, {"2f9d": 7, "none": 3}, "2f9d").outstanding("2f9d")
            3
        """
        return self.documents - self.bundles.get(fingerprint, 0)


async def sign(engine: Engine, index: str, fingerprint: str, bundle: str) -> None:
    """Nothing; the mapping of each index behind the name tells which bundle its blobs are of.

    Raises:
        EngineError: the engine cannot be asked.
    """
    found = await engine.request("GET", f"/{path(index)}/_mapping")
    for name, item in found.items():
        meta = item["mappings"].get("_meta", {})
        own = meta.get(META, {}) | {"fingerprint": fingerprint, "bundle": bundle}
        if own != meta.get(META):
            await engine.request("PUT", f"/{path(name)}/_mapping", {"_meta": meta | {META: own}})


async def count(engine: Engine, index: str) -> Census:
    """The census of an index, an alias or a pattern.

    Raises:
        EngineMissing: there is no such index.
        LayoutError: it has no field for the bundle's fingerprint.
    """
    mapped = await known(engine, index)
    if not mapped.blob:
        raise LayoutError(
            f"{index}: has none of simgate's fields: add them with `simgate index --update-existing`, or make a new "
            "index after `simgate templates apply`"
        )
    await engine.request("POST", f"/{path(index)}/_refresh")
    query = {
        "size": 0,
        "track_total_hits": True,
        "aggs": {"bundles": {"terms": {"field": BUNDLE, "size": LISTED, "missing": NONE}}},
    }
    found = await engine.request("POST", f"/{path(index)}/_search", query)
    with shaped("a search"):
        bundles = {bucket["key"]: bucket["doc_count"] for bucket in found["aggregations"]["bundles"]["buckets"]}
        return Census(found["hits"]["total"]["value"], bundles, str(mapped.meta.get("fingerprint", "")))
