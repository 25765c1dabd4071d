"""Pairs of token matrices in, accept logits and the best match of every query token out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from plugin_server.blob import TokenMatrix
from plugin_server.bundle import PROFILES, VERIFIER, Bundle
from plugin_server.session import open_session, usable_cores

#: Queries are padded to a multiple of this. Their tokens are what costs; without any padding onnxruntime's vector code
#: would treat the last few numbers of a batch otherwise, and a pair's last digits would depend on its place there.
QUERY_STEP = 4
#: Documents are padded to a multiple of the first number, if longer than the second to a multiple of that: a run costs
#: as much as a few pairs, a document's padding little.
FINE, COARSE = 16, 64
#: What the graph takes, by name.
Inputs: TypeAlias = "dict[str, NDArray[np.int8] | NDArray[np.int64]]"
#: A query's and a document's token matrix.
MatrixPair: TypeAlias = "tuple[TokenMatrix, TokenMatrix]"
#: Padded cells of the similarity maps of one run.
BATCH_CELLS = 1 << 18


@dataclass(frozen=True, slots=True)
class Reading:
    """What the verifier read in one similarity map.

    Attributes:
        logits: one for each profile, in the order of `plugin_server.bundle.PROFILES`.
        best: the highest cosine of each query token in the document.
        tokens: of the document.
    """

    logits: Sequence[float]
    best: Sequence[float]
    tokens: int

    @property
    def maxsim(self) -> float:
        """Mean of the query tokens' best cosines, in [-1, 1].

        Example:
            >>> Reading([0.0, 0.0], [1.0, 0.5], tokens=9).maxsim
            0.75
        """
        return sum(self.best) / len(self.best)


class Verifier:
    """The verifier graph of a bundle; a pair's reading does not depend on what else is in the batch.

    Raises:
        BundleError: the graph is missing or altered, cannot be loaded, or has other widths than the manifest says.
    """

    def __init__(self, bundle: Bundle, threads: int = 0) -> None:
        wide = bundle.manifest.token_dimension
        widths = {"query": wide, "document": wide, "logits": len(PROFILES)}
        self._threads = threads or usable_cores()
        # a graph of small operators gains more from runs side by side than from threads within one
        self._session = open_session(bundle.folder / VERIFIER, 1, widths, bundle.read(VERIFIER))
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="verifier")

    def read(self, pairs: Sequence[MatrixPair]) -> list[Reading]:
        """A reading for every (query, document), in the order given.

        Args:
            pairs: int8 token matrices (q, d) and (t, d) of one bundle, without padding.
        """
        parts = _parts(pairs, -(-len(pairs) // self._threads))
        run = partial(self._run, pairs)
        outputs = map(run, parts) if len(parts) == 1 else self._pool.map(run, parts)
        readings: dict[int, Reading] = {}
        for numbers, output in zip(parts, outputs, strict=True):
            for number, logits, best in zip(numbers, *output, strict=True):
                query, document = pairs[number]
                readings[number] = Reading(logits, best[: len(query)], len(document))
        return [readings[number] for number in range(len(pairs))]

    def _run(self, pairs: Sequence[MatrixPair], numbers: Sequence[int]) -> tuple[list[list[float]], list[list[float]]]:
        """Logits and best matches of the pairs of those numbers, which have one padded shape."""
        logits, best = self._session.run(["logits", "best"], _inputs(pairs, numbers))
        return logits.tolist(), best.tolist()


def padded(length: int) -> int:
    """A document's length rounded up; it depends on nothing else in the batch, so neither does a pair's reading.

    Example:
        >>> padded(13), padded(65)
        (16, 128)
    """
    step = COARSE if length > COARSE else FINE
    return -(-length // step) * step


def batches(pairs: Sequence[MatrixPair], most: int) -> Iterator[Inputs]:
    """The graph's inputs for all pairs, at most so many of one padded shape at a time."""
    return (_inputs(pairs, numbers) for numbers in _parts(pairs, most))


def _parts(pairs: Sequence[MatrixPair], most: int) -> list[list[int]]:
    """Numbers of pairs of one padded shape, at most `BATCH_CELLS` and so many together, the most first.

    Started in this order, threads that take one after another end together.
    """
    shapes: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, pair in enumerate(pairs):
        shapes[_shape(pair)].append(number)
    parts = []
    for (wide, tall), members in shapes.items():
        step = max(1, min(most, BATCH_CELLS // (wide * tall)))
        parts += [members[start : start + step] for start in range(0, len(members), step)]
    return sorted(parts, key=len, reverse=True)


def _shape(pair: MatrixPair) -> tuple[int, int]:
    """Rows of query and document once they are padded."""
    query, document = pair
    return -(-len(query) // QUERY_STEP) * QUERY_STEP, padded(len(document))


def _inputs(pairs: Sequence[MatrixPair], numbers: Sequence[int]) -> Inputs:
    """What the graph takes for the pairs of those numbers."""
    wide, tall = _shape(pairs[numbers[0]])
    query, query_length = stacked([pairs[number][0] for number in numbers], wide)
    document, document_length = stacked([pairs[number][1] for number in numbers], tall)
    return {
        "query": query,
        "query_length": query_length,
        "document": document,
        "document_length": document_length,
    }


def stacked(matrices: Sequence[TokenMatrix], width: int) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """The matrices padded with zero rows (b, width, d) and their lengths (b,)."""
    rows = np.zeros((len(matrices), width, matrices[0].shape[1]), np.int8)
    for row, matrix in enumerate(matrices):
        rows[row, : len(matrix)] = matrix
    return rows, np.array([len(matrix) for matrix in matrices], np.int64)
