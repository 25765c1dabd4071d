"""What a reranking makes of recall score and verifier: the score alone, ours, and the paper's penalty.

Their knobs are chosen on held-out rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from onnx_export.ordering import Hits, Orders, best_weight, highest_threshold, mean

Numbers: TypeAlias = "NDArray[np.float64]"
#: New scores from recall cosines and log-odds, both (k,).
Policy: TypeAlias = "Callable[[Numbers, Numbers], Numbers]"
#: Strengths and onsets of the penalty that are tried.
BETAS, TAUS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5), (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A policy with its knobs.

    Attributes:
        knobs: by name.
        score: the policy.
    """

    knobs: dict[str, float]
    score: Policy


def chance(odds: Numbers) -> Numbers:
    """The probability of log-odds."""
    return np.asarray(1 / (1 + np.exp(-odds)))


def penalty(beta: float, tau: float) -> Policy:
    """The paper's conditional penalty, S - beta * sigmoid(20 (S - tau)) * (1 - v): only near hits are punished.

    Example:
        >>> penalty(0.5, tau=0.6)(np.array([0.9, 0.9, 0.2]), np.array([9.0, -9.0, -9.0])).round(2).tolist()
        [0.9, 0.4, 0.2]
    """
    return lambda cosines, odds: cosines - beta * chance(20 * (cosines - tau)) * (1 - chance(odds))


def blended(weight: float, limit: float = -np.inf) -> Policy:
    """Ours: the recall score and a little of the log-odds; below the limit a hit is dropped."""
    return lambda cosines, odds: np.where(odds >= limit, cosines + weight * odds, -np.inf)


def choose(orders: Orders) -> dict[str, Chosen]:
    """Each policy with the knobs whose smallest gain in nDCG@10 over the held-out sources is largest.

    Args:
        orders: by source, with calibrated log-odds in place of logits.
    """
    weight = best_weight(orders, 1.0, 0.0)
    threshold = highest_threshold(orders, 1.0, 0.0, weight)
    # a hair lower: the threshold is the probability of a relevant document, which must not fall to a last digit
    limit = float(np.log(threshold / (1 - threshold))) - 1e-6 if 0 < threshold < 1 else -np.inf
    beta, tau = max(product(BETAS, TAUS), key=lambda knobs: worst_gain(orders, penalty(*knobs)))
    return {
        "score alone": Chosen({}, lambda cosines, odds: odds),
        "blend": Chosen({"weight": weight}, blended(weight)),
        "blend, filtered": Chosen({"weight": weight, "threshold": threshold}, blended(weight, limit)),
        "penalty": Chosen({"beta": beta, "tau": tau}, penalty(beta, tau)),
    }


def worst_gain(orders: Orders, policy: Policy) -> float:
    """The smallest gain in mean nDCG@10 over the dense order, of all sources."""
    return min(_gain(hits, policy) for hits in orders.values())


def _gain(hits: Sequence[Hits], policy: Policy) -> float:
    new = mean(hits, [policy(item.cosines, item.logits) for item in hits])
    return new - mean(hits, [item.cosines for item in hits])
