"""Fixtures that several test files share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from plugin_server import Bundle, Reranker, Settings
from plugin_server.corpus import Document
from plugin_server.index import Index
from plugin_server.server import Server

#: Runs a coroutine on the servers' event loop and gives its result.
Run = Callable[[Coroutine[Any, Any, Any]], Any]
DOCUMENTS = [
    Document("hill", "The station is on a hill.", "Station"),
    Document("bus", "The last bus leaves at ten.", "Bus"),
    Document("shop", "The shop sells bread."),
]


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
    server = run(Server.start(reranker, "127.0.0.1:0", server_index))
    yield server.address
    run(server.stop(0))


@pytest.fixture(scope="session")
def http_url(reranker: Reranker, run: Run) -> Iterator[str]:
    """Where a real server listens for HTTP."""
    server = run(Server.start(reranker, "127.0.0.1:0", http_address="127.0.0.1:0"))
    yield f"http://{server.http_address}"
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
