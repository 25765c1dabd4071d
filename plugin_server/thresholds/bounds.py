"""Exact bounds on a share, from counts alone: how rarely a near-miss is accepted, how many true pairs are lost.

Let a threshold lie just above the (k + 1)-th highest of n near-misses. Whatever the scores' distribution, the share of
future near-misses above it exceeds `share` with probability at most P(Binomial(n, share) <= k): that is how often k or
fewer of n would lie above the true (1 - share)-quantile. As k is fixed by n alone, before any score is looked at,
nothing was chosen on the pairs that give the bound, and it needs no correction. Equal scores only make it safer.

Sources: Wilks 1941, Determination of sample sizes for setting tolerance limits; Vovk 2012, Conditional validity of
inductive conformal predictors; Clopper and Pearson 1934 for an interval around a count.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np


def binomial_cdf(k: int, n: int, share: float) -> float:
    """The chance that at most `k` of `n` independent draws succeed, each with probability `share`.

    Args:
        k: 0 to n.
        share: in [0, 1].

    Example:
        >>> round(binomial_cdf(0, 149, 0.02), 4), binomial_cdf(3, 3, 0.5)
        (0.0493, 1.0)
    """
    if k >= n or share <= 0:
        return 1.0
    if share >= 1:
        return 0.0
    hits = np.arange(k + 1)
    ratios = np.log((n - hits[1:] + 1) / hits[1:])  # of two neighbouring binomial coefficients
    logs = np.concatenate(([0.0], np.cumsum(ratios))) + hits * math.log(share) + (n - hits) * math.log1p(-share)
    top = logs.max()
    return min(1.0, float(math.exp(top) * np.exp(logs - top).sum()))


def upper_bound(k: int, n: int, confidence: float) -> float:
    """The share that is not exceeded with that confidence when `k` of `n` were counted: Clopper's and Pearson's.

    Example:
        >>> round(upper_bound(0, 149, 0.95), 4), upper_bound(5, 5, 0.95), round(upper_bound(2, 300, 0.95), 4)
        (0.0199, 1.0, 0.0208)
    """
    return 1.0 if k >= n else _root(lambda share: binomial_cdf(k, n, share) > 1 - confidence)


def interval(k: int, n: int, confidence: float) -> tuple[float, float]:
    """The two-sided interval of the share, half of what is left of the confidence on either side.

    Example:
        >>> [round(end, 4) for end in interval(5, 40, 0.95)], interval(0, 0, 0.95)
        ([0.0419, 0.268], (0.0, 1.0))
    """
    side = (1 + confidence) / 2
    return (1 - upper_bound(n - k, n, side) if n else 0.0), upper_bound(k, n, side)


def allowed(n: int, share: float, confidence: float) -> int | None:
    """How many of `n` near-misses the threshold may let through; None if even 0 are too many for so few pairs.

    Example:
        >>> allowed(148, 0.02, 0.95), allowed(149, 0.02, 0.95), allowed(400, 0.02, 0.95)
        (None, 0, 3)
    """
    k = -1
    while k + 1 < n and binomial_cdf(k + 1, n, share) <= 1 - confidence:
        k += 1
    return None if k < 0 else k


def needed(share: float, confidence: float) -> int:
    """How many near-misses are needed at least, if none of them is accepted.

    Example:
        >>> needed(0.02, 0.95), needed(0.05, 0.95), needed(0.02, 0.9)
        (149, 59, 114)
    """
    n = math.ceil(math.log(1 - confidence) / math.log1p(-share))
    return n if binomial_cdf(0, n, share) <= 1 - confidence else n + 1


def percent(share: float) -> str:
    """A share for people, in three digits at most.

    Example:
        >>> percent(0.02), percent(0.019905), percent(0.0005), percent(0.9604), percent(1.0)
        ('2 %', '1.99 %', '0.05 %', '96 %', '100 %')
    """
    return f"{100 * share:.3g} %"


def _root(below: Callable[[float], bool]) -> float:
    """Where `below`, true at 0 and false at 1, turns false."""
    low, high = 0.0, 1.0
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (middle, high) if below(middle) else (low, middle)
    return high
