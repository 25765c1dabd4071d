"""Documents that are in an index already get blobs, also where others change them meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from indices import Indices, counted, expected, put, search, settings_of, sources, stored, total, updated
from nodes.engine import Engine as Node
from nodes.node import Node as OwnNode
from nodes.proxy import Proxy, Rule

from plugin_server import Reranker
from plugin_server.corpus import Document
from plugin_server.errors import EngineMissing, LayoutError
from plugin_server.search import Question

CLIENTS = pytest.mark.parametrize("engine", ["opensearch_2", "elasticsearch_9"], indirect=True)
DOCUMENTS = [Document(f"d{n}", f"The bus number {n} leaves at ten.") for n in range(150)]
TEXTS = [{"_id": document.id, "text": document.text} for document in DOCUMENTS]


FORMS: list[tuple[str, dict[str, Any], bool, str]] = [
    ("opensearch_2", {"knn": True}, True, "made for vectors"),
    ("opensearch_3", {"knn": True}, True, "made for vectors"),
    ("opensearch_2", {}, False, "not made for vectors, which cannot be changed"),
    ("opensearch_3", {"number_of_shards": 3}, False, "several shards"),
    ("elasticsearch_9", {}, True, "any index can have vectors"),
]


@pytest.mark.parametrize(("engine", "settings", "vectors", "remark"), FORMS, indirect=["engine"])
def test_an_index_of_another_make_gets_blobs_and_where_it_can_vectors(
    engine: Node, indices: Indices, tiny_reranker: Reranker, settings: dict[str, Any], vectors: bool, remark: str
) -> None:
    index = indices.make(engine, tiny_reranker, "none", blobs=False, settings=settings)
    put(engine, index, TEXTS)
    where = settings_of(engine)
    with pytest.raises(LayoutError, match="has none of simgate's fields"):
        asyncio.run(counted(where, index))
    steps = asyncio.run(updated(where, index, tiny_reranker))
    assert total(steps) == (150, 0, 0)
    assert {step.total for step in steps} == {150}
    assert stored(engine, index) == expected(tiny_reranker, DOCUMENTS)
    assert all(("simgate_windows" in source) is vectors for source in sources(engine, index).values())
    mark = tiny_reranker.manifest.fingerprint
    found = asyncio.run(counted(where, index))
    assert (found.documents, found.bundles, found.outstanding(mark)) == (150, {mark: 150}, 0)
    assert asyncio.run(updated(where, index, tiny_reranker)) == [], "a second run finds nothing to do"
    if vectors:
        question = Question(DOCUMENTS[7].text, k=5, index=index, policy="annotate")
        assert search(where, tiny_reranker, question).recall[0].document.id == "d7"


def test_other_fields_and_routing_stay(engine: Node, indices: Indices, tiny_reranker: Reranker) -> None:
    index = indices.make(engine, tiny_reranker, "none", blobs=False, settings={"number_of_shards": 3})
    put(engine, index, [{**line, "_routing": f"r{n % 7}", "price": n} for n, line in enumerate(TEXTS)])
    assert total(asyncio.run(updated(settings_of(engine), index, tiny_reranker))) == (150, 0, 0)
    assert stored(engine, index) == expected(tiny_reranker, DOCUMENTS)
    assert {key: source["price"] for key, source in sources(engine, index).items()} == {f"d{n}": n for n in range(150)}
    found = engine.request("GET", f"/{index}/_doc/d3?routing=r3")
    assert found["_routing"] == "r3"


def test_documents_without_a_text_are_told_and_the_rest_goes_on(
    engine: Node, indices: Indices, tiny_reranker: Reranker
) -> None:
    index = indices.make(engine, tiny_reranker, "none", blobs=False)
    odd: list[dict[str, Any]] = [
        {"_id": "none", "title": "no text"},
        {"_id": "blank", "text": " "},
        {"_id": "null", "text": None},
        {"_id": "number", "text": 7},
        {"_id": "huge", "text": "x" * 200_001},
        {"_id": "list", "text": ["a bus", "a boat"]},
    ]
    put(engine, index, [*odd, *TEXTS[:70]])
    steps = asyncio.run(updated(settings_of(engine), index, tiny_reranker))
    reasons = {identity: reason for step in steps for identity, reason in step.refused}
    assert sorted(reasons) == ["blank", "huge", "none", "null", "number"]
    assert reasons["none"].startswith("text: holds no words")
    assert "the limit is 200000" in reasons["huge"]
    assert total(steps) == (71, 0, 5)
    found = asyncio.run(counted(settings_of(engine), index))
    assert found.bundles == {tiny_reranker.manifest.fingerprint: 71, "none": 5}
    blob = tiny_reranker.encode(["a bus\na boat"])[0].blob(tiny_reranker.manifest.fingerprint).text()
    assert sources(engine, index)["list"]["simgate_blob"] == blob, "several values are lines of one text"


def test_what_others_write_meanwhile_wins_and_gets_its_own_blob(
    engine: Node, indices: Indices, tiny_reranker: Reranker
) -> None:
    """Changed, deleted and added while the first batch is done, so that the second batch has read older versions."""
    index = indices.make(engine, tiny_reranker, "none", blobs=False)
    put(engine, index, TEXTS)
    wanted = {document.id: document.text for document in DOCUMENTS}

    def change(number: int) -> None:
        if number == 1:
            wanted["d149"] = wanted["new"] = "A newer text about a boat."
            put(engine, index, [{"_id": name, "text": wanted[name]} for name in ("d149", "new")])
            engine.request("POST", f"/{index}/_update/d148", {"doc": {"text": "A changed text about a car."}})
            wanted["d148"] = "A changed text about a car."
            engine.request("DELETE", f"/{index}/_doc/d147")
            del wanted["d147"]

    steps = asyncio.run(updated(settings_of(engine), index, tiny_reranker, after=change))
    assert total(steps) == (150, 3, 0), "two were changed, one is gone, one is new"
    documents = [Document(name, text) for name, text in wanted.items()]
    assert stored(engine, index) == expected(tiny_reranker, documents)


UPDATE_FAULTS: list[tuple[list[Rule], str]] = [
    ([Rule("/_bulk", status=429, times=2)], "too busy"),
    ([Rule("/_bulk", cut=True, times=1)], "the connection breaks after the engine has written"),
    ([Rule("/_search/scroll", status=404, times=1)], "the engine has lost the list"),
    ([Rule("/_search/scroll", cut=True, times=1)], "a batch of the list is lost on the way"),
    ([Rule("/st-", times=3), Rule("/st-", status=503, times=2)], "the list cannot be made yet"),
]


@CLIENTS
@pytest.mark.parametrize(("rules", "remark"), UPDATE_FAULTS, ids=[row[1] for row in UPDATE_FAULTS])
def test_every_document_gets_its_blob_whatever_happens(
    engine: Node,
    indices: Indices,
    proxied: Callable[..., Proxy],
    tiny_reranker: Reranker,
    rules: list[Rule],
    remark: str,
) -> None:
    index, proxy = indices.make(engine, tiny_reranker), proxied(engine)
    put(engine, index, TEXTS)
    proxy.rules += [Rule(**vars(rule)) for rule in rules]
    asyncio.run(updated(settings_of(engine, proxy), index, tiny_reranker))
    assert not proxy.rules, "every fault has happened"
    assert stored(engine, index) == expected(tiny_reranker, DOCUMENTS)


@CLIENTS
def test_a_run_that_was_stopped_goes_on(
    engine: Node, indices: Indices, proxied: Callable[..., Proxy], tiny_reranker: Reranker
) -> None:
    index, proxy = indices.make(engine, tiny_reranker), proxied(engine)
    put(engine, index, TEXTS)

    def stop(number: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(updated(settings_of(engine, proxy), index, tiny_reranker, after=stop))
    there = sum(1 for _, blob in stored(engine, index).values() if blob)
    assert there == 64
    steps = asyncio.run(updated(settings_of(engine), index, tiny_reranker))
    assert (total(steps), steps[0].total) == ((86, 0, 0), 86)
    assert stored(engine, index) == expected(tiny_reranker, DOCUMENTS)


def test_a_node_killed_in_the_middle_loses_nothing(
    opensearch_2: Node, indices: Indices, tiny_reranker: Reranker
) -> None:
    if not isinstance(opensearch_2, OwnNode):
        pytest.skip("this cluster is not ours to kill")
    node: OwnNode = opensearch_2
    index = indices.make(node, tiny_reranker)
    put(node, index, TEXTS)
    asyncio.run(
        updated(settings_of(node), index, tiny_reranker, after=lambda number: number == 1 and node.restart() and None)
    )
    assert stored(node, index) == expected(tiny_reranker, DOCUMENTS)


@CLIENTS
def test_an_index_that_is_not_there(engine: Node, tiny_reranker: Reranker) -> None:
    with pytest.raises(EngineMissing, match="st-absent: there is no such index"):
        asyncio.run(updated(settings_of(engine), "st-absent", tiny_reranker))
    with pytest.raises(EngineMissing, match="st-absent: there is no such index"):
        asyncio.run(counted(settings_of(engine), "st-absent"))


@CLIENTS
def test_another_base_needs_another_index(
    engine: Node, indices: Indices, reranker: Reranker, tiny_reranker: Reranker
) -> None:
    index = indices.make(engine, reranker)
    with pytest.raises(LayoutError, match="has vectors of 384 numbers, the bundle gives 32"):
        asyncio.run(updated(settings_of(engine), index, tiny_reranker))


@CLIENTS
def test_vectors_for_documents_that_have_blobs_alone(engine: Node, indices: Indices, tiny_reranker: Reranker) -> None:
    index = indices.make(engine, tiny_reranker)
    put(engine, index, [{"_id": str(number), "text": f"a text with the number {number}"} for number in range(3)])
    where = settings_of(engine)
    steps = [asyncio.run(updated(where, index, tiny_reranker, vectors)) for vectors in (False, False, True, True)]
    assert [sum(step.updated for step in found) for found in steps] == [3, 0, 3, 0]
    assert all("simgate_windows" in source for source in sources(engine, index).values())
