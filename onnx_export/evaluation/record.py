"""A report written into the bundle that it measured: figures into the manifest, the page into the model card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from onnx_export.evaluation.report import markdown
from onnx_export.model_card import finish
from plugin_server.bundle import Bundle


def record(bundle: Bundle, report: dict[str, Any]) -> Bundle:
    """The bundle with the report's figures in its manifest and the page in its card; its graphs stay as they are."""
    quality = bundle.manifest.quality | {"report": summary(report)}
    return finish(bundle.folder, replace(bundle.manifest, quality=quality), markdown(report))


def summary(report: dict[str, Any]) -> dict[str, Any]:
    """The report's main figures by set, collection and part, rounded.

    Example:
        >>> summary({"parity": {"lowest": 0.99996, "mean": 1.0}})
        {'recall_cosine_lowest': 0.99996}
    """
    found: dict[str, Any] = {}
    if "pairs" in report:
        found["auroc"] = {
            f"{name}/{profile}": {kind: round(row[kind]["auroc"], 4) for kind in ("verifier", "cosine", "maxsim")}
            | {"accuracy": round(row["verifier"]["accuracy"], 4)}
            for name, by in report["pairs"]["sets"].items()
            for profile, row in by.items()
        }
    if "retrieval" in report:
        found["ndcg@10"] = {
            name: {order: round(by["ndcg@10"]["mean"], 4) for order, by in figures["orders"].items()}
            for name, figures in report["retrieval"].items()
        }
    if "parity" in report:
        found["recall_cosine_lowest"] = round(report["parity"]["lowest"], 6)
    if "invariance" in report:
        found["batch_invariance"] = report["invariance"]["served"]
    if "speed" in report:
        found["times_cheaper_than_cross_encoder"] = round(report["speed"]["ratio"]["verifier"]["median"], 1)
    return found
