"""Token matrices in, the best cosine of every query token in each document out: late interaction, no verifier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plugin_server.blob import TokenMatrix
from plugin_server.verifier import Reading


def read(query: TokenMatrix, documents: Sequence[TokenMatrix]) -> list[Reading]:
    """A reading without logits for each document, in the order given.

    Args:
        query: (q, d) int8, no row all zero.
        documents: (t, d) int8 each, no row all zero.

    Example:
        >>> query = np.array([[7, 0], [0, 7]], np.int8)
        >>> read(query, [np.array([[5, 0]], np.int8), np.array([[0, 1], [-3, 0]], np.int8)])[0].best
        [1.0, 0.0]

    Source: Khattab & Zaharia 2020, arXiv:2004.12832.
    """
    if not documents:
        return []
    lengths = [len(document) for document in documents]
    rows, wanted = np.concatenate(documents).astype(np.float32), query.astype(np.float32)
    products = (
        (wanted / _lengths(wanted)[:, None]) @ rows.T / _lengths(rows)
    )  # dividing these is less than dividing rows
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    best = np.maximum.reduceat(products, starts, axis=1).T.clip(-1.0, 1.0)
    return [Reading((), row, length) for row, length in zip(best.tolist(), lengths, strict=True)]


def _lengths(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The length of each row."""
    squares: NDArray[np.float32] = np.einsum("td,td->t", rows, rows)
    return np.sqrt(squares)
