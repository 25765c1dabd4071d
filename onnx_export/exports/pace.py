"""How long a bundle takes here, for the table of an export."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from plugin_server import Reranker, Settings
from plugin_server.bundle import Bundle

#: Documents that are verified, and tokens of the query and of each of them.
CANDIDATES, QUERY, DOCUMENT = 100, 16, 128
#: A query of about so many tokens.
TEXT = "which train leaves before noon and which one after it has rained"
REPETITIONS = 15


def pace(bundle: Bundle, provider: str) -> dict[str, float]:
    """Milliseconds, medians: ``query``, a query encoded with its recall vector, and ``hundred``, 100 stored candidates
    of 128 tokens verified against 16."""
    reranker = Reranker(bundle, Settings(provider=provider, cache_bytes=0))
    random, width = np.random.default_rng(0), bundle.manifest.token_dimension
    rows = [random.integers(1, 7, (length, width), np.int8) for length in (QUERY, *[DOCUMENT] * CANDIDATES)]
    pairs = [(rows[0], document) for document in rows[1:]]
    return {
        "query": _median(lambda: reranker.encoder.query(TEXT)),
        "hundred": _median(lambda: reranker.verifier.read(pairs)),
    }


def _median(work: Callable[[], object]) -> float:
    """Milliseconds of a call, once it has run before."""
    work()
    times = []
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return round(statistics.median(times) * 1000, 2)
