"""A report of `onnx_export.evaluation.evaluate` as one page of Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from onnx_export.evaluation.speed import table as speed_table

_KINDS = ("verifier", "cosine", "maxsim", "symmetric")


def markdown(report: dict[str, Any]) -> str:
    """One page; parts that were not measured are left out.

    Example:
        >>> print(markdown({"bundle": {"name": "draft", "fingerprint": "00ff"}}))
        # Evaluation of draft (fingerprint 00ff)
        <BLANKLINE>
    """
    bundle = report["bundle"]
    parts = [f"# Evaluation of {bundle['name']} (fingerprint {bundle['fingerprint']})"]
    if report.get("sample"):
        parts.append(f"A sample: at most {report['sample']} rows a set and as many queries a collection.")
    if "pairs" in report:
        parts += _pairs(report["pairs"])
    for name, figures in report.get("retrieval", {}).items():
        parts.append(_retrieval(name, figures))
    if "parity" in report:
        parts.append(_parity(report["parity"]))
    if "invariance" in report:
        parts.append(_invariance(report["invariance"]))
    if "speed" in report:
        parts.append("## Speed\n\n" + speed_table(report["speed"]))
    return "\n\n".join(parts) + "\n"


def _pairs(pairs: dict[str, Any]) -> list[str]:
    sets = [(name, profile, row) for name, found in pairs["sets"].items() for profile, row in found.items()]
    auroc = [
        [
            name,
            profile,
            row["n"],
            f"{row['positive']:.0%}",
            *(_three(row[kind]["auroc"]) for kind in _KINDS),
            _interval(row["verifier"]["auroc_interval"]),
        ]
        for name, profile, row in sets
    ]
    accuracy = [
        [
            name,
            profile,
            _three(row["verifier"]["accuracy"]),
            *(_three(row[k]["best_accuracy"]) for k in _KINDS[1:]),
            _three(row["verifier"]["balanced_accuracy"]),
            *(_three(row[k]["best_balanced_accuracy"]) for k in _KINDS[1:]),
        ]
        for name, profile, row in sets
    ]
    rejected = [
        [
            name,
            profile,
            *(_share(row[kind]["near_misses_rejected_at_10_lost"]) for kind in _KINDS),
            _share(row["verifier"]["near_misses_rejected"]),
            _share(row["verifier"]["true_lost"]),
            _worst(row),
        ]
        for name, profile, row in sets
    ]
    head = ["set", "profile"]
    parts = [
        "## Pairs: AUROC\n\n" + _table([*head, "n", "true", *_KINDS, "verifier, 95 %"], auroc),
        "## Pairs: accuracy\n\nThe verifier at its shipped threshold; the others at the best of all thresholds, "
        "chosen on the set itself.\n\n" + _table([*head, *_KINDS, *(f"balanced: {kind}" for kind in _KINDS)], accuracy),
        "## Pairs: near-misses rejected\n\nWhile at most 10 % of the true pairs are lost; "
        "then at the shipped threshold.\n\n"
        + _table([*head, *_KINDS, "shipped: rejected", "shipped: true lost", "worst category"], rejected),
    ]
    alike = [[name, profile, *_fitted(row)] for name, profile, row in sets if "fitted" in row["verifier"]]
    if alike:
        kinds = ("verifier", "cosine", "maxsim")
        parts.append(
            "## Pairs: accuracy at thresholds fitted alike\n\nVerifier, cosine and MaxSim each at the threshold that "
            "was best for it on the same held-out training rows.\n\n"
            + _table([*head, *kinds, *(f"balanced: {kind}" for kind in kinds)], alike)
        )
    parts += [_categories(profile, found) for profile, found in pairs["categories"].items() if found]
    if pairs["triples"]:
        rows = [[name, row["n"], *(_share(row[kind]) for kind in _KINDS)] for name, row in pairs["triples"].items()]
        parts.append("## Triples: paraphrase above near-miss\n\n" + _table(["category", "n", *_KINDS], rows))
    return parts


def _fitted(row: dict[str, Any]) -> list[str]:
    """The cells of one set: accuracies, then balanced accuracies, at thresholds fitted alike."""
    kinds, measures = ("verifier", "cosine", "maxsim"), ("accuracy", "balanced_accuracy")
    return [_three(row[kind]["fitted"][measure]) for measure in measures for kind in kinds]


def _categories(profile: str, found: dict[str, Any]) -> str:
    rows = [
        [name + ("" if row["own"] else " *"), row["near_misses"], row["true_pairs"], *(_share(row[k]) for k in _KINDS)]
        for name, row in found.items()
    ]
    note = "" if all(row["own"] for row in found.values()) else "\n\n\\* held against the true pairs of all categories."
    title = f"## Near-misses rejected by category, profile {profile}\n\n"
    title += "Over all sets, at most 10 % of the true pairs lost.\n\n"
    return title + _table(["category", "near-misses", "true pairs", *_KINDS], rows) + note


def _retrieval(name: str, figures: dict[str, Any]) -> str:
    rows = [
        [order] + [text for found in by.values() for text in (_three(found["mean"]), _change(found))]
        for order, by in figures["orders"].items()
    ]
    gone = figures["rejected"]
    return (
        f"## Retrieval: {name}\n\n{figures['documents']} documents, {figures['queries']} queries, the first "
        f"{figures['depth']} reranked, threshold {figures['threshold']:.3f}, blend {figures['blend']:.3f}.\n\n"
        + _table(["order", "nDCG@10", "change, 95 %", "MRR@10", "change, 95 %"], rows)
        + f"\n\nRejected: {gone['relevant_rejected']} of {gone['relevant']} relevant "
        f"({_share(gone['share_of_relevant'])}), {_share(gone['share_of_other'])} of {gone['other']} others."
    )


def _parity(figures: dict[str, Any]) -> str:
    return (
        f"## Recall vector against the base model\n\nCosine over {figures['texts']} texts, "
        f"{figures['longer_than_a_window']} of them longer than a window: "
        f"lowest {figures['lowest']:.6f}, mean {figures['mean']:.6f}; the lowest is to be at least 0.9999."
    )


def _invariance(figures: dict[str, Any]) -> str:
    return (
        f"## Batch invariance\n\nLargest change of a probability over {figures['pairs']} pairs and "
        f"{figures['rounds']} rounds of random batches, orders and paddings, "
        f"against the pair alone: served {figures['served']:.1e}, verifier graph "
        f"{figures['verifier_graph']:.1e}, encoder graph at unserved widths {figures['encoder_graph']:.1e}; "
        f"{figures['verdicts_changed']} verdicts changed."
    )


def _table(head: list[str], rows: Iterable[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _three(value: float) -> str:
    return f"{value:.3f}"


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _interval(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}"


def _change(found: dict[str, Any]) -> str:
    return f"{found['difference']:+.3f} ({found['interval'][0]:+.3f} to {found['interval'][1]:+.3f})"


def _worst(row: dict[str, Any]) -> str:
    name = row["worst_category"]
    return f"{name} ({_share(row['categories'][name]['verifier'])})" if name else ""
