"""Pairs of token matrices in, accept logits and the best match of every query token out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from plugin_server.batcher import Batcher
from plugin_server.blob import TokenMatrix
from plugin_server.bundle import PROFILES, VERIFIER, Bundle
from plugin_server.cores import usable_cores
from plugin_server.session import open_session

#: Queries are padded to a multiple of this. Their tokens are what costs; without any padding onnxruntime's vector code
#: would treat the last few numbers of a batch otherwise, and a pair's last digits would depend on its place there.
QUERY_STEP = 4
#: Documents are padded to a multiple of the first number, if longer than the second to a multiple of that: a run costs
#: as much as a few pairs, a document's padding little.
FINE, COARSE = 16, 64
#: Padded cells of the similarity maps of one run: more gain nothing, and keep what comes later waiting.
BATCH_CELLS = 1 << 17
#: What the graph takes, by name.
Inputs: TypeAlias = "dict[str, NDArray[np.int8] | NDArray[np.int64]]"
#: A query's and a document's token matrix.
MatrixPair: TypeAlias = "tuple[TokenMatrix, TokenMatrix]"
#: Rows of query and document once they are padded.
Shape: TypeAlias = "tuple[int, int]"


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

    def __init__(self, bundle: Bundle, threads: int = 0, provider: str = "cpu") -> None:
        wide = bundle.manifest.token_dimension
        widths = {"query": wide, "document": wide, "logits": len(PROFILES)}
        # a graph of small operators gains more from runs side by side than from threads within one
        self._session = open_session(bundle.folder / VERIFIER, 1, widths, provider, bundle.read(VERIFIER))
        self.batcher: Batcher[Shape, MatrixPair, Reading] = Batcher(self._run, fitting, threads or usable_cores())

    def read(self, pairs: Sequence[MatrixPair]) -> list[Reading]:
        """A reading for every (query, document), in the order given.

        Args:
            pairs: int8 token matrices (q, d) and (t, d) of one bundle, without padding.

        Raises:
            CallerGone, DeadlinePassed: as `Batcher.results`.
        """
        return self.batcher.results([shape_of(pair) for pair in pairs], pairs)

    def _run(self, shape: Shape, pairs: Sequence[MatrixPair]) -> list[Reading]:
        """Readings of pairs of one padded shape."""
        logits, best = self._session.run(["logits", "best"], inputs(shape, pairs))
        return [
            Reading(row, matches[: len(query)], len(document))
            for row, matches, (query, document) in zip(logits.tolist(), best.tolist(), pairs, strict=True)
        ]


def padded(length: int) -> int:
    """A document's length rounded up; it depends on nothing else in the batch, so neither does a pair's reading.

    Example:
        >>> padded(13), padded(65)
        (16, 128)
    """
    step = COARSE if length > COARSE else FINE
    return -(-length // step) * step


def shape_of(pair: MatrixPair) -> Shape:
    """Rows of query and document once they are padded."""
    query, document = pair
    return -(-len(query) // QUERY_STEP) * QUERY_STEP, padded(len(document))


def fitting(shape: Shape) -> int:
    """How many pairs of a padded shape are run together at most.

    Example:
        >>> fitting((16, 128)), fitting((256, 512))
        (64, 1)
    """
    wide, tall = shape
    return max(1, BATCH_CELLS // (wide * tall))


def batches(pairs: Sequence[MatrixPair], most: int) -> Iterator[Inputs]:
    """The graph's inputs for all pairs, at most so many of one padded shape at a time."""
    shapes: dict[Shape, list[MatrixPair]] = defaultdict(list)
    for pair in pairs:
        shapes[shape_of(pair)].append(pair)
    for shape, members in shapes.items():
        step = min(most, fitting(shape))
        yield from (inputs(shape, members[start : start + step]) for start in range(0, len(members), step))


def inputs(shape: Shape, pairs: Sequence[MatrixPair]) -> Inputs:
    """What the graph takes for pairs of one padded shape."""
    wide, tall = shape
    query, query_length = stacked([query for query, _ in pairs], wide)
    document, document_length = stacked([document for _, document in pairs], tall)
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
