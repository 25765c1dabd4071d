"""Indices of real engines for tests: made from the templates' own mappings, and deleted afterwards."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from nodes.engine import Engine as Node
from nodes.proxy import Proxy

from index_templates.apply import Options
from index_templates.resource import Resource
from plugin_server import Bundle, Reranker
from plugin_server.bundle import ENCODER, TOKENIZER, fingerprint
from plugin_server.commands.engine_index import fields_of
from plugin_server.core import Core
from plugin_server.corpus import Document, read_corpus
from plugin_server.demo import CORPUS
from plugin_server.encoder import Encoded
from plugin_server.engines import census
from plugin_server.engines.census import Census
from plugin_server.engines.connection import Engine
from plugin_server.engines.document import encoding, source
from plugin_server.engines.indexing import fill
from plugin_server.engines.layout import Layout, Mapped
from plugin_server.engines.search import EngineSearcher
from plugin_server.engines.settings import EngineSettings
from plugin_server.engines.target import Target, extend
from plugin_server.engines.updating import Updated, update
from plugin_server.indexing import Batch
from plugin_server.search import Answer, Question

#: Forms of vectors that each engine's templates have here: floats, bytes.
FORMS = {"opensearch": ("lucene-float", "lucene-byte"), "elasticsearch": ("float", "byte")}
#: A document of several windows.
LONG = Document("long", "The shop sells bread. " * 120 + "The last window tells of a glacier in Norway.")
#: A part of names that no other run on the same cluster has.
RUN = uuid4().hex[:8]
NUMBERS = count()


def settings_of(node: Node, proxy: Proxy | None = None, **given: Any) -> EngineSettings:
    """How simgate reaches a node, through a proxy if there is one."""
    return EngineSettings(engine=node.kind, engine_url=(proxy or node).url, **{"engine_timeout": 30.0, **given})


class Indices:
    """Indices with names that no other test has; `close` deletes them."""

    def __init__(self) -> None:
        self._made: list[tuple[Node, str]] = []

    def name(self, node: Node) -> str:
        """A name for an index that something else makes."""
        name = f"st-{RUN}-{next(NUMBERS)}"
        self._made.append((node, name))
        return name

    def make(
        self,
        node: Node,
        reranker: Reranker,
        vectors: str = "",
        blobs: bool = True,
        settings: Mapping[str, Any] | None = None,
        name: str = "",
        **properties: Any,
    ) -> str:
        """The name of a new index as the templates make it.

        Args:
            vectors: a form of the templates, ``none`` for none, the engine's default when empty.
            blobs: whether it has the fields of blobs.
            settings: of the index.
            name: of one that was deleted.
            properties: mappings of more fields.
        """
        manifest = reranker.manifest
        values = Options(
            node.kind, manifest.recall_dimension, manifest.fingerprint, manifest.name,
            vectors="" if vectors == "none" else vectors,
        ).values  # fmt: skip
        body: dict[str, Any] = {"number_of_shards": 1, "number_of_replicas": 0}
        fields: dict[str, Any] = {"text": {"type": "text"}, "title": {"type": "text"}}
        meta: dict[str, Any] = {}
        for subject in [*(["blobs"] if blobs else []), *([f"vectors-{values['vectors']}"] * (vectors != "none"))]:
            template = Resource.load(node.kind, f"{subject}@component_template").render(values)["template"]
            body |= template.get("settings", {}).get("index", {})
            fields |= template["mappings"]["properties"]
            meta |= template["mappings"].get("_meta", {})
        name = name or self.name(node)
        mappings = {"_meta": meta, "properties": fields | properties}
        node.request("PUT", f"/{name}", {"settings": {"index": body | dict(settings or {})}, "mappings": mappings})
        return name

    def close(self) -> None:
        """Nothing; the indices are gone."""
        for node, name in self._made:
            node.request("DELETE", f"/{name}?ignore_unavailable=true")


def sources(node: Node, index: str) -> dict[str, dict[str, Any]]:
    """Every document of an index by its id."""
    node.request("POST", f"/{index}/_refresh")
    query: dict[str, Any] = {"size": 10_000, "query": {"match_all": {}}}
    if node.kind == "elasticsearch":
        query["_source"] = {"exclude_vectors": False}
    found = node.request("POST", f"/{index}/_search", query)
    assert found["hits"]["total"]["value"] == len(found["hits"]["hits"])
    return {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"]}


def put(node: Node, index: str, documents: Iterable[Mapping[str, Any]]) -> None:
    """Nothing; the documents are in the index as they are, each under its ``_id`` and with its ``_routing``."""
    lines: list[Any] = []
    for document in documents:
        fields = dict(document)
        head = {"_id": fields.pop("_id")} | ({"routing": fields.pop("_routing")} if "_routing" in fields else {})
        lines += [{"index": head}, fields]
    answer = node.request("POST", f"/{index}/_bulk?refresh=true", lines)
    assert not answer["errors"], answer


def corpus_file(path: Path, documents: Iterable[Document | Mapping[str, Any]]) -> Path:
    """The path, a corpus of these documents or lines in it."""
    lines = [
        {"id": item.id, "text": item.text, "title": item.title} | item.extra if isinstance(item, Document) else item
        for item in documents
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def expected(reranker: Reranker, documents: Iterable[Document]) -> dict[str, tuple[str, str]]:
    """Text and blob of each document by id, as the index must have them."""
    listed = list(documents)
    encoded = reranker.encode([document.text for document in listed])
    fingerprint = reranker.manifest.fingerprint
    return {
        document.id: (document.text, item.blob(fingerprint).text())
        for document, item in zip(listed, encoded, strict=True)
    }


def stored(node: Node, index: str, text: str = "text") -> dict[str, tuple[str, str]]:
    """Text and blob of each document by id, as the index has them."""
    return {
        identity: (source[text], source.get("simgate_blob", "")) for identity, source in sources(node, index).items()
    }


async def filled(settings: EngineSettings, index: str, reranker: Reranker, documents: Iterable[Document]) -> Batch:
    """What became of the documents, all batches together."""
    async with Engine(settings) as engine:
        target = await Target.open(engine, index, reranker.manifest)
        batches = [step.batch async for step in fill(target, reranker.encoder, documents)]
    refused = tuple(item for batch in batches for item in batch.refused)
    return Batch(sum(batch.added for batch in batches), sum(batch.unchanged for batch in batches), refused)


def other_bits(bundle: Bundle, folder: Path) -> Bundle:
    """A bundle with the same graphs that rounds to other bits, so that its fingerprint is another."""
    shutil.copytree(bundle.folder, folder, dirs_exist_ok=True)
    old = bundle.manifest
    bits = 12 - old.token_bits
    sign = fingerprint(old.files[ENCODER], old.files[TOKENIZER], old.window_tokens, old.window_overlap, bits)
    replace(old, token_bits=bits, fingerprint=sign).write(folder)
    return Bundle.open(folder)


def demo_corpus() -> list[Document]:
    """300 documents, a third of each ``kind``: 299 of the demo's and a long one."""
    with CORPUS.open("rb") as stream:
        found = [item for item in read_corpus(stream, 10_000) if isinstance(item, Document)][:299]
    return [replace(item, extra={"kind": n % 3}) for n, item in enumerate([*found, LONG])]


def put_encoded(
    node: Node, index: str, reranker: Reranker, documents: Iterable[Document], encoded: Iterable[Encoded]
) -> None:
    """Nothing; the documents are in the index as simgate writes them."""
    mapped = Mapped.of(node.request("GET", f"/{index}/_mapping")[index]["mappings"])
    mark = reranker.manifest.fingerprint
    put(
        node,
        index,
        [
            {"_id": document.id} | source(document, Layout()) | encoding(item, mark, mapped, mapped.dimension > 0)
            for document, item in zip(documents, encoded, strict=True)
        ],
    )


class Demo:
    """`demo_corpus`, encoded once, in an index of each engine and form, made when it is first asked for."""

    def __init__(self, reranker: Reranker) -> None:
        self.documents = demo_corpus()
        self.encoded = reranker.encode([document.text for document in self.documents])
        self.indices = Indices()
        self._reranker = reranker
        self._made: dict[tuple[str, bool], str] = {}

    def index(self, node: Node, byte: bool = False) -> str:
        """The name of the index."""
        if (node.url, byte) not in self._made:
            index = self.indices.make(node, self._reranker, FORMS[node.kind][byte], kind={"type": "integer"})
            put_encoded(node, index, self._reranker, self.documents, self.encoded)
            self._made[node.url, byte] = index
        return self._made[node.url, byte]

    def cosines(self, query: str) -> list[float]:
        """The cosine of each document's nearest window with a query."""
        vector = self._reranker.encoder.query(query).vectors[0]
        return [float((item.vectors @ vector).max()) for item in self.encoded]


def search(where: EngineSettings, reranker: Reranker, *asked: Question) -> Answer:
    """The answer to the last of the questions that one searcher is asked."""

    async def work() -> Answer:
        async with Engine(where) as engine:
            searcher = EngineSearcher(Core(reranker), engine)
            return [await searcher.search(question) for question in asked][-1]

    return asyncio.run(work())


async def updated(
    where: EngineSettings,
    index: str,
    reranker: Reranker,
    vectors: bool = True,
    after: Callable[[int], None] = lambda number: None,
) -> list[Updated]:
    """What became of each batch; `after` is called with its number before the next one is read."""
    steps: list[Updated] = []
    async with Engine(where) as engine:
        mapped = await extend(engine, index, fields_of(where, reranker.manifest, vectors))
        has = vectors and mapped.dimension > 0
        target = Target(engine, index, mapped.expect(index, reranker.manifest.recall_dimension, has), has)
        async for step in update(target, reranker.encoder):
            steps.append(step)
            after(len(steps))
    return steps


async def counted(where: EngineSettings, index: str) -> Census:
    """The index's census."""
    async with Engine(where) as engine:
        return await census.count(engine, index)


def total(steps: list[Updated]) -> tuple[int, int, int]:
    """How many were updated, changed meanwhile and refused."""
    return (
        sum(step.updated for step in steps), sum(step.changed for step in steps),
        sum(len(step.refused) for step in steps),
    )  # fmt: skip
