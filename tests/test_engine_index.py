"""A corpus into an engine's index: whatever goes wrong on the way, every document is there once, with its own blob."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from indices import FORMS, Indices, expected, filled, put, settings_of, sources, stored
from nodes.engine import Engine as Node
from nodes.node import Node as OwnNode
from nodes.proxy import Proxy, Rule

from plugin_server import Reranker
from plugin_server.corpus import Document
from plugin_server.engines.bulk import BULK_BYTES, Action, write
from plugin_server.engines.connection import Engine
from plugin_server.engines.document import numbers
from plugin_server.engines.indexing import fill
from plugin_server.engines.layout import Mapped
from plugin_server.engines.target import Target
from plugin_server.errors import EngineDenied, EngineError, LayoutError
from plugin_server.indexing import Batch

#: Three batches.
DOCUMENTS = [Document(f"d{n}", f"The bus number {n} leaves at ten.", line=n + 1) for n in range(130)]
CLIENTS = pytest.mark.parametrize("engine", ["opensearch_2", "elasticsearch_9"], indirect=True)


def bulks(proxy: Proxy) -> list[Any]:
    return [seen for seen in proxy.seen if seen.path.startswith("/_bulk")]


HTML = Rule("/_bulk", status=502, body=b"<html>", headers={"Content-Type": "text/html"}, times=1)
FAULTS: list[tuple[list[Rule], str]] = [
    ([], "nothing goes wrong"),
    ([Rule("/_bulk", status=429, times=3)], "too busy for a bulk request"),
    ([Rule("/_bulk", status=503, times=2), HTML], "a node that starts"),
    ([Rule("/_bulk", cut=True, times=2)], "the connection breaks after the engine has written"),
    ([Rule("/_bulk", delay=0.9, times=1)], "the answer comes too late, and the request arrives twice"),
    ([Rule("/_bulk", status=413, times=3)], "too many bytes for a proxy, even the half and the quarter"),
    ([Rule("/st-", times=1), Rule("/st-", status=429, times=2), Rule("/st-", cut=True, times=1)], "asking goes wrong"),
]


@pytest.mark.parametrize("engine", ["opensearch_3", "elasticsearch_9"], indirect=True)
@pytest.mark.parametrize(("rules", "remark"), FAULTS, ids=[row[1] for row in FAULTS])
def test_every_document_is_written_once_whatever_happens(
    engine: Node,
    indices: Indices,
    proxied: Callable[..., Proxy],
    tiny_reranker: Reranker,
    rules: list[Rule],
    remark: str,
) -> None:
    index, proxy = indices.make(engine, tiny_reranker), proxied(engine)
    proxy.rules += [Rule(**vars(rule)) for rule in rules]
    where = settings_of(engine, proxy, engine_timeout=0.5 if any(rule.delay for rule in rules) else 30.0)
    assert asyncio.run(filled(where, index, tiny_reranker, DOCUMENTS)) == Batch(130, 0, ())
    assert not proxy.rules, "every fault has happened"
    assert stored(engine, index) == expected(tiny_reranker, DOCUMENTS)
    sent = len(bulks(proxy))
    assert asyncio.run(filled(settings_of(engine, proxy), index, tiny_reranker, DOCUMENTS)) == Batch(0, 130, ())
    assert len(bulks(proxy)) == sent, "a second run writes nothing"


def test_single_documents_that_the_engine_has_no_time_for_are_sent_again(
    engine: Node, indices: Indices, proxied: Callable[..., Proxy], tiny_reranker: Reranker
) -> None:
    """An index whose disk is full answers 429 for its own documents alone, until there is room again."""
    free, full = (indices.make(engine, tiny_reranker) for _ in range(2))
    proxy = proxied(engine)
    engine.request("PUT", f"/{full}/_settings", {"index.blocks.read_only_allow_delete": True})
    actions = [
        Action({"index": {"_index": index, "_id": str(n)}}, {"text": f"{index} {n}"})
        for n in range(10)
        for index in (free, full)
    ]

    async def work() -> list[Any]:
        async with Engine(settings_of(engine, proxy)) as client:
            writing = asyncio.create_task(write(client, actions))
            while len(bulks(proxy)) < 2:
                await asyncio.sleep(0.01)
            await client.request("PUT", f"/{full}/_settings", {"index.blocks.read_only_allow_delete": None})
            return await writing

    assert asyncio.run(work()) == []
    first, *later = [seen.body.decode().splitlines() for seen in bulks(proxy)]
    assert len(first) == 40
    assert all(len(lines) == 20 and free not in "".join(lines) for lines in later), "only the others are sent again"
    for index in (free, full):
        assert {key: value["text"] for key, value in sources(engine, index).items()} == {
            str(n): f"{index} {n}" for n in range(10)
        }


@CLIENTS
def test_a_fault_that_does_not_pass_ends_the_run_and_the_next_goes_on(
    engine: Node, indices: Indices, proxied: Callable[..., Proxy], tiny_reranker: Reranker
) -> None:
    index, proxy = indices.make(engine, tiny_reranker), proxied(engine)
    proxy.rules += [Rule("/_bulk", times=1), Rule("/_bulk", status=403, body=b'{"error":"read only"}')]
    with pytest.raises(EngineDenied, match="read only"):
        asyncio.run(filled(settings_of(engine, proxy), index, tiny_reranker, DOCUMENTS))
    there = len(sources(engine, index))
    assert there in (2, 64), "one of the batches that are sent at a time"
    result = asyncio.run(filled(settings_of(engine), index, tiny_reranker, DOCUMENTS))
    assert result == Batch(130 - there, there, ())
    assert stored(engine, index) == expected(tiny_reranker, DOCUMENTS)


@CLIENTS
@pytest.mark.parametrize("body", [b"{}", b'{"items":[]}', b'{"items":[{"index":{}}]}', b"[]"], ids=bytes.decode)
def test_an_answer_of_something_else_is_an_error(
    engine: Node, indices: Indices, proxied: Callable[..., Proxy], tiny_reranker: Reranker, body: bytes
) -> None:
    index, proxy = indices.make(engine, tiny_reranker), proxied(engine)
    proxy.rules.append(Rule("/_bulk", status=200, body=body, headers={"X-Elastic-Product": "Elasticsearch"}))
    with pytest.raises(EngineError, match="answer is not that of a bulk request"):
        asyncio.run(filled(settings_of(engine, proxy), index, tiny_reranker, DOCUMENTS[:3]))


def test_a_node_killed_in_the_middle_of_writing_loses_nothing(
    elasticsearch_9: Node, indices: Indices, proxied: Callable[..., Proxy], tiny_reranker: Reranker
) -> None:
    if not isinstance(elasticsearch_9, OwnNode):
        pytest.skip("this cluster is not ours to kill")
    documents = [Document(f"k{n}", f"The boat number {n} leaves at six.", line=n + 1) for n in range(640)]
    index, proxy = indices.make(elasticsearch_9, tiny_reranker), proxied(elasticsearch_9)
    proxy.rules.append(Rule("/_bulk", delay=0.05))

    async def work() -> Batch:
        writing = asyncio.create_task(filled(settings_of(elasticsearch_9, proxy), index, tiny_reranker, documents))
        while len(bulks(proxy)) < 3:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(elasticsearch_9.restart)
        return await writing

    assert asyncio.run(work()) == Batch(640, 0, ())
    assert len(bulks(proxy)) > 10, "some were sent again"
    assert stored(elasticsearch_9, index) == expected(tiny_reranker, documents)


@pytest.mark.filterwarnings("ignore:Sending a large body directly with raw bytes:ResourceWarning")
def test_a_request_has_a_limit_of_bytes(
    elasticsearch_9: Node, indices: Indices, proxied: Callable[..., Proxy], tiny_reranker: Reranker
) -> None:
    index = indices.make(elasticsearch_9, tiny_reranker, filler={"enabled": False, "type": "object"})
    proxy = proxied(elasticsearch_9)
    sizes = [100_000] * 25 + [BULK_BYTES + 1] + [10]
    actions = [
        Action({"index": {"_index": index, "_id": str(n)}}, {"text": "a", "filler": {"a": "x" * size}})
        for n, size in enumerate(sizes)
    ]

    async def work() -> list[Any]:
        async with Engine(settings_of(elasticsearch_9, proxy)) as client:
            return await write(client, actions)

    assert asyncio.run(work()) == []
    sent = [(len(seen.body), seen.body.count(b"\n") // 2) for seen in bulks(proxy)]
    assert [count for _, count in sent] == [10, 10, 5, 1, 1]
    assert all(size <= BULK_BYTES for size, count in sent if count > 1)
    assert {key: len(value["filler"]["a"]) for key, value in sources(elasticsearch_9, index).items()} == {
        str(n): size for n, size in enumerate(sizes)
    }


@pytest.mark.parametrize("byte", [False, True], ids=["float", "byte"])
def test_each_window_has_its_vector(engine: Node, indices: Indices, tiny_reranker: Reranker, byte: bool) -> None:
    index = indices.make(engine, tiny_reranker, FORMS[engine.kind][byte])
    documents = [Document("short", "a bus"), Document("long", "The bus leaves at ten. " * 100)]
    asyncio.run(filled(settings_of(engine), index, tiny_reranker, documents))
    mapped = Mapped.of(engine.request("GET", f"/{index}/_mapping")[index]["mappings"])
    assert mapped.byte is byte
    found = sources(engine, index)
    encoded = tiny_reranker.encode([document.text for document in documents])
    assert [len(item.vectors) for item in encoded] == [1, len(encoded[1].vectors)] != [1, 1]
    for document, item in zip(documents, encoded, strict=True):
        vectors = [window["vector"] for window in found[document.id]["simgate_windows"]]
        assert vectors == [pytest.approx(numbers(row, mapped), abs=1e-6) for row in item.vectors]
        if byte:
            assert all(isinstance(number, int) and -127 <= number <= 127 for row in vectors for number in row)
        assert np.argmax(vectors[0]) == np.argmax(item.vectors[0])


@CLIENTS
def test_a_changed_document_is_written_again(engine: Node, indices: Indices, tiny_reranker: Reranker) -> None:
    index, where = indices.make(engine, tiny_reranker), settings_of(engine)
    first = [Document("a", "a bus"), Document("b", "a boat", "Boat"), Document("c", "a car", extra={"price": 7})]
    assert asyncio.run(filled(where, index, tiny_reranker, first)) == Batch(3, 0, ())
    second = [first[0], Document("b", "a boat", "Ship"), Document("c", "a car", extra={"price": 8})]
    assert asyncio.run(filled(where, index, tiny_reranker, second)) == Batch(2, 1, ())
    third = [Document("a", "another bus"), *second[1:]]
    assert asyncio.run(filled(where, index, tiny_reranker, third)) == Batch(1, 2, ())
    assert stored(engine, index) == expected(tiny_reranker, third)
    found = sources(engine, index)
    assert (found["b"]["title"], found["c"]["price"]) == ("Ship", 8)


@CLIENTS
def test_an_alias_is_written_through(engine: Node, indices: Indices, tiny_reranker: Reranker) -> None:
    index, alias = indices.make(engine, tiny_reranker), "st-alias"
    engine.request("PUT", f"/{index}/_alias/{alias}")
    assert asyncio.run(filled(settings_of(engine), alias, tiny_reranker, DOCUMENTS[:3])) == Batch(3, 0, ())
    assert asyncio.run(filled(settings_of(engine), alias, tiny_reranker, DOCUMENTS[:3])) == Batch(0, 3, ())
    assert stored(engine, index) == expected(tiny_reranker, DOCUMENTS[:3])


LAYOUTS: list[tuple[dict[str, Any], str, str]] = [
    ({"blobs": False, "vectors": "none"}, "has no field simgate_blob: run `simgate templates apply`", "no template"),
    ({"blobs": False}, "has no field simgate_blob", "vectors alone"),
    ({"vectors": "none"}, "has no field simgate_windows.vector: .* blobs alone with --no-vectors", "blobs alone"),
]


@pytest.mark.parametrize(("form", "message", "remark"), LAYOUTS, ids=[row[2] for row in LAYOUTS])
def test_an_index_without_the_fields_is_refused_before_anything_is_sent(
    engine: Node,
    indices: Indices,
    proxied: Callable[..., Proxy],
    tiny_reranker: Reranker,
    form: dict[str, Any],
    message: str,
    remark: str,
) -> None:
    index, proxy = indices.make(engine, tiny_reranker, **form), proxied(engine)
    with pytest.raises(LayoutError, match=f"{index}: {message}"):
        asyncio.run(filled(settings_of(engine, proxy), index, tiny_reranker, DOCUMENTS[:1]))
    assert [seen.method for seen in proxy.seen] == ["GET"]


def test_an_index_that_no_template_would_make_is_refused(
    engine: Node, indices: Indices, reranker: Reranker, tiny_reranker: Reranker
) -> None:
    index = indices.name(engine)
    with pytest.raises(LayoutError, match="has no field simgate_blob"):
        asyncio.run(filled(settings_of(engine), index, tiny_reranker, DOCUMENTS[:1]))
    with pytest.raises(LayoutError, match="has vectors of 384 numbers, the bundle gives 32"):
        asyncio.run(filled(settings_of(engine), indices.make(engine, reranker), tiny_reranker, DOCUMENTS[:1]))


@CLIENTS
def test_blobs_without_vectors_and_vectors_later(engine: Node, indices: Indices, tiny_reranker: Reranker) -> None:
    index = indices.make(engine, tiny_reranker)

    async def added(vectors: bool) -> list[int]:
        async with Engine(settings_of(engine)) as client:
            target = await Target.open(client, index, tiny_reranker.manifest, vectors)
            return [step.batch.added async for step in fill(target, tiny_reranker.encoder, DOCUMENTS[:3])]

    assert asyncio.run(added(False)) == [3]
    assert stored(engine, index) == expected(tiny_reranker, DOCUMENTS[:3])
    assert not any("simgate_windows" in source for source in sources(engine, index).values())
    assert [asyncio.run(added(vectors)) for vectors in (False, True, True)] == [[0], [3], [0]]
    engine.request("POST", f"/{index}/_refresh")
    exists = {"nested": {"path": "simgate_windows", "query": {"match_all": {}}}}
    assert engine.request("POST", f"/{index}/_count", {"query": exists})["count"] == 3


@pytest.mark.parametrize("field", ["body", "body.en"])
def test_the_text_has_the_field_that_the_settings_name(
    engine: Node, indices: Indices, tiny_reranker: Reranker, field: str
) -> None:
    properties = {"en": {"type": "text"}}
    index = indices.make(engine, tiny_reranker, body={"properties": properties} if "." in field else {"type": "text"})
    where = settings_of(engine, text_field=field)
    assert asyncio.run(filled(where, index, tiny_reranker, DOCUMENTS[:3])) == Batch(3, 0, ())
    assert stored(engine, index, field) == expected(tiny_reranker, DOCUMENTS[:3])
    found = engine.request("POST", f"/{index}/_search", {"query": {"match": {field: "2"}}})
    assert [hit["_id"] for hit in found["hits"]["hits"]] == ["d2"], "the engine's own search sees it"


@CLIENTS
def test_what_was_there_without_a_blob_is_written(engine: Node, indices: Indices, tiny_reranker: Reranker) -> None:
    index = indices.make(engine, tiny_reranker)
    put(engine, index, [{"_id": "d0", "text": json.dumps("something else")}])
    assert asyncio.run(filled(settings_of(engine), index, tiny_reranker, DOCUMENTS[:2])) == Batch(2, 0, ())
    assert stored(engine, index) == expected(tiny_reranker, DOCUMENTS[:2])
