"""Whether labelled pairs, used as examples, tell true pairs from near-misses better than the verifier's logit alone.

    PYTHONPATH=tests python -m benchmarks.correction --heldout runs/default/heldout.jsonl

Every source of held-out rows stands for a team, and some of its rows, drawn by group, for the pairs that it labelled.
The others are scored by the log-odds alone, by these plus the vote of the nearest labelled pairs, and by these plus a
ridge regression, both over what the graphs say of a pair: both logits, recall cosine, MaxSim, worst word, lengths. How
much a correction counts is chosen by cross-validation on the labelled pairs. Told are the true pairs lost: first at the
threshold that lets 2 % of the other near-misses through, with every labelled pair as an example; then at the threshold
that the labelled pairs bound at 5 %, where a correction has half of them as examples and the bound the other half.

Neither correction is part of the product. With 30 to 300 pairs the nearest ones take 0.00 to 0.01 off the true pairs
lost, the regression 0.00 to 0.02, where two draws differ by 0.01 to 0.03. And pairs that teach a correction cannot give
the bound as well: at the same bound 0.18 of the true pairs are lost without and 0.25 with either, of 300 pairs; 0.16
without and 0.18 with, of 600 (means over the default bundle's held-out sources, 12 draws).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from onnx_export.calibration import Read, capped, load_rows, readings
from plugin_server import Reranker
from plugin_server.bundle import PROFILES
from plugin_server.thresholds.bounds import allowed
from plugin_server.thresholds.labelled import probabilities
from plugin_server.thresholds.platt import log_loss

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
#: What to add to rows' log-odds, from features, log-odds and labels of labelled rows, and the features of those.
Correction = Callable[[Floats, Floats, Labels, Floats], Floats]
SIZES, WEIGHTS, NEAREST, PARTS, LEAST = (30, 60, 150, 300, 600), (0.0, 0.25, 0.5, 1.0, 2.0), 15, 5, 200


@dataclass(frozen=True, slots=True)
class Rows:
    """A source's rows: features (n, f), log-odds, labels and groups (n,)."""

    values: Floats
    odds: Floats
    labels: Labels
    groups: NDArray[np.str_]


def features(item: Read) -> list[float]:
    """What the graphs say of a pair."""
    reading = max(item.readings, key=lambda part: part.logits[0])
    tokens = sum(part.tokens for part in item.readings)
    words = reading.best[1:-1]
    return [item.logit(0), item.logit(1), item.cosine, item.maxsim, min(words), np.log(len(words)), np.log(tokens)]


def voted(near: Floats, odds: Floats, labels: Labels, others: Floats) -> Floats:
    """What the nearest labelled pairs add to the log-odds, before any weight."""
    distances = np.linalg.norm(others[:, None] - near[None], axis=2)
    true = labels[np.argsort(distances, axis=1)[:, :NEAREST]].sum(axis=1)
    count, share = min(NEAREST, len(labels)), (labels.sum() + 0.5) / (len(labels) + 1)
    added: Floats = np.log((true + 2 * share) / (count - true + 2 * (1 - share))) - np.log(share / (1 - share))
    return added


def regressed(near: Floats, odds: Floats, labels: Labels, others: Floats) -> Floats:
    """What a ridge regression of the probabilities' errors adds, on the scale of log-odds."""
    fitted = RidgeCV(alphas=(1, 10, 100, 1000)).fit(near, labels - probabilities(odds, 1.0, 0.0))
    added: Floats = 4 * fitted.predict(others)  # the slope of the log-odds at one half
    return added


def weight(correct: Correction, rows: Floats, odds: Floats, labels: Labels, groups: NDArray[np.str_]) -> float:
    """The weight of a correction with the lowest loss on labelled rows left out in turn."""
    parts = np.unique(groups, return_inverse=True)[1] % PARTS
    added = np.zeros(len(rows))
    for part in range(PARTS):
        out = parts == part
        if out.any() and len(set(labels[~out])) == 2:
            added[out] = correct(rows[~out], odds[~out], labels[~out], rows[out])
    return min(WEIGHTS, key=lambda value: log_loss(probabilities(odds + value * added, 1.0, 0.0), labels))


def lost(labels: Labels, scores: Floats, barrier: float) -> float:
    """The share of true pairs that are not above a barrier."""
    return float((scores[labels == 1] <= barrier).mean())


def barrier(near: Floats, count: int) -> float:
    """The score above which so many near-misses lie."""
    return float(np.sort(near)[::-1][count])


def drawn(groups: NDArray[np.str_], size: int, seed: int, among: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Rows of whole groups, at least so many."""
    names = groups if among is None else groups[among]
    order = np.random.default_rng(seed).permutation(np.unique(names))
    counts = np.cumsum([(groups == name).sum() for name in order])
    return np.isin(groups, order[: int(np.searchsorted(counts, size)) + 1])


def ranked(rows: Rows, inside: NDArray[np.bool_]) -> list[float]:
    """True pairs lost at 2 % of the other near-misses, by logit alone and by each correction."""
    truth = rows.labels[~inside]
    scores = [item[~inside] for item in scored(rows, inside)]
    return [lost(truth, item, barrier(item[truth == 0], int(0.02 * (truth == 0).sum()))) for item in scores]


def bounded(rows: Rows, inside: NDArray[np.bool_], seed: int) -> list[float]:
    """True pairs lost at the threshold bounded at 5 %; nothing if there are too few near-misses for it."""
    half = inside & drawn(rows.groups, int(inside.sum() / 2), seed, inside)
    found = []
    for number, item in enumerate(scored(rows, half)):
        near = item[(rows.labels == 0) & (inside & ~half if number else inside)]
        count = allowed(len(near), 0.05, 0.95)
        if count is None:
            return []
        found.append(lost(rows.labels[~inside], item[~inside], barrier(near, count)))
    return found


def scored(rows: Rows, inside: NDArray[np.bool_]) -> list[Floats]:
    """Log-odds of all rows, alone and with each correction taught by those inside."""
    values = (rows.values - rows.values[inside].mean(axis=0)) / (rows.values[inside].std(axis=0) + 1e-6)
    near = values[inside], rows.odds[inside], rows.labels[inside]
    result = [rows.odds]
    for correct in (voted, regressed):
        much = weight(correct, *near, rows.groups[inside])
        result.append(rows.odds + much * correct(*near, values))
    return result


def compare(read: Sequence[Read], reranker: Reranker, draws: int) -> Iterator[str]:
    """A line of a table for every source and number of labelled pairs: mean and deviation over the draws."""
    for source in sorted({item.pair.source for item in read}):
        rows = rows_of([item for item in read if item.pair.source == source], reranker)
        for size in SIZES:
            if rows is None or len(rows.labels) - size < LEAST:
                break
            figures: tuple[list[list[float]], list[list[float]]] = ([], [])
            for seed in range(draws):
                inside = drawn(rows.groups, size, seed)
                if min(np.bincount(rows.labels[inside], minlength=2)) >= 2 * PARTS:
                    figures[0].append(ranked(rows, inside))
                    figures[1].append(bounded(rows, inside, seed))
            cells = [_cell([row for row in part if row], number) for part in figures for number in range(3)]
            if figures[0]:
                yield f"| {source} | {size} | {' | '.join(cells)} |"


def rows_of(read: Sequence[Read], reranker: Reranker) -> Rows | None:
    """A source's rows with labels, of the first profile that has both; None if neither has."""
    column = next((n for n in range(len(PROFILES)) if {item.label(n) for item in read} >= {0, 1}), None)
    if column is None:
        return None
    own, known = reranker.manifest.profile(PROFILES[column]), [item for item in read if item.label(column) is not None]
    values = np.array([features(item) for item in known])
    labels = np.array([item.label(column) for item in known])
    odds = own.scale * values[:, column] + own.bias
    return Rows(values, odds, labels, np.array([item.pair.group for item in known]))


def _cell(figures: list[list[float]], number: int) -> str:
    column = np.array([row[number] for row in figures])
    return f"{column.mean():.3f} ± {column.std():.3f}" if len(column) else "–"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heldout", type=Path, required=True, help="rows that training left out, as it writes them")
    parser.add_argument("--draws", type=int, default=12)
    given, reranker = parser.parse_args(), Reranker.load()
    read = readings(reranker, capped(load_rows(given.heldout), 1000))
    names = [f"{way}, {where}" for where in ("2 %", "bounded") for way in ("logit alone", "nearest pairs", "ridge")]
    print(f"| source | pairs | {' | '.join(names)} |\n|{'---|' * 8}", flush=True)
    for line in compare(read, reranker, given.draws):
        print(line, flush=True)


if __name__ == "__main__":
    main()
