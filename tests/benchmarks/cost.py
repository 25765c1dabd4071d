"""How verification's cost grows: with candidates, with the tokens of query and document, with the size of the index.

``python -m benchmarks.cost`` prints four tables, three of median milliseconds, and under each of those the straight
line through them: slope, intercept and R².

1. A request from stored blobs (16 × 128 tokens, the query encoded) by its number of candidates.
2. Pairs of q × d tokens through the verifier, by q · d; and as the alignment verifier has a token for each word of the
   query, a plane through q and q · d. Serving pads q to a multiple of 4 and d to one of 16 or 64: shapes between cost
   as much as the next one, and the grid has none of those.
3. A search of the embedded index by its number of documents: ``recall`` is the exact search over all vectors and the
   reading of the hits with their blobs, which grows with the index, ``verification`` the rest, which does not: how many
   times as long it takes in the largest index as in the smallest is told too. The documents are copies of a few hundred
   encoded texts under random recall vectors; what they say does not change what they cost.
4. Documents encoded a second, token matrices and recall vectors, by the tokens of a document.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np

from benchmarks import figures, shapes
from plugin_server import Candidate, Encoded, Reranker, Settings
from plugin_server.corpus import Document
from plugin_server.index import Index
from plugin_server.search import Question, Searcher, verified

CANDIDATES = (10, 50, 100, 200, 400, 700, 1000)
QUERIES, DOCUMENTS = (8, 16, 32, 64), (32, 64, 128, 256)
CORPORA = (1_000, 10_000, 50_000)
#: Tokens of the documents that are encoded, and how many are encoded together.
ENCODED, TOGETHER = (16, 64, 128, 256), 64
#: Pairs of one run of the grid, texts that the corpora are copies of, documents stored at a time, and hits verified.
PAIRS, COPIED, STORED, K = 50, 200, 1000, 100
#: What is timed of a search.
PARTS = ("whole search", "recall", "verification")
#: Milliseconds by what was varied.
Times: TypeAlias = "dict[int, float]"
Grid: TypeAlias = "dict[tuple[int, int], float]"
Name = TypeVar("Name")


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line through points, and the share of their variance that it explains; NaN if they have none."""

    slope: float
    intercept: float
    r2: float

    @classmethod
    def through(cls, points: Iterable[tuple[float, float]]) -> Line:
        """The line with the least squared distances.

        Example:
            >>> line = Line.through([(1, 3), (2, 5), (3, 7)])
            >>> f"{line.slope:.6f} {line.intercept:.6f} {line.r2:.6f}"
            '2.000000 1.000000 1.000000'
        """
        x, y = np.array([*points], float).T
        slope, intercept = np.polyfit(x, y, 1)
        left, spread = ((y - slope * x - intercept) ** 2).sum(), ((y - y.mean()) ** 2).sum()
        return cls(float(slope), float(intercept), float(1 - left / spread) if spread else float("nan"))


def by_candidates(reranker: Reranker, counts: Sequence[int], repetitions: int) -> Times:
    """Milliseconds of a request by its candidates."""
    blobs = shapes.blobs(reranker, shapes.documents(min(COPIED, max(counts))))
    stored = [Candidate(blob=blob) for blob in blobs] * -(-max(counts) // len(blobs))
    tasks = {count: partial(reranker.rerank, shapes.text(shapes.QUERY), stored[:count]) for count in counts}
    return in_turns(tasks, repetitions)


def by_tokens(reranker: Reranker, queries: Sequence[int], documents: Sequence[int], repetitions: int) -> Grid:
    """Milliseconds of `PAIRS` pairs by (q, d)."""
    rows = {size: reranker.encode([shapes.text(size)])[0].windows[0] for size in (*queries, *documents)}
    tasks = {(q, d): partial(reranker.verifier.read, [(rows[q], rows[d])] * PAIRS) for q in queries for d in documents}
    return in_turns(tasks, repetitions)


def by_corpus(reranker: Reranker, sizes: Sequence[int], repetitions: int) -> dict[str, Times]:
    """Milliseconds of a search by documents in the index: the whole, recall, verification."""
    encoded = reranker.encode(shapes.documents(COPIED))
    tasks: dict[tuple[str, int], Callable[[], object]] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        for size in sizes:
            index = stack.enter_context(Index.create(Path(folder) / f"{size}.db", reranker.manifest))
            _fill(index, encoded, size)
            tasks |= {(name, size): task for name, task in _searches(reranker, index)}
        # each part by itself: the threads of the recall's product spin for a while after it, and slow what comes next
        parts = ({key: task for key, task in tasks.items() if key[0] == name} for name in PARTS)
        found = {key: taken for part in parts for key, taken in in_turns(part, repetitions).items()}
    return {name: {size: found[name, size] for size in sizes} for name in PARTS}


def _fill(index: Index, encoded: Sequence[Encoded], size: int) -> None:
    """Nothing; the index holds so many documents."""
    random = np.random.default_rng(0)
    for start in range(0, size, STORED):
        numbers = range(start, min(size, start + STORED))
        vectors = random.standard_normal((len(numbers), encoded[0].vectors.shape[1]), np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        chosen = [encoded[number % len(encoded)] for number in numbers]
        items = [Encoded(vector[None], item.windows, item.words) for vector, item in zip(vectors, chosen, strict=True)]
        index.add([Document(str(number), shapes.text(shapes.DOCUMENT, number)) for number in numbers], items)


def _searches(reranker: Reranker, index: Index) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is timed over one index."""
    question = Question(shapes.text(shapes.QUERY), min(K, len(index)))
    query = reranker.encoder.query(question.query)
    recall = tuple(index.search(query.vectors[0], question.k))
    whole = partial(Searcher(reranker, index).search, question)
    part = partial(index.search, query.vectors[0], question.k)
    rest = partial(verified, reranker, question, query, recall)
    yield from zip(PARTS, (whole, part, rest), strict=True)


def by_length(reranker: Reranker, lengths: Sequence[int], repetitions: int) -> dict[int, float]:
    """Documents encoded a second by their tokens."""
    tasks = {tokens: partial(reranker.encode, shapes.documents(TOGETHER, tokens)) for tokens in lengths}
    return {tokens: 1000 * TOGETHER / taken for tokens, taken in in_turns(tasks, repetitions).items()}


def in_turns(tasks: Mapping[Name, Callable[[], object]], repetitions: int) -> dict[Name, float]:
    """Median milliseconds of every task, one after another in each round; a first round warms up."""
    times: dict[Name, list[float]] = {name: [] for name in tasks}
    for _ in range(repetitions + 1):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: float(np.median(found[1:])) for name, found in times.items()}


def report(candidates: Times, grid: Grid, corpus: Mapping[str, Times], encoded: Mapping[int, float]) -> str:
    """The tables and the lines in Markdown."""
    lines = ["| candidates | request, ms |", "|---|---|"]
    lines += [f"| {count} | {taken:.2f} |" for count, taken in candidates.items()]
    lines += ["", told(Line.through(candidates.items()), "candidate"), ""]
    documents = sorted({d for _, d in grid})
    lines += [f"| {PAIRS} pairs, ms | {' | '.join(f'd = {d}' for d in documents)} |", "|---|" + "---|" * len(documents)]
    for q in sorted({q for q, _ in grid}):
        lines.append(f"| q = {q} | {' | '.join(f'{grid[q, d]:.2f}' for d in documents)} |")
    cells = Line.through((PAIRS * q * d, taken) for (q, d), taken in grid.items())
    lines += ["", told(cells, "cell of a map"), plane(grid), ""]
    lines += [f"| documents | {' | '.join(f'{name}, ms' for name in corpus)} |", "|---|" + "---|" * len(corpus)]
    for size in corpus["recall"]:
        lines.append(f"| {size:,} | {' | '.join(f'{times[size]:.2f}' for times in corpus.values())} |")
    lines += ["", *(f"{name}: {told(Line.through(times.items()), 'document')}" for name, times in corpus.items())]
    least, *_, most = corpus["verification"].values()
    lines.append(f"verification in the largest index takes {most / least:.2f} times as long as in the smallest")
    lines += ["", "| tokens | documents encoded a second |", "|---|---|"]
    lines += [f"| {tokens} | {rate:.1f} |" for tokens, rate in encoded.items()]
    return "\n".join(lines)


def told(line: Line, unit: str) -> str:
    """The line in words."""
    return f"slope {1000 * line.slope:.4g} µs a {unit}, intercept {line.intercept:.3g} ms, R² {line.r2:.4f}"


def fitted(grid: Grid, pairs: int = PAIRS) -> tuple[float, float, float, float]:
    """Milliseconds a query token of a pair, a cell of its map, and beside; and R²: the plane through q and q · d.

    Example:
        >>> grid = {(q, d): 7 + 0.5 * q + 0.25 * q * d for q in (1, 2) for d in (3, 5)}
        >>> print(*(f"{number:.3f}" for number in fitted(grid, pairs=1)))
        0.500 0.250 7.000 1.000
    """
    x = np.array([(pairs * q, pairs * q * d, 1) for q, d in grid], float)
    y = np.array([*grid.values()])
    (row, cell, rest), *_ = np.linalg.lstsq(x, y, rcond=None)
    r2 = 1 - ((y - x @ (row, cell, rest)) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    return float(row), float(cell), float(rest), float(r2)


def plane(grid: Grid) -> str:
    """The plane through q and q · d in words."""
    row, cell, rest, r2 = fitted(grid)
    return f"or {1000 * row:.3g} µs a query token, {1000 * cell:.3g} µs a cell, {rest:.3g} ms beside, R² {r2:.4f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="", help="folder of the bundle; the one in the package if left out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--candidates", type=int, nargs="+", default=CANDIDATES)
    parser.add_argument("--query-tokens", type=int, nargs="+", default=QUERIES)
    parser.add_argument("--document-tokens", type=int, nargs="+", default=DOCUMENTS)
    parser.add_argument("--documents", type=int, nargs="+", default=CORPORA, help="of the indices")
    parser.add_argument("--lengths", type=int, nargs="+", default=ENCODED, help="tokens of documents that are encoded")
    figures.add_option(parser)
    given = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    most = max(*given.candidates, K)
    reranker = Reranker.load(Settings(bundle=given.bundle, threads=given.threads, max_candidates=most, cache_bytes=0))
    candidates = by_candidates(reranker, given.candidates, given.repetitions)
    tokens = by_tokens(reranker, given.query_tokens, given.document_tokens, given.repetitions)
    corpus = by_corpus(reranker, given.documents, given.repetitions)
    encoded = by_length(reranker, given.lengths, given.repetitions)
    found = report(candidates, tokens, corpus, encoded)
    print(f"{given.threads} threads, load of the machine before {load:.1f}:\n\n{found}")
    grid = [[q, d, taken] for (q, d), taken in tokens.items()]
    told = {"candidates_ms": candidates, "pairs": PAIRS, "grid_ms": grid, "corpus_ms": corpus}
    figures.write(given.json, {"threads": given.threads, "load_before": load} | told | {"encoded_per_second": encoded})


if __name__ == "__main__":
    main()
