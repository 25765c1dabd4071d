"""simgate in front of a real engine: an index with blobs, the templates, a server, and the ways to search."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
from conftest import Run
from nodes.engine import Engine
from nodes.proxy import Proxy, Rule
from templating import changes, options, where

from plugin_server import Candidate, Reranker
from plugin_server.backend import Source
from plugin_server.corpus import Document
from plugin_server.engines.connection import Engine as Connection
from plugin_server.engines.indexing import fill
from plugin_server.engines.recall import body
from plugin_server.engines.target import Target, look
from plugin_server.search import Question
from plugin_server.server import Server

QUERY = "Turn left at the church."
TEXTS = ["Turn right at the church.", "At the church, turn left.", "The mill makes bread.", "Left at the church."]
DOCUMENTS = [Document(str(number), text) for number, text in enumerate(TEXTS)]
COUNTED = re.compile(r'^simgate_(blobs|verdicts)_total\{.*?(?:bundle|outcome)="(\w+)".*\} ([0-9.e+]+)$', re.MULTILINE)


@dataclass(frozen=True)
class Site:
    """An engine with documents, and a server that searches it.

    Attributes:
        prefix: of everything in the engine; the index is ``<prefix>-a``.
        grpc, http: where the server listens.
        documents: that are in the index.
        proxy: between the engine and the server's HTTP.
    """

    engine: Engine
    reranker: Reranker
    run: Run
    prefix: str
    grpc: str
    http: str
    documents: Sequence[Document]
    proxy: Proxy

    @property
    def index(self) -> str:
        """The name of the index."""
        return f"{self.prefix}-a"

    def dense(self, query: str, k: int = 100) -> dict[str, Any]:
        """The body of a dense search for it, without the vectors in its hits."""

        async def mapped() -> Any:
            async with Connection(where(self.engine)) as connection:
                return await look(connection, self.index)

        vector = self.reranker.encoder.query(query).vectors[0]
        layout = where(self.engine).layout
        return body(Question(query, k=k, index=self.index), self.engine.kind, vector, layout, self.run(mapped()))

    def search(self, pipeline: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """The hits of a search through one of the pipelines; empty for none."""
        path = f"/{self.index}/_search?search_pipeline={f'{self.prefix}-{pipeline}' if pipeline else '_none'}"
        answer = self.engine.request("POST", path, asked)
        assert "hits" in answer, answer
        hits: list[dict[str, Any]] = answer["hits"]["hits"]
        return hits

    def rerank(self, query: str, k: int = 100, pipeline: str = "rerank", **asked: Any) -> list[dict[str, Any]]:
        """The hits as the engine's own rerank processor leaves them."""
        context = {"ext": {"rerank": {"query_context": {"query_text": query}}}}
        return self.search(pipeline, self.dense(query, k) | context | asked)

    @contextmanager
    def faulty(self, rule: Rule) -> Iterator[None]:
        """While it lasts, this befalls what the engine sends to the server."""
        self.proxy.rules.append(rule)
        try:
            yield
        finally:
            self.proxy.rules.clear()

    def sent(self, since: int) -> list[dict[str, Any]]:
        """The bodies that the engine sent to the server, from that number on."""
        return [json.loads(seen.body) for seen in self.proxy.seen[since:]]

    def kept(self, query: str) -> set[str]:
        """The ids of the documents that the core does not reject."""
        candidates = [Candidate(document.text, document.id) for document in self.documents]
        hits = self.reranker.rerank(query, candidates, "passages", "filter", lenient=True).hits
        return {hit.candidate.id for hit in hits}

    def counted(self) -> dict[str, float]:
        """What the server's metrics say of blobs and verdicts, by bundle and outcome."""
        text = httpx.get(f"{self.http}/metrics", timeout=60).text
        counts: dict[str, float] = {}
        for kind, label, value in COUNTED.findall(text):
            counts[f"{kind} {label}"] = counts.get(f"{kind} {label}", 0) + float(value)
        return counts


def scores(hits: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The hits' scores by their ids, in their order."""
    return {hit["_id"]: hit["_score"] for hit in hits}


def held(hits: Sequence[dict[str, Any]]) -> set[str]:
    """The ids of the hits that were not rejected, by their scores."""
    return {hit["_id"] for hit in hits if hit["_score"] >= 0.5}


@contextmanager
def site(
    engine: Engine, reranker: Reranker, run: Run, prefix: str, documents: Sequence[Document], **given: Any
) -> Iterator[Site]:
    """A site with these documents; afterwards nothing of it is left in the engine.

    Args:
        given: more options for the templates.
    """
    settings = where(engine)
    server = run(
        Server.start(
            reranker, "127.0.0.1:0", http_address="127.0.0.1:0", source=Source(engine=settings, name=f"{prefix}-a")
        )
    )
    http = f"http://{server.http_address}"
    proxy = run(Proxy.start(http))
    chosen = options(engine, reranker, prefix, **({"sidecar": proxy.url} | given))
    made = Site(engine, reranker, run, prefix, server.address, http, documents, proxy)

    async def store() -> None:
        async with Connection(settings) as connection:
            target = await Target.open(connection, made.index, reranker.manifest)
            numbered = (replace(document, line=number) for number, document in enumerate(documents, 1))
            async for progress in fill(target, reranker.encoder, numbered):
                assert not progress.batch.refused
            await connection.request("POST", f"/{made.index}/_refresh")

    try:
        run(changes(engine, chosen))
        run(store())
        yield made
    finally:
        engine.request("DELETE", f"/{made.index}?ignore_unavailable=true")
        run(changes(engine, chosen, gone=True))
        run(proxy.stop())
        run(server.stop(0))
