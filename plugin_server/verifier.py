"""Pairs of token matrices in, accept logits and the best match of every query token out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
#: Padded cells of the similarity maps of one run.
BATCH_CELLS = 1 << 18


@dataclass(frozen=True, slots=True)
class Reading:
    """What the verifier read in one similarity map.

    Attributes:
        logits: (2,) float32, a column per profile in the order of `plugin_server.bundle.PROFILES`.
        best: (q,) float32, the highest cosine of each query token in the document.
        tokens: of the document.
    """

    logits: NDArray[np.float32]
    best: NDArray[np.float32]
    tokens: int

    @property
    def maxsim(self) -> float:
        """Mean of the query tokens' best cosines, in [-1, 1].

        Example:
            >>> round(Reading(np.zeros(2, np.float32), np.array([1, 0.5], np.float32), 9).maxsim, 3)
            0.75
        """
        return float(self.best.sum()) / len(self.best)


class Verifier:
    """The verifier graph of a bundle; a pair's reading does not depend on what else is in the batch.

    Raises:
        BundleMalformed: the graph cannot be loaded, or its widths are not the manifest's.
    """

    def __init__(self, bundle: Bundle, threads: int = 0) -> None:
        wide = bundle.manifest.token_dimension
        widths = {"query": wide, "document": wide, "logits": len(PROFILES)}
        self._threads = threads or usable_cores()
        # a graph of small operators gains more from runs side by side than from threads within one
        self._session = open_session(bundle.folder / VERIFIER, 1, widths)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="verifier")

    def read(self, pairs: Sequence[tuple[TokenMatrix, TokenMatrix]]) -> list[Reading]:
        """A reading for every (query, document), in the order given.

        Args:
            pairs: int8 token matrices (q, d) and (t, d) of one bundle, without padding.
        """
        batches = list(_batches(pairs, -(-len(pairs) // self._threads)))
        batches.sort(key=lambda batch: -len(batch[0]))  # the longest first, so that the threads end together
        outputs = map(self._run, batches) if len(batches) == 1 else self._pool.map(self._run, batches)
        readings: dict[int, Reading] = {}
        for (numbers, _), (logits, best) in zip(batches, outputs, strict=True):
            for row, number in enumerate(numbers):
                query, document = pairs[number]
                readings[number] = Reading(logits[row], best[row, : len(query)], len(document))
        return [readings[number] for number in range(len(pairs))]

    def _run(self, batch: tuple[list[int], Inputs]) -> list[NDArray[np.float32]]:
        """Logits and best matches of a batch."""
        outputs: list[NDArray[np.float32]] = self._session.run(["logits", "best"], batch[1])
        return outputs


def padded(length: int) -> int:
    """A document's length rounded up; it depends on nothing else in the batch, so neither does a pair's reading.

    Example:
        >>> padded(13), padded(65)
        (16, 128)
    """
    step = COARSE if length > COARSE else FINE
    return -(-length // step) * step


def _batches(pairs: Sequence[tuple[TokenMatrix, TokenMatrix]], most: int) -> Iterator[tuple[list[int], Inputs]]:
    """Pairs of one padded shape, at most `BATCH_CELLS` and so many together: their numbers and the graph's inputs."""
    shapes: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, (query, document) in enumerate(pairs):
        shapes[-(-len(query) // QUERY_STEP) * QUERY_STEP, padded(len(document))].append(number)
    for (wide, tall), members in shapes.items():
        step = max(1, min(most, BATCH_CELLS // (wide * tall)))
        for start in range(0, len(members), step):
            chosen = members[start : start + step]
            query, query_length = _stack([pairs[number][0] for number in chosen], wide)
            document, document_length = _stack([pairs[number][1] for number in chosen], tall)
            yield (
                chosen,
                {
                    "query": query,
                    "query_length": query_length,
                    "document": document,
                    "document_length": document_length,
                },
            )


def _stack(matrices: list[TokenMatrix], width: int) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """The matrices padded with zero rows (b, width, d) and their lengths (b,)."""
    stacked = np.zeros((len(matrices), width, matrices[0].shape[1]), np.int8)
    for row, matrix in enumerate(matrices):
        stacked[row, : len(matrix)] = matrix
    return stacked, np.array([len(matrix) for matrix in matrices], np.int64)
