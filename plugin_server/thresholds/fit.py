"""Labelled pairs in, a calibration out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from plugin_server.bundle import VERIFIER, Manifest, Profile
from plugin_server.calibration import Calibration, checked_name
from plugin_server.errors import InvalidField
from plugin_server.thresholds.bounds import allowed, interval, needed, percent, upper_bound
from plugin_server.thresholds.labelled import Labelled, columns
from plugin_server.thresholds.platt import platt
from plugin_server.verdict import probability

#: How far above a near-miss's log-odds the threshold lies: another processor may compute the last digits otherwise.
STEP = 1e-3


class TooFewPairs(InvalidField):
    """There are not enough near-misses for the bound that was asked for."""

    def __init__(self, found: int, share: float, confidence: float) -> None:
        reached, missing = upper_bound(0, found, confidence), needed(share, confidence) - found
        super().__init__(
            f"near-misses: {found} can bound false accepts by {percent(reached)} at best, with {percent(confidence)} "
            f"confidence and none of them accepted; {percent(share)} needs {missing} more. Add pairs, give a higher "
            "--max-false-accept, or take the weaker bound with --allow-weak"
        )


def fit(
    pairs: Sequence[Labelled],
    manifest: Manifest,
    profile: str,
    share: float,
    confidence: float = 0.95,
    name: str = "default",
    per_query: bool = False,
    weak: bool = False,
) -> Calibration:
    """The calibration with the lowest threshold whose false accepts are bounded.

    With `confidence`, over all draws of the near-misses, no more than `share` of future ones are accepted, if they are
    like these and each is drawn by itself; see `plugin_server.thresholds.bounds`.

    Args:
        pairs: with their logits.
        share: of near-misses that may be accepted, in (0, 1).
        confidence: in (0, 1).
        per_query: count the near-misses of one query as one, its highest: the bound is then on the share of queries.
        weak: with too few near-misses take the bound that they reach, none of them being accepted.

    Raises:
        TooFewPairs: there are too few near-misses, and `weak` is false.
        InvalidField: there is no near-miss, the name cannot be one, or the highest near-misses cannot be kept out.
        UnknownChoice: there is no such profile.
    """
    own = manifest.profile(profile)
    logits, labels = columns(pairs, profile)
    near = highest(pairs, logits) if per_query else logits[labels == 0]
    if not len(near):
        raise InvalidField("label: no pair has 0: a bound on false accepts needs near-misses")
    let_through = allowed(len(near), share, confidence)
    if let_through is None and not weak:
        raise TooFewPairs(len(near), share, confidence)
    scale, bias = platt(logits, labels, own)
    knobs = Profile(0.5, scale, bias)
    threshold = threshold_above(near, let_through or 0, knobs)
    accepted = sum(probability(logit, knobs) >= threshold for logit in near)
    true = logits[labels == 1]
    lost = sum(probability(logit, knobs) < threshold for logit in true)
    low, high = interval(lost, len(true), confidence)
    return Calibration(
        name=checked_name(name),
        profile=profile,
        fingerprint=manifest.fingerprint,
        verifier=manifest.files[VERIFIER],
        threshold=threshold,
        scale=scale,
        bias=bias,
        max_false_accept=share,
        bound=upper_bound(let_through or 0, len(near), confidence),
        confidence=confidence,
        near_misses=len(near),
        near_misses_accepted=accepted,
        true_pairs=len(true),
        true_pairs_lost=lost,
        loss_low=low,
        loss_high=high,
        per_query=per_query,
        created=datetime.now(UTC).date().isoformat(),
    )


def threshold_above(near: NDArray[np.float64], count: int, knobs: Profile) -> float:
    """The lowest probability that at most the `count` highest of the logits reach, a hair above the next one's.

    Raises:
        InvalidField: there is none below 1.

    Example:
        >>> round(threshold_above(np.array([0.0, -1.0, 2.0]), 1, Profile(0.5)), 5)
        0.50025
    """
    odds = knobs.scale * float(np.sort(near)[::-1][count]) + knobs.bias + STEP
    threshold = 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0
    if not 0 < threshold < 1 or sum(probability(logit, knobs) >= threshold for logit in near) > count:
        raise InvalidField("near-misses: the verifier is as sure of some as it can be: no threshold keeps them out")
    return threshold


def highest(pairs: Sequence[Labelled], logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest logit among each query's near-misses."""
    found: dict[str, float] = {}
    for pair, logit in zip(pairs, logits.tolist(), strict=True):
        if pair.label == 0:
            found[pair.query] = max(logit, found.get(pair.query, logit))
    return np.array([*found.values()])
