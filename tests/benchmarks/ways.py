"""Every way in, side by side: the same queries through each, one after the other, by clients of its own."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from benchmarks.process import LISTENING
from index_templates.apply import Options, apply
from plugin_server import Reranker
from plugin_server.client import AsyncClient
from plugin_server.commands.templates import requester
from plugin_server.engines.connection import Engine
from plugin_server.engines.layout import BLOB
from plugin_server.engines.recall import body
from plugin_server.engines.target import known
from plugin_server.search import Question

Way = Callable[[str, dict[str, Any]], Awaitable[None]]


async def compare(engine: Engine, reranker: Reranker, index: str, asked: Sequence[str], k: int) -> dict[str, float]:
    """Milliseconds by way, the median over the queries; the dense query's vector is given to those that need one."""
    mapped = await known(engine, index)
    async with (
        sidecar(engine, index) as (address, http),
        aiohttp.ClientSession() as session,
        AsyncClient(address) as rpc,
    ):
        await _ready(engine, reranker, http)
        ways = _ways(engine, session, rpc, http, index, k)
        times: dict[str, list[float]] = {name: [] for name in ways}
        for number, query in enumerate((*asked[:5], *asked)):
            vector = reranker.encoder.query(query).vectors[0]
            search = body(Question(query, k, index=index), engine.kind, vector, engine.layout, mapped)
            for name, way in ways.items():
                start = time.perf_counter()
                await way(query, search)
                if number >= 5:  # the first ones warm up
                    times[name].append(time.perf_counter() - start)
    return {name: 1000 * statistics.median(found) for name, found in times.items()}


def _ways(
    engine: Engine, session: aiohttp.ClientSession, rpc: AsyncClient, http: str, index: str, k: int
) -> dict[str, Way]:
    """What each way does with a query and the body of its dense search."""
    hidden = {"_source": {"excludes": ["simgate_*"]}}
    shown = {"_source": ["text", BLOB]}

    async def engine_search(search: dict[str, Any], pipeline: str) -> None:
        await engine.request("POST", f"/{index}/_search", search, {"search_pipeline": pipeline})

    async def plain(query: str, search: dict[str, Any]) -> None:
        await engine_search(search | hidden, "_none")

    async def by_grpc(query: str, search: dict[str, Any]) -> None:
        await rpc.search(Question(query, k, k, index=index))

    async def by_http(query: str, search: dict[str, Any]) -> None:
        await _post(session, f"http://{http}/v1/search", {"query": query, "k": k})

    async def gateway(query: str, search: dict[str, Any]) -> None:
        ext = {"rerank": {"query_context": {"query_text": query}}}
        await _post(session, f"http://{http}/{index}/_search", search | hidden | {"ext": ext})

    async def processor(query: str, search: dict[str, Any]) -> None:
        ext = {"rerank": {"query_context": {"query_text": query}}}
        await engine_search(search | shown | {"ext": ext}, "simgate-rerank")

    async def verdicts(query: str, search: dict[str, Any]) -> None:
        await engine_search(search | shown | {"ext": {"ml_inference": {"query": query}}}, "simgate-verdicts")

    async def dropping(query: str, search: dict[str, Any]) -> None:
        ext = {"ml_inference": {"query": query, "index": index}}
        await engine_search(search | {"ext": ext}, "simgate-filter")

    return {
        "plain kNN, its vector given": plain,
        "gRPC Search": by_grpc,
        "HTTP /v1/search": by_http,
        "gateway, its vector given": gateway,
        "rerank processor, its vector given": processor,
        "ml_inference response processor, its vector given": verdicts,
        "ml_inference request processor": dropping,
    }


async def _post(session: aiohttp.ClientSession, url: str, sent: dict[str, Any]) -> None:
    async with session.post(url, json=sent) as answer:
        assert answer.status == 200, await answer.text()
        await answer.json()


async def _ready(engine: Engine, reranker: Reranker, http: str) -> None:
    manifest = reranker.manifest
    options = Options(
        "opensearch", manifest.recall_dimension, manifest.fingerprint, manifest.name, sidecar=f"http://{http}"
    )
    async for change in apply(requester(engine), options):
        assert change.action != "kept", change


@asynccontextmanager
async def sidecar(engine: Engine, index: str) -> AsyncIterator[tuple[str, str]]:
    """The addresses for gRPC and for HTTP of a server of its own, which encodes a query anew each time."""
    command = [
        sys.executable,
        "-m",
        "plugin_server",
        "serve",
        "--engine",
        engine.kind,
        "--url",
        engine.settings.engine_url,
    ]
    command += ["--index", index, "--address", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    environment = {**os.environ, "SIMGATE_CACHE_BYTES": "0"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    try:
        line = await asyncio.to_thread(process.stderr.readline)
        found = LISTENING.match(line)
        assert found, line
        yield found[1], found[2]
    finally:
        process.terminate()
        process.communicate(timeout=30)
