"""Indices of real engines for tests: made from the templates' own mappings, and deleted afterwards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
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
from plugin_server.corpus import Document
from plugin_server.engines.connection import Engine
from plugin_server.engines.indexing import fill
from plugin_server.engines.settings import EngineSettings
from plugin_server.engines.target import Target
from plugin_server.indexing import Batch

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
        batches = [step.batch async for step in fill(target, reranker, documents)]
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
