"""How well scores tell true pairs from near-misses, without a library beside numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def auroc(labels: ArrayLike, scores: ArrayLike) -> float | None:
    """The chance that a true pair scores above a near-miss, ties counting half; None if one of them is missing.

    Example:
        >>> auroc([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1]), auroc([1, 0], [0.5, 0.5]), auroc([1], [0.5])
        (0.75, 0.5, None)
    """
    truth, score = np.asarray(labels), np.asarray(scores, np.float64)
    near = np.sort(score[truth == 0])
    true = score[truth == 1]
    if not len(near) or not len(true):
        return None
    below, upto = (np.searchsorted(near, true, side) for side in ("left", "right"))
    return float((below + upto).mean() / 2 / len(near))
