"""Scale and bias of a logistic calibration, held near the bundle's own where pairs are few."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from plugin_server.bundle import Profile
from plugin_server.thresholds.labelled import Labelled, columns, probabilities

#: How far from the bundle's a collection's own calibration lies: standard deviation of the logarithm of what its
#: log-odds are multiplied with, and of what is added, over the held-out sources that the default bundle was trained on.
SPREAD = np.array([0.5, 0.75])
ROUNDS, FOLDS = 100, 10


def platt(logits: NDArray[np.float64], labels: NDArray[np.int64], own: Profile) -> tuple[float, float]:
    """Scale and bias that fit the pairs best, given how far from the bundle's they usually are.

    Both labels weigh the same, as in the bundle's own calibration, so that a probability does not depend on how many
    true pairs there are for a near-miss; a pair of the rarer label weighs 1. With one label alone the bundle's stay.

    Args:
        logits, labels: (n,).
        own: the bundle's profile.

    Source: Platt 1999, with a normal prior of the widths `SPREAD`; the posterior's mode, by Fisher scoring.
    """
    counts = np.bincount(labels, minlength=2)
    if not counts.all():
        return own.scale, own.bias
    odds, weights = own.scale * logits + own.bias, (counts.min() / counts)[labels]

    def loss(knobs: NDArray[np.float64]) -> float:
        margin = np.where(labels == 1, 1, -1) * (np.exp(knobs[0]) * odds + knobs[1])
        return float((weights * np.logaddexp(0, -margin)).sum() + ((knobs / SPREAD) ** 2).sum() / 2)

    knobs, best = np.zeros(2), loss(np.zeros(2))
    for _ in range(ROUNDS):
        chance = probabilities(odds, float(np.exp(knobs[0])), float(knobs[1]))
        slopes = np.stack([np.exp(knobs[0]) * odds, np.ones_like(odds)])
        gradient = slopes @ (weights * (chance - labels)) + knobs / SPREAD**2
        curvature = (slopes * weights * chance * (1 - chance)) @ slopes.T + np.diag(SPREAD**-2.0)
        step = np.linalg.solve(curvature, gradient)
        while (found := loss(knobs - step)) > best and np.abs(step).max() > 1e-9:
            step = step / 2
        if best - found < 1e-10:
            break
        knobs, best = knobs - step, found
    factor = float(np.exp(knobs[0]))
    return factor * own.scale, factor * own.bias + float(knobs[1])


def crossed(pairs: Sequence[Labelled], profile: str, own: Profile) -> NDArray[np.float64]:
    """The probability of each pair by a calibration that was fitted without it, nor any other pair of its query, (n,).

    So they tell how well calibrated probabilities of new pairs will be, where those of the fit itself would flatter.
    """
    logits, labels = columns(pairs, profile)
    folds = np.array([zlib.crc32(pair.query.encode()) % FOLDS for pair in pairs])
    result = np.zeros(len(pairs))
    for fold in np.unique(folds):
        out = folds == fold
        result[out] = probabilities(logits[out], *platt(logits[~out], labels[~out], own))
    return result


def log_loss(chances: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The mean of minus the logarithm of what each pair's label was given, both labels weighing the same.

    Example:
        >>> round(log_loss(np.array([0.5, 0.5, 0.5]), np.array([1, 0, 0])), 4)
        0.6931
    """
    given = np.clip(np.where(labels == 1, chances, 1 - chances), 1e-12, 1)
    return float(np.mean([-np.log(given[labels == label]).mean() for label in (0, 1) if (labels == label).any()]))
