"""Figures of merit: for labelled pairs with scores, and for rankings. Every pair metric takes (labels, scores)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ir_measures
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score

Run = dict[str, dict[str, float]]
Qrels = dict[str, dict[str, int]]
Metric = Callable[[NDArray[np.int64], NDArray[np.float64]], float]


def auroc(labels: ArrayLike, scores: ArrayLike) -> float:
    """The chance that a positive scores above a negative, ties counting half; 0.5 is guessing.

    Args:
        labels: (n,) 1 or 0, both present.
        scores: (n,) any real numbers, higher for positives.

    Raises:
        ValueError: only one of the two labels is there, or the lengths differ.

    Example:
        >>> auroc([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1])
        0.75
    """
    truth, score = _checked(labels, scores)
    return float(roc_auc_score(truth, score))


def accuracy_at(labels: ArrayLike, scores: ArrayLike, threshold: ArrayLike) -> float:
    """The share of rows on their right side of a threshold, one for all or one a row; a score equal to it is accepted.

    Example:
        >>> accuracy_at([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1], threshold=0.5)
        0.5
    """
    truth, score = _checked(labels, scores)
    return float(np.mean((score >= np.asarray(threshold)) == (truth == 1)))


def best_accuracy(labels: ArrayLike, scores: ArrayLike) -> float:
    """The accuracy at the best of all thresholds.

    An oracle figure: the threshold is chosen on the very rows it is judged by, so it bounds what
    calibration could reach and is no estimate of what a shipped threshold does.

    Example:
        >>> best_accuracy([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1])
        0.75
    """
    truth, score = _checked(labels, scores)
    order = np.argsort(-score, kind="stable")
    ranked, ordered = truth[order], score[order]
    # Right when the first k are accepted: their positives and the negatives of the rest, for k = 0 to n.
    right = np.concatenate(([0], np.cumsum(2 * ranked - 1))) + np.sum(truth == 0)
    # Equal scores cannot be parted.
    possible = np.concatenate(([True], ordered[1:] != ordered[:-1], [True]))
    return float(right[possible].max() / len(truth))


def near_misses_rejected(labels: ArrayLike, scores: ArrayLike, lost: float = 0.10) -> float:
    """The share of negatives below the threshold at which at most the share `lost` of the positives is lost.

    Example:
        >>> near_misses_rejected([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1], lost=0.5)
        1.0
        >>> near_misses_rejected([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1], lost=0.0)
        0.5
    """
    truth, score = _checked(labels, scores)
    positives = np.sort(score[truth == 1])
    threshold = positives[min(_floor(lost * len(positives)), len(positives) - 1)]
    return float(np.mean(score[truth == 0] < threshold))


def accepted_at(labels: ArrayLike, scores: ArrayLike, false_accepts: float = 0.05) -> float:
    """The share of positives above the threshold at which at most the share `false_accepts` of negatives is accepted.

    Example:
        >>> accepted_at([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1], false_accepts=0.05)
        0.5
        >>> accepted_at([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1], false_accepts=0.5)
        1.0
    """
    truth, score = _checked(labels, scores)
    negatives = np.sort(score[truth == 0])[::-1]
    allowed = _floor(false_accepts * len(negatives))
    # The best negative that must stay out.
    barrier = negatives[allowed] if allowed < len(negatives) else -np.inf
    return float(np.mean(score[truth == 1] > barrier))


def ndcg(run: Run, qrels: Qrels, cutoff: int = 10) -> float:
    """The normalised discounted cumulative gain of the first `cutoff` documents, a mean over the queries of `qrels`.

    A judged query that the run leaves out counts 0.

    Args:
        run: score by query, then document.
        qrels: grade by query, then document.
        cutoff: how many documents count.

    Example:
        >>> round(ndcg({"q": {"a": 2.0, "b": 1.0}}, {"q": {"b": 1}}), 4)
        0.6309
    """
    return _ranked(ir_measures.nDCG @ cutoff, run, qrels)


def mrr(run: Run, qrels: Qrels, cutoff: int = 10) -> float:
    """The reciprocal rank of the first relevant of `cutoff` documents, a mean over the queries of `qrels`.

    Example:
        >>> mrr({"q": {"a": 2.0, "b": 1.0}}, {"q": {"b": 1}})
        0.5
    """
    return _ranked(ir_measures.RR @ cutoff, run, qrels)


def bootstrap_interval(
    metric: Metric,
    labels: ArrayLike,
    scores: ArrayLike,
    groups: Sequence[str] | None = None,
    rounds: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """The 95 % interval (low, high) of a pair metric, by the percentile bootstrap.

    Args:
        metric: such as `auroc`.
        labels: (n,) 1 or 0, both present.
        scores: (n,) real numbers.
        groups: (n,) names; rows of one group are drawn together. Without it, rows are drawn one by one, which makes
            the interval too narrow where rows share a sentence.
        rounds: how many samples are drawn; samples with one label only are drawn anew.
        seed: the same seed gives the same interval.

    Example:
        >>> low, high = bootstrap_interval(auroc, [1, 0] * 50, [0.9, 0.1, 0.3, 0.5] * 25, rounds=200)
        >>> 0.5 < low < 0.75 < high < 1
        True
    """
    truth, score = _checked(labels, scores)
    names = np.arange(len(truth)) if groups is None else np.asarray(groups)
    _, member = np.unique(names, return_inverse=True)
    rows_of = np.split(np.argsort(member, kind="stable"), np.cumsum(np.bincount(member))[:-1])
    generator = np.random.default_rng(seed)
    values: list[float] = []
    while len(values) < rounds:
        drawn = np.concatenate([rows_of[i] for i in generator.integers(len(rows_of), size=len(rows_of))])
        if 0 < truth[drawn].sum() < len(drawn):
            values.append(metric(truth[drawn], score[drawn]))
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def _ranked(measure: ir_measures.Measure, run: Run, qrels: Qrels) -> float:
    # ir_measures averages over the queries it finds in the run.
    complete = {query: run.get(query, {}) for query in qrels}
    found = {value.query_id: value.value for value in ir_measures.iter_calc([measure], qrels, complete)}
    return float(sum(found.values()) / len(qrels))


def _floor(count: float) -> int:
    """The count rounded down, a hair below a whole number counting as that number (0.29 * 100 is 28.999…)."""
    return int(count + 1e-9)


def _checked(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    truth, score = np.asarray(labels, dtype=np.int64), np.asarray(scores, dtype=np.float64)
    if truth.shape != score.shape or truth.ndim != 1:
        raise ValueError(f"labels {truth.shape} and scores {score.shape} are not two rows of one length")
    if set(np.unique(truth)) != {0, 1}:
        raise ValueError("the labels must hold both 1 and 0 and nothing else")
    return truth, score
