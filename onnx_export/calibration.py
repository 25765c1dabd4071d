"""Thresholds and probabilities of a bundle, fitted on held-out rows with the graphs that are served."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from onnx_export.errors import BadCheckpoint
from onnx_export.evaluation.metrics import auroc
from onnx_export.ordering import best_weight, dense_hits, highest_threshold
from onnx_export.pair import Pair
from plugin_server.bundle import PROFILES, SHORT, Bundle
from plugin_server.encoder import Encoded
from plugin_server.reranker import Reranker
from plugin_server.verifier import Reading

#: True pairs that ``passages`` may lose where no rows of `onnx_export.ordering.RETRIEVAL` tell, and of short documents.
PASSAGES_LOST, SHORT_LOST = 0.02, 0.05
#: Held-out rows of a source that are read.
PER_SOURCE = 600
#: Query words of accepted true pairs that may count as without a match.
WORDS_LOST = 0.03


@dataclass(frozen=True, slots=True)
class Calibration:
    """What calibration fits: for each profile ``threshold``, ``scale``, ``bias`` and ``blend``; the word threshold."""

    profiles: dict[str, dict[str, float]]
    match_threshold: float

    @classmethod
    def neutral(cls) -> Calibration:
        """The calibration before any fit."""
        return cls({profile: {"threshold": 0.5} for profile in PROFILES}, 0.5)


@dataclass(frozen=True, slots=True)
class Read:
    """A held-out row with the verifier's readings of its document's windows and the recall cosine."""

    pair: Pair
    query: Encoded
    readings: list[Reading]
    cosine: float

    def logit(self, column: int) -> float:
        """The best window's logit for a profile's column."""
        return max(reading.logits[column] for reading in self.readings)

    @property
    def maxsim(self) -> float:
        """The best window's MaxSim."""
        return max(reading.maxsim for reading in self.readings)

    def label(self, column: int) -> int | None:
        """The row's label for a profile's column."""
        return self.pair.label(column)


def calibrate(bundle: Bundle, rows: Sequence[Pair]) -> tuple[Calibration, dict[str, Any]]:
    """The calibration fitted on held-out rows, and what was measured on them.

    The latter holds AUROC by source for each profile, and under ``thresholds`` those of verifier, cosine and MaxSim for
    each profile, all fitted alike, so that an evaluation can hold them against each other.

    A profile's probability is a logistic function of the logit, fitted so that every source and label weighs the same;
    the threshold of ``pairs`` has the best mean accuracy over the sources, both labels weighing the same; that of
    ``passages``, and the weight of its log-odds in the ranking, come from `onnx_export.ordering`; its threshold for
    short documents loses `SHORT_LOST` of their true pairs, every source weighing the same.

    Args:
        rows: of `load_rows`.

    Raises:
        BadCheckpoint: no source among the rows has both labels.
    """
    reranker = Reranker(bundle)
    read = readings(reranker, capped(rows, PER_SOURCE))
    profiles: dict[str, dict[str, float]] = {}
    figures: dict[str, Any] = {"thresholds": {}}
    for column, profile in enumerate(PROFILES):
        known = [item for item in read if item.label(column) is not None]
        labels = np.array([item.label(column) for item in known])
        logits = np.array([item.logit(column) for item in known])
        sources = np.array([item.pair.source for item in known])
        figures[profile] = source_aurocs(labels, logits, sources)
        weights = even_weights(labels, sources)
        if not weights.any():
            raise BadCheckpoint(
                f"held-out rows: no source has rows of both labels for profile {profile}: train on one that has"
            )
        scale, bias = logistic(labels, logits, weights)
        probabilities = 1 / (1 + np.exp(-(scale * logits + bias)))
        scores = {
            "verifier": probabilities,
            "cosine": np.array([item.cosine for item in known]),
            "maxsim": np.array([item.maxsim for item in known]),
        }
        alike = {name: round(best_threshold(labels, values, weights), 4) for name, values in scores.items()}
        figures["thresholds"][profile] = alike
        threshold = alike["verifier"]
        weight = 0.0
        if profile == "passages":
            if orders := dense_hits(reranker, rows):
                weight = best_weight(orders, scale, bias)
                threshold = highest_threshold(orders, scale, bias, weight)
            else:
                threshold = float(np.quantile(probabilities[labels == 1], PASSAGES_LOST))
        threshold = min(max(threshold, 1e-4), 1 - 1e-4)  # a manifest's threshold is above 0 and below 1
        knobs = {"threshold": threshold, "scale": scale, "bias": bias, "blend": weight}
        short = np.array([sum(reading.tokens for reading in item.readings) <= SHORT for item in known]) & (labels == 1)
        if profile == "passages" and short.any():
            lowest = weighted_quantile(probabilities[short], weights[short], SHORT_LOST)
            knobs["short_threshold"] = min(max(lowest, threshold), 1 - 1e-4)
        profiles[profile] = {name: round(value, 4) for name, value in knobs.items()}
    return Calibration(profiles, round(match_threshold(read), 3)), figures


def load_rows(path: Path) -> list[Pair]:
    """The rows of a JSON Lines file that `save_rows` wrote.

    Raises:
        BadCheckpoint: the file is missing or holds something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # splitlines would part a row at U+2028 within a text
        return [Pair(**json.loads(line)) for line in lines if line]
    except (OSError, ValueError, TypeError) as error:
        raise BadCheckpoint(f"{path}: the held-out rows of the run are needed: {error}") from error


def capped(rows: Sequence[Pair], count: int) -> list[Pair]:
    """At most `count` rows of each source, evenly drawn in their order."""
    by_source: dict[str, list[Pair]] = {}
    for row in rows:
        by_source.setdefault(row.source, []).append(row)
    return [
        part[number * len(part) // min(count, len(part))]
        for part in by_source.values()
        for number in range(min(count, len(part)))
    ]


def save_rows(path: Path, rows: Sequence[Pair]) -> None:
    """Write the rows as JSON Lines."""
    path.write_text("".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def readings(reranker: Reranker, rows: Sequence[Pair]) -> list[Read]:
    """Every row read by the served graphs."""
    texts = sorted({text for row in rows for text in (row.query, row.document)})
    encoded = dict(zip(texts, reranker.encode(texts), strict=True))
    usable = [row for row in rows if len(encoded[row.query].windows) == 1]
    pairs = [(encoded[row.query].windows[0], window) for row in usable for window in encoded[row.document].windows]
    every = iter(reranker.verifier.read(pairs))
    result = []
    for row in usable:
        query, document = encoded[row.query], encoded[row.document]
        part = [next(every) for _ in document.windows]
        result.append(Read(row, query, part, float((document.vectors @ query.vectors[0]).max())))
    return result


def even_weights(labels: NDArray[np.int64], sources: NDArray[np.str_]) -> NDArray[np.float64]:
    """A weight a row: every source with both labels weighs the same, and so does each label in it; others weigh 0."""
    weights = np.zeros(len(labels))
    for source in np.unique(sources):
        groups = [np.flatnonzero((sources == source) & (labels == label)) for label in (0, 1)]
        if all(len(group) for group in groups):
            for group in groups:
                weights[group] = 1 / len(group)
    return weights


def logistic(
    labels: NDArray[np.int64], logits: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Scale and bias of Platt's logistic calibration (Platt 1999)."""
    fit = LogisticRegression(C=1e4).fit(logits[:, None], labels, sample_weight=weights / weights.mean())
    return float(fit.coef_[0, 0]), float(fit.intercept_[0])


def weighted_quantile(values: NDArray[np.float64], weights: NDArray[np.float64], share: float) -> float:
    """The smallest value below which at least that share of the weight lies.

    Example:
        >>> weighted_quantile(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0]), share=0.3)
        2.0
    """
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order][min(int(np.searchsorted(below, share * below[-1])), len(values) - 1)])


def best_threshold(labels: NDArray[np.int64], scores: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The threshold with the highest weighted accuracy, half-way between the two scores it separates.

    If none is better than accepting every row, it is the lowest score.
    """
    order = np.argsort(scores)
    ranked = scores[order]
    borders = np.flatnonzero(np.diff(ranked) > 0)  # equal scores stay on one side
    gained = np.cumsum(np.where(labels[order] == 0, weights[order], -weights[order]))[borders]
    if not len(borders) or gained.max() < 0:
        return float(ranked[0])
    best = borders[gained.argmax()]
    return float(ranked[best : best + 2].mean())


def source_aurocs(
    labels: NDArray[np.int64], logits: NDArray[np.floating[Any]], sources: NDArray[np.str_]
) -> dict[str, float]:
    """AUROC of each source that has both labels."""
    figures = {}
    for source in np.unique(sources):
        chosen = sources == source
        if len(set(labels[chosen])) == 2:
            figures[str(source)] = round(auroc(labels[chosen].tolist(), logits[chosen].tolist()), 4)
    return figures


def match_threshold(read: Sequence[Read]) -> float:
    """The cosine that all but `WORDS_LOST` of the query tokens of true pairs reach."""
    column = PROFILES.index("pairs")
    best = [item.readings[0].best[1:-1] for item in read if item.label(column) == 1]
    return float(np.quantile(np.concatenate(best), WORDS_LOST))
