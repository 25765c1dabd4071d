"""The gateway in shadow mode in front of real engines: what callers see, and what is recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gateway_site import HITS, Site, call, oracle
from serving import serving
from shadowing import records

from plugin_server import Reranker
from plugin_server.core import Core
from plugin_server.gateway.app import Gateway
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.shadow.mode import Shadow
from plugin_server.shadow.writer import Writer


@pytest.fixture
def beside(site: Site, reranker: Reranker, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A gateway in shadow mode in front of the same engine, and its file."""
    core, file = Core(reranker), tmp_path / "shadow.jsonl"
    core.shadow = Shadow(Writer(file, 2**40))
    with serving(Gateway(core, GatewaySettings(site.node))) as url:
        yield url, file


def lasting(raw: bytes) -> Any:
    """A response without the times in it."""
    value = json.loads(raw)
    for each in (value, *value.get("responses", [])):
        each.pop("took", None)
    return value


def test_a_search_is_the_engine_s_own(site: Site, reranker: Reranker, beside: tuple[str, Path]) -> None:
    url, file = beside
    page = {"size": 5, "_source": ["n"], "aggs": {"n": {"avg": {"field": "n"}}}, "fields": ["group"]}
    for number in (1, 2):
        status, headers, raw = call(url, "POST", "/hills/_search", site.body(page, k=HITS))
        expected = call(site.node, "POST", "/hills/_search", site.recall | page)
        assert (status, headers.get("content-type")) == (200, expected[1].get("content-type"))
        assert lasting(raw) == lasting(expected[2])
        assert len(records(file, number)) == number
    record = records(file, 2)[0]
    assert len(record["candidates"]) == HITS
    read = {(item["id"], item["outcome"]) for item in record["candidates"] if item["outcome"] != "unverified"}
    assert {(identity, outcome) for identity, outcome, _ in oracle(site, reranker, "annotate")} >= read
    kept = sorted((item for item in record["candidates"] if "new" in item), key=lambda item: item["new"])
    verified = json.loads(call(site.gateway, "POST", "/hills/_search", site.body({"size": HITS}, k=HITS))[2])
    assert [item["id"] for item in kept] == [hit["_id"] for hit in verified["hits"]["hits"]]


def test_a_multi_search_is_the_engine_s_own(site: Site, beside: tuple[str, Path]) -> None:
    url, file = beside
    bodies = [site.body({"size": 3}, k=20), {"size": 1}]
    lines = "".join(f"{json.dumps(line)}\n" for body in bodies for line in ({"index": "hills"}, body)).encode()
    bare = [site.recall | {"size": 3}, {"size": 1}]
    plain = "".join(f"{json.dumps(line)}\n" for body in bare for line in ({"index": "hills"}, body)).encode()
    headers = {"Content-Type": "application/x-ndjson"}
    given, expected = (
        call(base, "POST", "/_msearch", raw, headers) for base, raw in ((url, lines), (site.node, plain))
    )
    assert (given[0], lasting(given[2])) == (200, lasting(expected[2]))
    (record,) = records(file, 1)
    assert (record["index"], record["error"]) == ("hills", "")


def test_an_error_is_the_engine_s_own(site: Site, beside: tuple[str, Path]) -> None:
    url, file = beside
    wrong = {"query": {"pear": {}}}
    for _ in range(2):
        given = call(url, "POST", "/hills/_search", site.body() | wrong)
        expected = call(site.node, "POST", "/hills/_search", wrong)
        assert (given[0], json.loads(given[2])["error"]["type"]) == (400, json.loads(expected[2])["error"]["type"])
    assert not file.read_bytes()
