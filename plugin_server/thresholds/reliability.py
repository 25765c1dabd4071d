"""How often pairs of about one probability are true: the table behind a reliability plot, and its line of text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plugin_server.thresholds.bounds import interval

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs whose probability lies between two tenths.

    Attributes:
        low, high: ends of the bin; the lower one belongs to it.
        near_misses, true_pairs: how many there are.
        said: mean probability of its pairs, both labels of the whole file weighing the same.
        seen: share of true pairs, weighed alike, that is as if there were as many of them as near-misses.
        seen_low, seen_high: its interval.
    """

    low: float
    high: float
    near_misses: int
    true_pairs: int
    said: float
    seen: float
    seen_low: float
    seen_high: float


def bins(chances: NDArray[np.float64], labels: NDArray[np.int64], confidence: float = 0.95) -> list[Bin]:
    """The bins that hold pairs, from the lowest; none unless both labels are there.

    Example:
        >>> [(part.said, part.seen) for part in bins(np.array([0.15, 0.95, 0.12, 0.91]), np.array([0, 1, 0, 0]))]
        [(0.135, 0.0), (0.94, 0.75)]
    """
    counts = np.bincount(labels, minlength=2)
    return [*_bins(chances, labels, counts, confidence)] if counts.all() else []


def error(parts: list[Bin]) -> float:
    """The mean distance between what was said and what was seen, each bin weighing what its pairs weigh."""
    counts = np.array([[part.near_misses, part.true_pairs] for part in parts], np.float64)
    weights = (counts / counts.sum(axis=0)).sum(axis=1) / 2
    return float(sum(abs(part.said - part.seen) * weight for part, weight in zip(parts, weights, strict=True)))


def _bins(
    chances: NDArray[np.float64], labels: NDArray[np.int64], counts: NDArray[np.int64], confidence: float
) -> Iterator[Bin]:
    places = np.minimum((chances * BINS).astype(int), BINS - 1)
    for place in range(BINS):
        inside = places == place
        if not inside.any():
            continue
        near, true = (int((labels[inside] == label).sum()) for label in (0, 1))
        weights = (1 / counts)[labels[inside]]
        ends = interval(true, near + true, confidence)
        seen, low, high = (_even(share, counts) for share in (true / (near + true), *ends))
        said = round(float(np.average(chances[inside], weights=weights)), 6)
        yield Bin(place / BINS, (place + 1) / BINS, near, true, said, seen, low, high)


def _even(share: float, counts: NDArray[np.int64]) -> float:
    """A share of true pairs as it would be with as many true pairs as near-misses in the whole file."""
    true, near = share / int(counts[1]), (1 - share) / int(counts[0])
    return true / (true + near)
