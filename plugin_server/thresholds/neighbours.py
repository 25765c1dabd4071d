"""For every document of a collection the nearest other one in the space of recall vectors, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Cosines computed at a time: 64 MiB.
CELLS = 1 << 24


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest other document of each.

    Attributes:
        cosines: (n,) of the two nearest windows, in [-1, 1].
        places: (n,) number of that document.
    """

    cosines: NDArray[np.float32]
    places: NDArray[np.int64]


def nearest(vectors: Sequence[NDArray[np.float32]]) -> Neighbours:
    """The nearest other document of each; of equally near ones the first.

    Args:
        vectors: at least two documents, each (w, d) with a unit row for each of its windows.

    Returns:
        (n,) each. Cost: the square of all windows times d multiply-adds.

    Example:
        >>> rows = [np.array([row], np.float32) for row in ([1, 0], [0.6, 0.8], [0, 1])]
        >>> nearest(rows).places.tolist(), nearest(rows).cosines.round(2).tolist()
        ([1, 2, 1], [0.6000000238418579, 0.800000011920929, 0.800000011920929])
    """
    rows = np.concatenate(vectors)
    lengths = np.array([len(item) for item in vectors])
    owners, starts = np.repeat(np.arange(len(vectors)), lengths), np.cumsum(lengths) - lengths
    best, found = np.empty(len(rows), np.float32), np.empty(len(rows), np.int64)
    step = max(1, CELLS // len(rows))
    for start in range(0, len(rows), step):
        cosines = rows[start : start + step] @ rows.T
        for row, owner in enumerate(owners[start : start + step]):
            cosines[row, starts[owner] : starts[owner] + lengths[owner]] = -np.inf
        places = cosines.argmax(axis=1)
        best[start : start + step] = np.take_along_axis(cosines, places[:, None], axis=1)[:, 0]
        found[start : start + step] = owners[places]
    # the last of a document's windows in this order is its best, the first of equal ones
    order = np.lexsort((-np.arange(len(rows)), best, owners))
    last = order[np.cumsum(lengths) - 1]
    return Neighbours(np.clip(best[last], -1, 1), found[last])


def closest(neighbours: Neighbours, count: int, skip: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The nearest pairs of documents, nearest first, each pair once, its lower number first.

    Args:
        skip: (n,) documents whose pair is left out.
    """
    found: dict[tuple[int, int], None] = {}
    for place in np.argsort(-neighbours.cosines, kind="stable"):
        if len(found) >= count:
            break
        other = int(neighbours.places[place])
        if not skip[place]:
            found[min(int(place), other), max(int(place), other)] = None
    return [*found]
