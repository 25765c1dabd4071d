"""Everything measured of one system: pairs, held-out rows, retrieval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_export.calibration import best_threshold, even_weights, logistic
from onnx_export.evaluation.metrics import Qrels, Run, accepted_at, accuracy_at, auroc, mrr, ndcg
from onnx_export.evaluation.pairs import labels_of
from onnx_export.lab.dense import Asked, Dense, run_of
from onnx_export.lab.material import Material
from onnx_export.lab.policies import Chosen, choose
from onnx_export.lab.scorers import Scorer, Scores
from onnx_export.ordering import Hits
from onnx_export.pair import Pair
from onnx_export.sources import Collection
from plugin_server.bundle import PROFILES

Table = dict[str, Any]
#: Near-misses that may be accepted, where true pairs accepted are told.
FALSE_ACCEPTS = 0.05
#: Pairs of a category with fewer of either label are not told apart.
FEW = 10


def measure(scorer: Scorer, material: Material, dense: Dense, reranks: bool) -> Table:
    """The figures of a system: ``sets`` and ``heldout`` by name and profile, ``thresholds``, ``retrieval``.

    Args:
        reranks: whether the dense hits are reranked by it.
    """
    held = scored(scorer, material.heldout)
    thresholds, lines = fitted(material.heldout, held)
    sources = sorted({row.source for row in material.heldout})
    parts = {name: [n for n, row in enumerate(material.heldout) if row.source == name] for name in sources}
    figures: Table = {"thresholds": thresholds, "sets": {}, "heldout": {}, "retrieval": {}}
    for name, chosen in parts.items():
        figures["heldout"][name] = of_set([material.heldout[n] for n in chosen], held[chosen], thresholds)
    for name, rows in material.sets.items():
        found = scored(scorer, rows)
        figures["sets"][name] = of_set(rows, found, thresholds)
        if name == "triples":
            figures["triples"] = triple_wins(rows, found)
    if reranks:
        figures["retrieval"] = reranked(scorer, material, dense, lines["passages"])
    return figures


def scored(scorer: Scorer, rows: Sequence[Pair]) -> Scores:
    """(n, 2) scores of rows."""
    return scorer.scores([(row.query, row.document) for row in rows])


def fitted(rows: Sequence[Pair], scores: Scores) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """By profile: the threshold with the best mean accuracy over the sources, and the logistic line of log-odds."""
    thresholds, lines = {}, {}
    for profile in PROFILES:
        truth, values, chosen = _known(rows, scores, profile)
        weights = even_weights(truth, np.array([row.source for row in chosen]))
        thresholds[profile] = best_threshold(truth, values, weights)
        lines[profile] = logistic(truth, values, weights)
    return thresholds, lines


def of_set(rows: Sequence[Pair], scores: Scores, thresholds: dict[str, float]) -> Table:
    """By profile under which both labels occur: AUROC, true pairs accepted, accuracy; the same AUROC by category.

    A category without true pairs of its own is held against those of the whole set.
    """
    table: Table = {}
    for profile in PROFILES:
        truth, values, chosen = _known(rows, scores, profile)
        if len(np.unique(truth)) < 2:
            continue
        categories = {}
        names = np.array([row.category for row in chosen])
        for name in sorted(set(names.tolist())):
            inside = names == name
            own = int((truth[inside] == 1).sum()) >= FEW
            part = inside if own else inside | (truth == 1)
            misses = int((truth[inside] == 0).sum())
            if misses >= FEW:
                categories[name] = {"auroc": auroc(truth[part], values[part]), "near_misses": misses, "own": own}
        table[profile] = {
            "n": len(truth),
            "auroc": auroc(truth, values),
            "accepted": accepted_at(truth, values, FALSE_ACCEPTS),
            "accuracy": accuracy_at(truth, values, thresholds[profile]),
            "categories": categories,
        }
    return table


def triple_wins(rows: Sequence[Pair], scores: Scores) -> dict[str, float]:
    """By category and over ``all``: the share of triples whose paraphrase scores above the near-miss, ties half.

    Args:
        rows: a paraphrase, then its near-miss, as `onnx_export.evaluation.pairs.read_triples` gives them.
    """
    wins: dict[str, list[float]] = {}
    for number in range(0, len(rows), 2):
        column = PROFILES.index("passages" if rows[number].pairs is None else "pairs")
        won = 0.5 + 0.5 * float(np.sign(scores[number, column] - scores[number + 1, column]))
        for name in (rows[number].category, "all"):
            wins.setdefault(name, []).append(won)
    return {name: float(np.mean(found)) for name, found in sorted(wins.items())}


def reranked(scorer: Scorer, material: Material, dense: Dense, line: tuple[float, float]) -> Table:
    """By collection and policy: nDCG@10 and MRR@10 of the dense hits reranked; ``knobs`` of the policies."""
    scale, bias = line
    column = PROFILES.index("passages")
    orders = {}
    for source, items in dense.heldout.items():
        odds = _odds(scorer, [item for item, _ in items], material.passages, column, scale, bias)
        orders[source] = [Hits(item.cosines, found, place) for (item, place), found in zip(items, odds, strict=True)]
    policies = choose(orders)
    table: Table = {"knobs": {name: policy.knobs for name, policy in policies.items()}}
    for collection in material.collections:
        asked = dense.collections[collection.name]
        odds = _odds(scorer, asked, [*collection.documents.values()], column, scale, bias)
        table[collection.name] = {
            name: _ranked(collection, asked, map(policy.score, [item.cosines for item in asked], odds))
            for name, policy in {"recall": Chosen({}, lambda cosines, odds: cosines), **policies}.items()
        }
    return table


def of_run(run: Run, qrels: Qrels) -> Table:
    """nDCG@10 and MRR@10 of an order."""
    return {"ndcg@10": ndcg(run, qrels), "mrr@10": mrr(run, qrels)}


def _ranked(collection: Collection, asked: Sequence[Asked], scores: Iterable[NDArray[np.float64]]) -> Table:
    return of_run(run_of(collection, asked, [*scores]), collection.qrels)


def _odds(
    scorer: Scorer, asked: Sequence[Asked], documents: Sequence[str], column: int, scale: float, bias: float
) -> list[NDArray[np.float64]]:
    """Calibrated log-odds of every query's hits."""
    pairs = [(item.query, documents[place]) for item in asked for place in item.places]
    odds = scorer.scores(pairs)[:, column] * scale + bias
    return np.split(odds, np.cumsum([len(item.places) for item in asked])[:-1])


def _known(rows: Sequence[Pair], scores: Scores, profile: str) -> tuple[NDArray[np.int64], Scores, list[Pair]]:
    """Labels, scores and rows where the profile's label is known."""
    labels = labels_of(rows, profile)
    known = [number for number, label in enumerate(labels) if label is not None]
    truth = np.array([labels[number] for number in known], np.int64)
    return truth, scores[known, PROFILES.index(profile)], [rows[number] for number in known]
