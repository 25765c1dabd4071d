"""Labelled pairs: how well verifier, pooled cosine and MaxSim part true pairs from near-misses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from onnx_export.evaluation.metrics import accuracy_at, auroc, best_accuracy, bootstrap_interval, near_misses_rejected
from onnx_export.evaluation.scores import BASELINES, PairScores, Progress, Scores, score_pairs
from onnx_export.pair import Label, Pair
from plugin_server.bundle import PROFILES
from plugin_server.reranker import Reranker

Table = dict[str, Any]

#: Every score, by name.
KINDS = ("verifier", *BASELINES)
#: A category with fewer near-misses is not named the worst.
FEW = 10


def labels_of(rows: Sequence[Pair], profile: str) -> list[Label]:
    """The label of each row under a profile."""
    return [row.pairs if profile == "pairs" else row.passages for row in rows]


def set_figures(
    rows: Sequence[Pair],
    scores: PairScores,
    fitted: dict[str, dict[str, float]] | None = None,
) -> dict[str, Table]:
    """The figures of one set by profile, for profiles under which both labels occur.

    Args:
        fitted: by profile and score: thresholds that calibration fitted alike on held-out training rows.
    """
    figures: dict[str, Table] = {}
    for profile in PROFILES:
        labels = labels_of(rows, profile)
        known = np.array([number for number, label in enumerate(labels) if label is not None], np.int64)
        truth = np.array([labels[number] for number in known], np.int64)
        if len(np.unique(truth)) < 2:
            continue
        chosen = [rows[number] for number in known]
        figures[profile] = {
            "n": len(truth),
            "positive": float(truth.mean()),
            "verifier": _verifier_figures(
                truth, scores.of("verifier", profile)[known], scores.thresholds[profile][known], chosen
            ),
            **{name: _baseline_figures(truth, scores.of(name, profile)[known]) for name in BASELINES},
            "categories": by_category(truth, {n: scores.of(n, profile)[known] for n in KINDS}, chosen),
        }
        for name, threshold in (fitted or {}).get(profile, {}).items():
            figures[profile][name]["fitted"] = at_threshold(truth, scores.of(name, profile)[known], threshold)
        figures[profile]["worst_category"] = worst(figures[profile]["categories"])
    return figures


def _verifier_figures(truth: NDArray[np.int64], scores: Scores, threshold: Scores, rows: list[Pair]) -> Table:
    return {
        "auroc": auroc(truth, scores),
        "auroc_interval": bootstrap_interval(auroc, truth, scores, [row.group for row in rows], rounds=200),
        **at_threshold(truth, scores, threshold),
        "near_misses_rejected_at_10_lost": near_misses_rejected(truth, scores),
    }


def at_threshold(truth: NDArray[np.int64], scores: Scores, threshold: float | Scores) -> Table:
    """Accuracy, balanced accuracy, and the shares of true pairs lost and near-misses rejected at a threshold.

    Args:
        threshold: one for all, or one a row; the table holds their mean.

    Example:
        >>> found = at_threshold(np.array([1, 1, 0, 0]), np.array([0.9, 0.4, 0.1, 0.2]), 0.5)
        >>> found["accuracy"], found["true_lost"], found["near_misses_rejected"]
        (0.75, 0.5, 1.0)
    """
    low = scores < threshold
    lost, rejected = float(low[truth == 1].mean()), float(low[truth == 0].mean())
    return {
        "threshold": float(np.mean(threshold)),
        "accuracy": accuracy_at(truth, scores, threshold),
        "balanced_accuracy": (1 - lost + rejected) / 2,
        "true_lost": lost,
        "near_misses_rejected": rejected,
    }


def _baseline_figures(truth: NDArray[np.int64], scores: Scores) -> Table:
    return {
        "auroc": auroc(truth, scores),
        "best_accuracy": best_accuracy(truth, scores),
        "best_balanced_accuracy": best_balanced_accuracy(truth, scores),
        "near_misses_rejected_at_10_lost": near_misses_rejected(truth, scores),
    }


def best_balanced_accuracy(truth: NDArray[np.int64], scores: Scores) -> float:
    """The mean of positives accepted and negatives rejected at the best of all thresholds: an oracle figure.

    Example:
        >>> best_balanced_accuracy(np.array([1, 0, 0, 0]), np.array([0.5, 0.9, 0.1, 0.1])).__round__(3)
        0.833
    """
    false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
    return float((true + 1 - false).max() / 2)


def by_category(truth: NDArray[np.int64], scores: dict[str, Scores], rows: Sequence[Pair]) -> dict[str, Table]:
    """By category that has near-misses: their share rejected while at most 10 % of the true pairs are lost.

    The true pairs are the category's own, or those of all rows given when it has none (``own`` is False).
    """
    names = np.array([row.category for row in rows])
    table: dict[str, Table] = {}
    for category in sorted(set(names.tolist())):
        inside = names == category
        own = bool((truth[inside] == 1).any())
        chosen = inside if own else inside | (truth == 1)
        misses = int((truth[inside] == 0).sum())
        if misses:
            table[category] = {
                "near_misses": misses,
                "true_pairs": int((truth[chosen] == 1).sum()),
                "own": own,
                **{name: near_misses_rejected(truth[chosen], values[chosen]) for name, values in scores.items()},
            }
    return table


def worst(categories: dict[str, Table]) -> str | None:
    """The category of which the verifier rejects the least near-misses, among those with at least `FEW`; None without.

    Example:
        >>> worst({"role": {"near_misses": 50, "verifier": 0.4}, "number": {"near_misses": 3, "verifier": 0.1}})
        'role'
    """
    enough = {name: row["verifier"] for name, row in categories.items() if row["near_misses"] >= FEW}
    return min(enough, key=lambda name: enough[name]) if enough else None


def read_triples(path: Path) -> list[Pair]:
    """Two rows for each line of a file of triples: (anchor, paraphrase) true, (anchor, near_miss) false.

    Both count under profile ``pairs``, those of category ``question`` under ``passages``; a line is a group.
    """
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        item = json.loads(line)
        for label, column in ((1, "paraphrase"), (0, "near_miss")):
            pairs, passages = (None, label) if item["category"] == "question" else (label, None)
            row = Pair(item["anchor"], item[column], pairs, passages, item["category"], "triples", str(number))
            rows.append(row)
    return rows


def triple_accuracy(rows: Sequence[Pair], scores: PairScores) -> dict[str, Table]:
    """By category and over ``all``: the share of triples whose paraphrase scores above the near-miss, ties half.

    Args:
        rows: of `read_triples`: a paraphrase, then its near-miss.
    """
    wins: dict[str, list[list[float]]] = {}
    for number in range(0, len(rows), 2):
        profile = "passages" if rows[number].pairs is None else "pairs"
        gaps = [np.subtract(*scores.of(name, profile)[number : number + 2]) for name in KINDS]
        line = [0.5 + 0.5 * float(np.sign(gap)) for gap in gaps]
        for name in (rows[number].category, "all"):
            wins.setdefault(name, []).append(line)
    return {
        name: {
            "n": len(wins[name]),
            **dict(zip(KINDS, np.mean(wins[name], 0).tolist(), strict=True)),
        }
        for name in [*(name for name in wins if name != "all"), "all"]
    }


def evaluate_sets(reranker: Reranker, sets: dict[str, list[Pair]], progress: Progress) -> dict[str, dict[str, Table]]:
    """``sets``: figures by set and profile; ``categories``: by profile and category over all sets; ``triples``.

    Only sets with both labels under a profile enter that profile's categories.
    """
    fitted = reranker.manifest.quality.get("heldout", {}).get("thresholds", {})
    report: dict[str, dict[str, Table]] = {"sets": {}, "categories": {}, "triples": {}}
    scored = {name: score_pairs(reranker, rows, progress, name) for name, rows in sets.items()}
    for name, rows in sets.items():
        report["sets"][name] = set_figures(rows, scored[name], fitted)
    for profile in PROFILES:
        inside = [name for name in sets if profile in report["sets"][name]]
        rows = [row for name in inside for row in sets[name]]
        labels = labels_of(rows, profile)
        known = [number for number, label in enumerate(labels) if label is not None]
        if known:
            pooled = {
                kind: np.concatenate([scored[name].of(kind, profile) for name in inside])[known] for kind in KINDS
            }
            truth = np.array([labels[number] for number in known], np.int64)
            report["categories"][profile] = by_category(truth, pooled, [rows[number] for number in known])
    if "triples" in sets:
        report["triples"] = triple_accuracy(sets["triples"], scored["triples"])
    return report
