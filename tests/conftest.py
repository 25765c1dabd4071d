"""Fixtures that several test files share."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gateway_site import QUERY, Site, fill
from indices import Demo, Indices
from nodes.engine import Engine
from nodes.errors import MissingTool
from nodes.pool import NAMES, Pool
from nodes.proxy import Proxy
from serving import serving

from plugin_server import Bundle, Reranker, Settings
from plugin_server.backend import Source
from plugin_server.core import Core
from plugin_server.corpus import Document
from plugin_server.gateway.app import Gateway
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.index import Index
from plugin_server.server import Server
from plugin_server.server_settings import ServerSettings

if TYPE_CHECKING:
    from searching import Site
    from templating import Cluster

#: Runs a coroutine on the servers' event loop and gives its result.
Run = Callable[[Coroutine[Any, Any, Any]], Any]
#: Starts a server with settings.
Started = Callable[..., Server]
DOCUMENTS = [
    Document("hill", "The station is on a hill.", "Station"),
    Document("bus", "The last bus leaves at ten.", "Bus"),
    Document("shop", "The shop sells bread."),
]


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """What a test does to this process's log, as ``simgate serve`` does, is undone after it."""
    root, ours = logging.getLogger(), logging.getLogger("plugin_server")
    before = root.handlers[:], root.level, ours.level, logging.raiseExceptions
    yield
    root.handlers[:], level, our_level, logging.raiseExceptions = before
    root.setLevel(level)
    ours.setLevel(our_level)
    logging.captureWarnings(False)


@pytest.fixture(scope="session")
def reranker() -> Reranker:
    """The bundle in the package, loaded once."""
    return Reranker.load()


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    """One event loop on a thread of its own, for every server and every asynchronous client."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(120)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="session")
def server_index(reranker: Reranker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Three documents in an embedded index."""
    path: Path = tmp_path_factory.mktemp("index") / "index.db"
    with Index.create(path, reranker.manifest) as index:
        index.add(DOCUMENTS, reranker.encode([document.text for document in DOCUMENTS]))
        yield index


@pytest.fixture(scope="session")
def address(reranker: Reranker, server_index: Index, run: Run) -> Iterator[str]:
    """Where a real server listens, with an index."""
    server = run(Server.start(reranker, "127.0.0.1:0", Source(server_index)))
    yield server.address
    run(server.stop(0))


@pytest.fixture(scope="session")
def http_url(reranker: Reranker, run: Run) -> Iterator[str]:
    """Where a real server listens for HTTP."""
    server = run(Server.start(reranker, "127.0.0.1:0", http_address="127.0.0.1:0"))
    yield f"http://{server.http_address}"
    run(server.stop(0))


@pytest.fixture
def started(run: Run, reranker: Reranker) -> Iterator[Started]:
    """Starts servers with settings, and stops them after the test."""
    servers: list[Server] = []

    def start(**settings: Any) -> Server:
        work = Server.start(reranker, "127.0.0.1:0", settings=ServerSettings(**settings), http_address="127.0.0.1:0")
        servers.append(run(work))
        return servers[-1]

    yield start
    for server in servers:
        run(server.stop(0))


@pytest.fixture(scope="session")
def tiny_base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model of two layers with random weights."""
    from tiny import tiny_base  # here and below, because it imports torch, which takes seconds

    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def tiny(tiny_base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with random weights, its verifier of kind ``alignment``."""
    from tiny import tiny_bundle

    return tiny_bundle(tiny_base_folder, tmp_path_factory.mktemp("alignment"))


@pytest.fixture(scope="session")
def tiny_patches(tiny_base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with random weights, its verifier of kind ``patches``."""
    from tiny import tiny_bundle

    return tiny_bundle(tiny_base_folder, tmp_path_factory.mktemp("patches"), "patches")


@pytest.fixture(scope="session")
def tiny_reranker(tiny: Bundle) -> Reranker:
    """A reranker over the bundle ``tiny``."""
    return Reranker(tiny, Settings(threads=1))


@pytest.fixture(scope="session")
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    """The nodes that the selected tests ask for, all starting as soon as the first is needed."""
    asked = {name for item in request.session.items for name in names_of(item)}
    pool = Pool(name for name in NAMES if name in asked)
    yield pool
    pool.close()


def names_of(item: pytest.Item) -> set[str]:
    """The fixtures of a test, and what parametrised ones stand for."""
    call = getattr(item, "callspec", None)
    chosen = {value for value in call.params.values() if isinstance(value, str)} if call else set()
    return {*getattr(item, "fixturenames", ()), *chosen}


def engine_or_skip(pool: Pool, name: str) -> Engine:
    """The engine; without Java or Maven the test is skipped, unless ``SIMGATE_NODES=required``."""
    try:
        return pool.engine(name)
    except MissingTool as error:
        if os.environ.get("SIMGATE_NODES") == "required":
            raise
        pytest.skip(f"needs a real {NAMES[name]}: {error}")


@pytest.fixture(scope="session")
def opensearch_2(pool: Pool) -> Engine:
    """OpenSearch 2.19 with k-NN and ML Commons."""
    return engine_or_skip(pool, "opensearch_2")


@pytest.fixture(scope="session")
def opensearch_3(pool: Pool) -> Engine:
    """OpenSearch 3.6 with k-NN and ML Commons."""
    return engine_or_skip(pool, "opensearch_3")


@pytest.fixture(scope="session")
def elasticsearch_9(pool: Pool) -> Engine:
    """Elasticsearch 9.5, without x-pack."""
    return engine_or_skip(pool, "elasticsearch_9")


@pytest.fixture(scope="session", params=["opensearch_2", "opensearch_3"])
def opensearch(request: pytest.FixtureRequest) -> Engine:
    """Each line of OpenSearch in turn."""
    engine: Engine = request.getfixturevalue(request.param)
    return engine


@pytest.fixture(scope="session", params=list(NAMES))
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    engine: Engine = request.getfixturevalue(request.param)
    return engine


@pytest.fixture
def indices() -> Iterator[Indices]:
    """Makes indices, and deletes them after the test."""
    indices = Indices()
    yield indices
    indices.close()


@pytest.fixture(scope="session")
def demo(reranker: Reranker) -> Iterator[Demo]:
    """The demo's corpus in indices of the engines."""
    demo = Demo(reranker)
    yield demo
    demo.indices.close()


@pytest.fixture
def proxied(run: Run) -> Iterator[Callable[..., Proxy]]:
    """Starts proxies in front of engines, and stops them after the test."""
    proxies: list[Proxy] = []

    def start(engine: Engine, tls: Path | None = None) -> Proxy:
        proxies.append(run(Proxy.start(engine.url, tls)))
        return proxies[-1]

    yield start
    for proxy in proxies:
        run(proxy.stop())


@pytest.fixture(scope="session", params=["opensearch_2", "opensearch_3", "elasticsearch_9"])
def site(request: pytest.FixtureRequest, reranker: Reranker) -> Iterator[Site]:
    """An engine with documents, and a gateway in front of it."""
    engine: Engine = request.getfixturevalue(request.param)
    fill(engine.url, engine.kind, reranker)
    vector = reranker.encoder.query(QUERY).vectors[0].tolist()
    knn = {"field": "vector", "query_vector": vector, "k": 60, "num_candidates": 200}
    opensearch = {"query": {"knn": {"vector": {"vector": vector, "k": 60}}}}
    with serving(Gateway(Core(reranker), GatewaySettings(engine.url))) as url:
        yield Site(engine.url, url, engine.kind, {"knn": knn} if engine.kind == "elasticsearch" else opensearch)


@pytest.fixture
def cluster(reranker: Reranker, run: Run) -> Iterator[Callable[[Engine, str], Cluster]]:
    """Makes clusters with a prefix; what was put there is taken away after the test, and nothing is left."""
    from templating import Cluster  # which needs this module

    made: list[tuple[Cluster, dict[str, Any]]] = []

    def make(engine: Engine, prefix: str) -> Cluster:
        cluster = Cluster(engine, reranker, run, prefix)
        made.append((cluster, cluster.state()))
        return cluster

    yield make
    for cluster, before in reversed(made):
        cluster.remove()
        assert cluster.state() == before


@pytest.fixture(scope="module")
def there(opensearch: Engine, reranker: Reranker, run: Run) -> Iterator[Site]:
    """OpenSearch with a few documents and simgate beside; a pipeline ``strict`` does not ignore failures."""
    from searching import DOCUMENTS, site  # which needs this module

    with site(opensearch, reranker, run, "here", DOCUMENTS) as made:
        pipeline = opensearch.request("GET", "/_search/pipeline/here-rerank")["here-rerank"]
        assert pipeline["response_processors"][0]["rerank"].pop("ignore_failure")
        opensearch.request("PUT", "/_search/pipeline/here-strict", pipeline)
        yield made
        opensearch.request("DELETE", "/_search/pipeline/here-strict")
