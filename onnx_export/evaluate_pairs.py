"""Labelled pairs through the served graphs: how well verifier, pooled cosine and MaxSim part true pairs from near-misses."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve  # type: ignore[import-untyped]

from onnx_export.metrics import accuracy_at, auroc, best_accuracy, bootstrap_interval, near_misses_rejected
from onnx_export.pair import Label, Pair
from plugin_server.blob import TokenMatrix
from plugin_server.bundle import PROFILES
from plugin_server.encoder import Encoded
from plugin_server.reranker import CHUNK, Reranker
from plugin_server.verdict import judge

Progress = Callable[[int, int, str], None]
Scores = NDArray[np.float64]
Table = dict[str, Any]

#: What is compared with the verifier, by the name of its field in `PairScores`.
BASELINES = ("cosine", "maxsim", "symmetric")
#: Texts encoded at a time.
TEXTS = 1024
#: A category with fewer near-misses is not named the worst.
FEW = 10


@dataclass(frozen=True, slots=True)
class PairScores:
    """Scores of n pairs, (n,) each; a long document counts with the window that is best for that score.

    Attributes:
        verifier: calibrated probability by profile.
        cosine: of the recall vectors.
        maxsim: mean over the query's tokens of the best cosine in the document.
        symmetric: mean of that and of the same from the document's side.
    """

    verifier: dict[str, Scores]
    cosine: Scores
    maxsim: Scores
    symmetric: Scores

    def of(self, name: str, profile: str) -> Scores:
        """The scores of ``verifier`` under the profile, or of a baseline."""
        scores: Scores = self.verifier[profile] if name == "verifier" else getattr(self, name)
        return scores


def encode_texts(reranker: Reranker, texts: Sequence[str], progress: Progress, what: str) -> list[Encoded]:
    """Every text encoded as a document, `TEXTS` at a time."""
    encoded: list[Encoded] = []
    for start in range(0, len(texts), TEXTS):
        encoded += reranker.encode(texts[start : start + TEXTS])
        progress(len(encoded), len(texts), f"{what}: texts encoded")
    return encoded


def score_pairs(reranker: Reranker, rows: Sequence[Pair], progress: Progress, what: str) -> PairScores:
    """Scores of every row, in the rows' order; each distinct text is encoded once."""
    # by length, so that a chunk holds few widths and runs in few batches
    texts = sorted({text for row in rows for text in (row.query, row.document)}, key=len)
    encoded = dict(zip(texts, encode_texts(reranker, texts, progress, what), strict=True))
    parts: list[list[tuple[float, ...]]] = []
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        parts.append(_score_chunk(reranker, [(row.query, encoded[row.query], encoded[row.document]) for row in chunk]))
        progress(start + len(chunk), len(rows), f"{what}: pairs verified")
    columns = np.array([line for part in parts for line in part], np.float64).T
    verifier = dict(zip(PROFILES, columns[: len(PROFILES)], strict=True))
    return PairScores(verifier, *columns[len(PROFILES) :])


def _score_chunk(reranker: Reranker, pairs: list[tuple[str, Encoded, Encoded]]) -> list[tuple[float, ...]]:
    """For each (query text, query, document): a probability for each profile, cosine, maxsim, symmetric."""
    flat = [(query.windows[0], window) for _, query, document in pairs for window in document.windows]
    readings = iter(reranker.verifier.read(flat))
    lines = []
    for text, query, document in pairs:
        part = [next(readings) for _ in document.windows]
        chances = [judge(text, query, part, reranker.manifest, profile).probability or 0.0 for profile in PROFILES]
        cosine = float((document.vectors @ query.vectors[0]).max())
        symmetric = max(_symmetric(query.windows[0], window) for window in document.windows)
        lines.append((*chances, cosine, max(reading.maxsim for reading in part), symmetric))
    return lines


def _symmetric(query: TokenMatrix, document: TokenMatrix) -> float:
    """Mean of MaxSim in both directions."""
    cosines = _unit(query) @ _unit(document).T
    return float(cosines.max(1).mean() + cosines.max(0).mean()) / 2


def _unit(rows: TokenMatrix) -> NDArray[np.float32]:
    values = rows.astype(np.float32)
    unit: NDArray[np.float32] = values / np.linalg.norm(values, axis=1, keepdims=True)
    return unit


def labels_of(rows: Sequence[Pair], profile: str) -> list[Label]:
    """The label of each row under a profile."""
    return [row.pairs if profile == "pairs" else row.passages for row in rows]


def set_figures(rows: Sequence[Pair], scores: PairScores, thresholds: dict[str, float]) -> dict[str, Table]:
    """The figures of one set by profile, for profiles under which both labels occur.

    Args:
        thresholds: shipped, by profile.
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
            "verifier": _verifier_figures(truth, scores.of("verifier", profile)[known], thresholds[profile], chosen),
            **{name: _baseline_figures(truth, scores.of(name, profile)[known]) for name in BASELINES},
            "categories": by_category(truth, {n: scores.of(n, profile)[known] for n in ("verifier", *BASELINES)}, chosen),
        }
        figures[profile]["worst_category"] = worst(figures[profile]["categories"])
    return figures


def _verifier_figures(truth: NDArray[np.int64], scores: Scores, threshold: float, rows: list[Pair]) -> Table:
    lost, rejected = float((scores[truth == 1] < threshold).mean()), float((scores[truth == 0] < threshold).mean())
    return {
        "auroc": auroc(truth, scores),
        "auroc_interval": bootstrap_interval(auroc, truth, scores, [row.group for row in rows], rounds=200),
        "threshold": threshold,
        "accuracy": accuracy_at(truth, scores, threshold),
        "balanced_accuracy": (1 - lost + rejected) / 2,
        "true_lost": lost,
        "near_misses_rejected": rejected,
        "near_misses_rejected_at_10_lost": near_misses_rejected(truth, scores),
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
            known = (None, label) if item["category"] == "question" else (label, None)
            rows.append(Pair(item["anchor"], item[column], *known, item["category"], "triples", str(number)))
    return rows


def triple_accuracy(rows: Sequence[Pair], scores: PairScores) -> dict[str, Table]:
    """By category and over ``all``: the share of triples whose paraphrase scores above the near-miss, ties half.

    Args:
        rows: of `read_triples`: a paraphrase, then its near-miss.
    """
    wins: dict[str, list[list[float]]] = {}
    for number in range(0, len(rows), 2):
        profile = "passages" if rows[number].pairs is None else "pairs"
        gaps = [np.subtract(*scores.of(name, profile)[number : number + 2]) for name in ("verifier", *BASELINES)]
        line = [0.5 + 0.5 * float(np.sign(gap)) for gap in gaps]
        for name in (rows[number].category, "all"):
            wins.setdefault(name, []).append(line)
    return {
        name: {"n": len(wins[name]), **dict(zip(("verifier", *BASELINES), np.mean(wins[name], 0).tolist(), strict=True))}
        for name in [*(name for name in wins if name != "all"), "all"]
    }


def evaluate_sets(
    reranker: Reranker, sets: dict[str, list[Pair]], progress: Progress
) -> dict[str, dict[str, Table]]:
    """``sets``: figures by set and profile; ``categories``: by profile and category over all sets; ``triples``.

    Only sets with both labels under a profile enter that profile's categories.
    """
    thresholds = {name: reranker.manifest.profile(name).threshold for name in PROFILES}
    report: dict[str, dict[str, Table]] = {"sets": {}, "categories": {}, "triples": {}}
    scored = {name: score_pairs(reranker, rows, progress, name) for name, rows in sets.items()}
    for name, rows in sets.items():
        report["sets"][name] = set_figures(rows, scored[name], thresholds)
    for profile in PROFILES:
        inside = [name for name in sets if profile in report["sets"][name]]
        rows = [row for name in inside for row in sets[name]]
        labels = labels_of(rows, profile)
        known = [number for number, label in enumerate(labels) if label is not None]
        if known:
            pooled = {
                kind: np.concatenate([scored[name].of(kind, profile) for name in inside])[known]
                for kind in ("verifier", *BASELINES)
            }
            truth = np.array([labels[number] for number in known], np.int64)
            report["categories"][profile] = by_category(truth, pooled, [rows[number] for number in known])
    if "triples" in sets:
        report["triples"] = triple_accuracy(sets["triples"], scored["triples"])
    return report
