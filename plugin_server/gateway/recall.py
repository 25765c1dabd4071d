"""What an engine's score says of the cosine behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from plugin_server.engines.layout import cosine_of, product_of
from plugin_server.errors import InvalidField

#: Engines compute scores in 32 bits, so that a cosine of 1 may come out a little above.
SLACK = 1e-4


@dataclass(frozen=True, slots=True)
class Scale:
    """A kind of score.

    Attributes:
        low, high: between which such scores are, when vectors are unit vectors.
        recall: the cosine of such a score.
    """

    low: float
    high: float
    recall: Callable[[float], float]


#: By the engines' names: OpenSearch's space_type, in Elasticsearch cosine and dot_product, max_inner_product, l2_norm.
SCALES = {
    "cosinesimil": Scale(0, 1, cosine_of),
    "innerproduct": Scale(SLACK, float("inf"), product_of),
    "l2": Scale(0.2, 1, lambda score: 1 - (1 / score - 1) / 2),  # 1 / (1 + d * d)
    "raw": Scale(float("-inf"), float("inf"), lambda score: score),
}


def recall_of(score: float, kind: str) -> float:
    """The recall score behind an engine's: a cosine in [-1, 1], or for ``raw`` the score itself.

    Args:
        kind: a key of `SCALES`.

    Raises:
        InvalidField: no score of that kind has this value, so that it would be misread.

    Example:
        >>> recall_of(0.9, "cosinesimil"), recall_of(1.25, "innerproduct"), recall_of(0.5, "l2"), recall_of(12.5, "raw")
        (0.8, 0.25, 0.5, 12.5)
        >>> recall_of(12.5, "cosinesimil")
        Traceback (most recent call last):
        ...
        plugin_server.errors.InvalidField: ext.simgate.scores: a hit has the score 12.5, which is no cosinesimil ...
    """
    scale = SCALES[kind]
    if not scale.low - SLACK <= score <= scale.high + SLACK:
        known = ", ".join(SCALES)
        raise InvalidField(
            f"ext.simgate.scores: a hit has the score {score:g}, which is no {kind} of unit vectors: say which of "
            f"{known} the scores are (raw takes them as they are)"
        )
    return scale.recall(min(score, scale.high))
