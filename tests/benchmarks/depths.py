"""Verification full, in a cascade and light, beside an int8 cross-encoder on as many pairs, in one run and in turns.

``python -m benchmarks.depths`` prints milliseconds for 100 stored candidates of 16 × 128 tokens, how many of them were
verified, how many times longer the cross-encoder takes, and how the whole request, its query encoded, compares with one
that asks for MaxSim alone. A cascade ends with 10 accepted candidates, so its cost depends on how many hold up: every
one, every second, every fifth, none. Candidates have the engine's scores, as in a search. The last rows are the query's
encoding, without the recall vector, which such candidates do not need, and with it.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import figures, shapes
from onnx_export.evaluation import speed
from plugin_server import Candidate, Outcome, Reranker, Settings
from plugin_server.ranking import Ranking
from plugin_server.session import open_session

QUERY = "a red car stands in front of the house by the river"
#: Of these nothing holds up.
OTHER = "rain train city stone paper light dog man garden bridge school bread hill bus noon shop ten".split()
#: Every so many candidates hold up; 0 for none.
EVERY = (1, 2, 5, 0)
WANTED = 10


def candidates(reranker: Reranker, every: int, count: int) -> list[Candidate]:
    """Blobs with scores, best first, of which every so many begins with the query."""
    generator = random.Random(every)
    texts = []
    for place in range(count):
        filler = " ".join(generator.choices(OTHER, k=shapes.DOCUMENT - 2))
        texts.append(f"{QUERY} {filler}" if every and place % every == 0 else filler)
    cut = [" ".join(text.split()[: shapes.DOCUMENT - 2]) for text in texts]
    stored = shapes.blobs(reranker, cut)
    return [Candidate(blob=blob, score=1 - place / count) for place, blob in enumerate(stored)]


def ways(reranker: Reranker, count: int) -> dict[str, Callable[[], Ranking]]:
    """What is measured: each depth with the query encoded before, and, marked so, whole requests."""
    encoded = reranker.encoder.query(QUERY)
    found: dict[str, Callable[[], Ranking]] = {}
    for every in EVERY:
        listed = candidates(reranker, every, count)
        held = {1: "all hold up", 0: "none holds up"}.get(every, f"one in {every} holds up")
        cascade = partial(reranker.rerank, QUERY, listed, verification="cascade", wanted=WANTED)
        found[f"cascade, {held}"] = partial(cascade, encoded=encoded)
        found[f"whole request: cascade, {held}"] = cascade
    found["full"] = partial(reranker.rerank, QUERY, listed, encoded=encoded)
    found["whole request: full"] = partial(reranker.rerank, QUERY, listed)
    found["light"] = partial(reranker.rerank, QUERY, listed, encoded=encoded, verification="light")
    found["whole request: light"] = partial(reranker.rerank, QUERY, listed, verification="light")
    return found


def encodings(reranker: Reranker) -> dict[str, Callable[[], object]]:
    """The query's encoding, without its recall vector and with it."""
    return {
        "query encoded, tokens alone": partial(reranker.encoder.query, QUERY, recall=False),
        "query encoded, recall vector too": partial(reranker.encoder.query, QUERY),
    }


def verified(ranking: Ranking) -> int:
    """How many candidates have a verdict."""
    hits = (*ranking.hits, *ranking.dropped)
    return sum(hit.verdict.outcome is not Outcome.UNVERIFIED for hit in hits)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--candidates", type=int, default=shapes.CANDIDATES)
    parser.add_argument("--threads", type=int, default=2)
    figures.add_option(parser)
    given = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    reranker = Reranker.load(Settings(threads=given.threads, cache_bytes=0))
    named = ways(reranker, given.candidates)
    queries = encodings(reranker)
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(speed.cross_encoder(reranker.bundle, Path(folder)), given.threads)
        cross: Callable[[], object] = partial(speed.cross_encode, session, 10)
        times = speed.in_turns({**named, **queries, "int8 cross-encoder": cross}, given.repetitions)
    median = {name: 1000 * float(np.median(taken)) for name, taken in times.items()}
    against, floor = median["int8 cross-encoder"], median["whole request: light"]
    print(f"{given.candidates} candidates, load of the machine before {load:.1f}:\n")
    print("| | verified | median ms | cross-encoder takes | of MaxSim alone |\n|---|---|---|---|---|")
    reached = {name: verified(way()) for name, way in named.items()}
    for name in named:
        beside = f"{median[name] / floor:.2f} times" if name.startswith("whole") else ""
        print(f"| {name} | {reached[name]} | {median[name]:.1f} | {against / median[name]:.0f} times | {beside} |")
    for name in queries:
        print(f"| {name} | | {median[name]:.1f} | | |")
    print(f"| int8 cross-encoder | {speed.CANDIDATES} | {against:.0f} | | |")
    about = {"candidates": given.candidates, "wanted": WANTED, "threads": given.threads, "load_before": load}
    figures.write(given.json, about | {"milliseconds": median, "verified": reached})


if __name__ == "__main__":
    main()
