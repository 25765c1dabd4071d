"""What may be reached, on real engines: hidden indices, lookups, and requests that only look harmless."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from gateway_site import call
from indices import Indices, put, settings_of
from nodes.engine import Engine as Node
from serving import serving

from plugin_server import Reranker
from plugin_server.core import Core
from plugin_server.engines.connection import Engine
from plugin_server.engines.search import EngineSearcher
from plugin_server.errors import IndexDenied
from plugin_server.gateway.app import Gateway
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.search import Question


@pytest.fixture
def shop(engine: Node, reranker: Reranker, indices: Indices) -> dict[str, str]:
    """Three indices with a document each, whose text is the index's own; one is hidden by its name alone."""
    names = {"open": indices.name(engine), "other": indices.name(engine)}
    names["hidden"] = f".{names['open']}"
    indices._made.append((engine, names["hidden"]))
    for kind, name in names.items():
        indices.make(engine, reranker, vectors="none", blobs=False, name=name)
        put(engine, name, [{"_id": "1", "text": kind, "names": kind}])
        engine.request("POST", f"/{name}/_refresh")
    return names


def found(engine: Node, reranker: Reranker, index: str, setting: str = "", **given: Any) -> set[str]:
    """The texts that a search finds."""
    asked = Question("red", index=index, **{"recall_query": {"match_all": {}}, "policy": "annotate", **given})

    async def search() -> set[str]:
        async with Engine(settings_of(engine, engine_indices=setting)) as connection:
            answer = await EngineSearcher(Core(reranker), connection).search(asked)
            return {item.document.text for item in answer.recall}

    return asyncio.run(search())


def test_search_finds_nothing_hidden(engine: Node, reranker: Reranker, shop: dict[str, str]) -> None:
    ours, end = {"open", "other", "hidden"}, shop["open"][3:]
    plain = engine.request("POST", f"/*{end}/_search", {})
    assert {hit["_source"]["text"] for hit in plain["hits"]["hits"]} == {"open", "hidden"}, (
        "else nothing is tested here"
    )
    assert found(engine, reranker, f"*{end}") == {"open"}
    assert found(engine, reranker, "*", k=1000) & ours == {"open", "other"}
    assert found(engine, reranker, f"{shop['open']},*,-{shop['other']}", k=1000) & ours == {"open"}
    assert found(engine, reranker, shop["hidden"], f"{shop['hidden']}*") == {"hidden"}, "if so set"
    for name in (shop["hidden"], f".*{end}", f"{shop['open']},{shop['hidden']}"):
        with pytest.raises(IndexDenied):
            found(engine, reranker, name)


def test_lookups(engine: Node, reranker: Reranker, shop: dict[str, str]) -> None:
    def lookup(name: str) -> dict[str, Any]:
        return {"terms": {"text": {"index": name, "id": "1", "path": "names"}}}

    assert found(engine, reranker, shop["open"], filter=lookup(shop["open"])) == {"open"}
    assert found(engine, reranker, shop["hidden"], "*,.*", filter=lookup(shop["hidden"])) == {"hidden"}
    for name in (shop["hidden"], f"<{shop['hidden']}>"):
        with pytest.raises(IndexDenied):
            found(engine, reranker, shop["open"], filter=lookup(name))
    with pytest.raises(IndexDenied):
        found(engine, reranker, shop["open"], shop["open"], recall_query=lookup(shop["other"]))


def test_the_gateway_passes_on_what_is_within(engine: Node, reranker: Reranker, shop: dict[str, str]) -> None:
    ours, other = shop["open"], shop["other"]
    lines = f'{{"index":"{ours}"}}\n{{}}\n{{"index":"%s"}}\n{{}}\n'
    write = f'{{"update":{{"_index":"%s","_id":"1"}}}}\n{json.dumps({"doc": {"index": other, "id": 1}})}\n'
    within = [
        ("POST", f"/{ours}/_search", {"query": {"term": {"index": other}}}),
        ("POST", f"/{ours}/_msearch", b'{}\n{"query":{"match_all":{}}}\n'),
        ("POST", "/_msearch", (lines % ours).encode()),
        ("POST", "/_bulk", (write % ours).encode()),
        ("POST", "/_mget", {"docs": [{"_index": ours, "_id": "1"}]}),
        ("GET", f"/{ours}/_mapping", None),
    ]
    beyond = [
        ("POST", f"/{other}/_search", {}),
        ("POST", "/_msearch", (lines % other).encode()),
        ("POST", "/_bulk", (write % other).encode()),
        ("POST", "/_mget", {"docs": [{"_index": other, "_id": "1"}]}),
        ("POST", f"/_search?index={other}", {}),
        ("POST", "/,/_search", {}),
        ("GET", f"/{ours}%2C{other}/_mapping", None),
    ]
    with serving(Gateway(Core(reranker), GatewaySettings(engine.url, indices=ours))) as url:
        for method, path, body in within:
            status, _, raw = call(url, method, path, body)
            assert status == 200 and b'"error"' not in raw, (path, raw)
        for method, path, body in beyond:
            assert call(engine.url, method, path, body)[0] == 200, "the engine itself would do it"
            status, _, raw = call(url, method, path, body)
            assert (status, json.loads(raw)["error"]["type"]) == (403, "simgate_index_denied"), path
