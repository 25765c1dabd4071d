"""Search with verification beside plain kNN search, indexing beside encoding alone, and what blobs take in an index.

``python -m benchmarks.engines --data FOLDER`` starts an OpenSearch 3.6 node, fills it and prints the tables;
``SIMGATE_TEST_OPENSEARCH_3`` names a running one instead, whose documents of an earlier run are used again.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nodes.node import Node

from benchmarks import figures, ways, work
from benchmarks.corpus import documents, lines, queries
from index_templates.apply import Options, apply
from plugin_server import Reranker, Settings
from plugin_server.blob import TokenBlob
from plugin_server.candidate import Candidate
from plugin_server.commands.templates import requester
from plugin_server.core import Core
from plugin_server.corpus import read_corpus
from plugin_server.engines.connection import Engine
from plugin_server.engines.indexing import fill
from plugin_server.engines.layout import BLOB, BUNDLE, DIGEST, OWN_PATTERN, Mapped
from plugin_server.engines.recall import body
from plugin_server.engines.search import EngineSearcher
from plugin_server.engines.settings import EngineSettings
from plugin_server.engines.target import Target, known
from plugin_server.search import Question

INDEX, BARE = "simgate-bench", "simgate-bench-bare"
#: Hits of a search, and documents of the second index, which is like the first but for the blobs.
K, BARE_DOCUMENTS = 100, 10_000
#: Documents that are encoded alone, so many at a time, between the parts of the corpus that are indexed.
ALONE, PART = 640, 6400
#: Times that each query is asked in each way.
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Parts:
    """Seconds of the parts of one verified search."""

    encode: float
    fetch: float
    decode: float
    verify: float


async def measure(data: Path, count: int, asked: int, threads: int) -> dict[str, Any]:
    """Everything measured, as the report is printed from it."""
    reranker = Reranker.load(Settings(threads=threads, cache_bytes=0))
    texts = documents(data, count)
    async with _engine() as engine:
        await _ready(engine, reranker)
        indexing = await index(engine, reranker, texts)
        await engine.request("POST", f"/{INDEX}/_forcemerge", params={"max_num_segments": "1"})
        size = await sizes(engine, texts)
        questions = queries(data, asked)
        search = await compare(engine, reranker, questions)
        loads = await work.of_answers(engine, reranker, INDEX, questions, K, ROUNDS)
        by_way = await ways.compare(engine, reranker, INDEX, questions[:50], K)
    about = {"documents": count, "threads": threads, "load": os.getloadavg()[0], "ways": by_way, "work": loads}
    return about | indexing | size | search


async def index(engine: Engine, reranker: Reranker, texts: Sequence[str]) -> dict[str, Any]:
    """Documents a second indexed, and encoded alone; parts of both take turns."""
    target = await Target.open(engine, INDEX, reranker.manifest)
    indexed = alone = 0.0
    written = encoded = tokens = 0
    for start in range(0, len(texts), PART):
        part = list(lines(texts[start : start + PART]))
        corpus = read_corpus(io.BytesIO(b"".join(part)), 200_000)
        began = time.perf_counter()
        async for step in fill(target, reranker.encoder, _shifted(corpus, start)):
            written += step.batch.added
        indexed += time.perf_counter() - began
        chosen = list(texts[start : start + ALONE])
        began = time.perf_counter()
        for place in range(0, len(chosen), 64):
            found = reranker.encode(chosen[place : place + 64])
            tokens += sum(len(window) for item in found for window in item.windows)
        alone += time.perf_counter() - began
        encoded += len(chosen)
    await engine.request("POST", f"/{INDEX}/_refresh")
    rate = {"encode_per_second": encoded / alone, "tokens": tokens / encoded}
    return rate | ({"index_per_second": written / indexed} if written == len(texts) else {})


async def sizes(engine: Engine, texts: Sequence[str]) -> dict[str, Any]:
    """Bytes of an index with blobs and without, and characters of a blob a token."""
    found = await engine.request("POST", f"/{INDEX}/_search", {"size": BARE_DOCUMENTS, "_source": True})
    hits = found["hits"]["hits"]
    rows = sum(len(window) for hit in hits for window in TokenBlob.parse(hit["_source"][BLOB]).windows)
    characters = sum(len(hit["_source"][BLOB]) for hit in hits)
    result = {"blob_bytes_per_token": characters / rows}
    for name, without in ((BARE, (BLOB, BUNDLE, DIGEST)), (f"{BARE}-blobs", ())):
        for start in range(0, len(hits), 500):
            actions = b""
            for hit in hits[start : start + 500]:
                kept = {key: value for key, value in hit["_source"].items() if key not in without}
                actions += json.dumps({"index": {"_index": name, "_id": hit["_id"]}}).encode() + b"\n"
                actions += json.dumps(kept).encode() + b"\n"
            written = await engine.request("POST", "/_bulk", actions)
            assert not written["errors"], written
        await engine.request("POST", f"/{name}/_forcemerge", params={"max_num_segments": "1"})
        await engine.request("POST", f"/{name}/_refresh")  # lets go of the segments that were merged
        stats = await engine.request("GET", f"/{name}/_stats/store")
        result[f"{'blobs' if not without else 'bare'}_bytes"] = stats["_all"]["primaries"]["store"]["size_in_bytes"]
        await engine.request("DELETE", f"/{name}")
    characters = sum(len(hit["_source"]["text"]) for hit in hits)
    about = {"size_documents": len(hits), "size_tokens": rows / len(hits), "text_bytes": characters / len(hits)}
    return result | about


async def compare(engine: Engine, reranker: Reranker, asked: Sequence[str]) -> dict[str, Any]:
    """Milliseconds of a plain kNN search, of one with verification, and of the parts; the median over the queries."""
    searcher = EngineSearcher(Core(reranker), engine)
    mapped = await known(engine, INDEX)

    async def plain(query: str) -> None:
        encoded = reranker.encoder.query(query)
        search = body(Question(query, K, index=INDEX), engine.kind, encoded.vectors[0], engine.layout, mapped)
        search["_source"] = {"excludes": [OWN_PATTERN]}
        await engine.request("POST", f"/{INDEX}/_search", search)

    async def verified(query: str) -> None:
        await searcher.search(Question(query, K, K, index=INDEX))

    for query in asked[:20]:
        await plain(query)
        await verified(query)
    times: dict[str, list[float]] = {"plain": [], "verified": []}
    parts: list[Parts] = []
    for query in asked:
        taken = {"plain": 9.0, "verified": 9.0}
        for round_ in range(ROUNDS):
            ways = [("plain", plain), ("verified", verified)]
            for name, way in ways if round_ % 2 else reversed(ways):
                taken[name] = min(taken[name], await _timed(way, query))
        for name, seconds in taken.items():
            times[name].append(seconds)
        parts.append(await _parts(engine, reranker, mapped, query))
    milliseconds = {f"{name}_ms": 1000 * statistics.median(found) for name, found in times.items()}
    added = statistics.median(b - a for a, b in zip(times["plain"], times["verified"], strict=True))
    share = {
        f"{name}_ms": 1000 * statistics.median(getattr(part, name) for part in parts)
        for name in ("encode", "fetch", "decode", "verify")
    }
    compared = {"added_ms": 1000 * added, "added_over_plain": added / statistics.median(times["plain"])}
    return milliseconds | share | compared


async def _parts(engine: Engine, reranker: Reranker, mapped: Mapped, query: str) -> Parts:
    """One verified search taken apart: encoding, the engine's answer with blobs, blobs parsed, the rest."""
    start = time.perf_counter()
    encoded = reranker.encoder.query(query)
    encode = time.perf_counter()
    search = body(Question(query, K, index=INDEX), engine.kind, encoded.vectors[0], engine.layout, mapped)
    answer = await engine.request("POST", f"/{INDEX}/_search", search)
    fetch = time.perf_counter()
    blobs = [hit["_source"][BLOB] for hit in answer["hits"]["hits"]]
    for blob in blobs:
        TokenBlob.parse(blob)
    decode = time.perf_counter()
    candidates = [Candidate(blob=blob, score=0.5) for blob in blobs]
    reranker.rerank(query, candidates, encoded=encoded)
    verify = time.perf_counter() - decode - (decode - fetch)
    return Parts(encode - start, fetch - encode, decode - fetch, verify)


def report(found: dict[str, Any]) -> str:
    """The tables in Markdown."""
    blobs, bare = found["blobs_bytes"], found["bare_bytes"]
    rows = [
        f"OpenSearch 3.6, {found['documents']:,} documents of {found['tokens']:.0f} tokens on average, "
        f"k = {K}, {found['threads']} threads, load {found['load']:.1f} at the end",
        "",
        "| search, median | ms |",
        "|---|---|",
        f"| plain kNN: query encoded, {K} hits with their texts | {found['plain_ms']:.1f} |",
        f"| with verification | {found['verified_ms']:.1f} |",
        f"| added | {found['added_ms']:.1f}, {found['added_over_plain']:.2f} of the plain search |",
        f"| of it: query encoded | {found['encode_ms']:.1f} |",
        f"| the engine's answer with blobs | {found['fetch_ms']:.1f} |",
        f"| blobs parsed | {found['decode_ms']:.1f} |",
        f"| verified and ranked | {found['verify_ms']:.1f} |",
        "",
        "| indexing | |",
        "|---|---|",
        f"| encoding alone, documents a second | {found['encode_per_second']:.0f} |",
    ]
    if "index_per_second" in found:
        share = found["index_per_second"] / found["encode_per_second"]
        rows.append(f"| indexing, documents a second | {found['index_per_second']:.0f}, {share:.2f} of it |")
    rows += [
        f"| blob, bytes a token | {found['blob_bytes_per_token']:.1f} |",
        f"| index of {found['size_documents']:,} documents with vectors, without blobs | {bare / 1e6:.1f} MB |",
        f"| the same with blobs | {blobs / 1e6:.1f} MB, {blobs / bare:.2f} times |",
        "",
        "| way, median | ms |",
        "|---|---|",
        *(f"| {name} | {taken:.1f} |" for name, taken in found["ways"].items()),
        "",
        f"| an answer of {K} hits with | engine, ms of a core | this process, ms of a core | bytes |",
        "|---|---|---|---|",
        *(
            f"| {name} | {of['engine_core_ms']:.1f} | {of['own_core_ms']:.1f} | {of['answer_bytes']:,.0f} |"
            for name, of in found["work"].items()
        ),
    ]
    return "\n".join(rows)


async def _ready(engine: Engine, reranker: Reranker) -> None:
    manifest = reranker.manifest
    options = Options("opensearch", manifest.recall_dimension, manifest.fingerprint, manifest.name)
    async for _ in apply(requester(engine), options):
        pass


@asynccontextmanager
async def _engine() -> AsyncIterator[Engine]:
    """A connection to the cluster that the environment names, or to a node of its own."""
    named = os.environ.get("SIMGATE_TEST_OPENSEARCH_3", "")
    if named:
        async with Engine(EngineSettings(engine_url=named, engine_timeout=120)) as engine:
            yield engine
        return
    with Node.start("opensearch-3.6", heap="2g", fast=True) as node:
        async with Engine(EngineSettings(engine_url=node.url, engine_timeout=120)) as engine:
            yield engine


async def _timed(way: Callable[[str], Awaitable[None]], query: str) -> float:
    start = time.perf_counter()
    await way(query)
    return time.perf_counter() - start


def _shifted(corpus: Any, start: int) -> Any:
    """Documents whose ids, numbers from 0 in their part, count on from the part's beginning."""
    for item in corpus:
        yield replace(item, id=str(int(item.id) + start))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    figures.add_option(parser)
    given = parser.parse_args()
    measured = asyncio.run(measure(given.data, given.documents, given.queries, given.threads))
    print(report(measured))
    figures.write(given.json, measured)
