"""Labelled pairs and calibrations for tests."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

from plugin_server.bundle import VERIFIER, Manifest
from plugin_server.calibration import Calibration

COLOURS = ("red", "blue", "green", "white", "black", "yellow", "brown", "grey", "orange", "purple")
THINGS = (("car", "house"), ("bag", "table"), ("door", "wall"))


def lines(things: int = 3) -> list[dict[str, Any]]:
    """A true pair and a near-miss for each of 90 pairs of colours and each pair of things."""
    made: list[dict[str, Any]] = []
    for one, other in THINGS[:things]:
        for left, right in permutations(COLOURS, 2):
            query = f"a {left} {one} and a {right} {other}"
            made.append({"query": query, "document": f"a {right} {other} and a {left} {one}", "label": 1})
            made.append({"query": query, "document": f"a {right} {one} and a {left} {other}", "label": 0})
    return made


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    """The file, with a line for each row."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def calibration(manifest: Manifest, name: str = "shop", profile: str = "pairs", **changed: Any) -> Calibration:
    """A calibration that takes nothing for accepted, unless told otherwise."""
    own = manifest.profile(profile)
    values: dict[str, Any] = {
        "name": name,
        "profile": profile,
        "fingerprint": manifest.fingerprint,
        "verifier": manifest.files[VERIFIER],
        "threshold": 0.9999,
        "scale": own.scale,
        "bias": own.bias,
        "max_false_accept": 0.02,
        "bound": 0.0199,
        "confidence": 0.95,
        "near_misses": 149,
        "near_misses_accepted": 0,
        "true_pairs": 40,
        "true_pairs_lost": 5,
        "loss_low": 0.04,
        "loss_high": 0.27,
        "per_query": False,
        "created": "2026-01-31",
    }
    return Calibration(**values | changed)
