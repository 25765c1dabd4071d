"""What the verifier says of one candidate, and the probability behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from plugin_server.bundle import PROFILES, Manifest, Profile
from plugin_server.calibration import Calibration
from plugin_server.encoder import Encoded
from plugin_server.verifier import Reading

#: What a caller reads of a verifier that fails.
FAILED = "verification failed: the server's log has the traceback"


class Outcome(StrEnum):
    """accepted, rejected, or unverified when a candidate could not be read."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one candidate.

    Attributes:
        outcome: accepted when ``probability >= threshold``.
        probability: that the candidate holds up under the profile, in [0, 1]; None when unverified.
        threshold, profile: what it was held against; the threshold depends on the document's length.
        maxsim: mean of the query tokens' best cosines in the best window, in [-1, 1]; None when unverified.
        window: number of the document's window that counted, from 0.
        unmatched: the query's words that found no match there.
        reason: why a candidate is unverified, else empty.
        calibration: name of the one whose threshold it is; empty for the bundle's own.
    """

    outcome: Outcome
    probability: float | None
    threshold: float
    profile: str
    maxsim: float | None = None
    window: int = 0
    unmatched: tuple[str, ...] = ()
    reason: str = ""
    calibration: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the outcome is accepted."""
        return self.outcome is Outcome.ACCEPTED


def judge(
    text: str,
    query: Encoded,
    readings: list[Reading],
    manifest: Manifest,
    profile: str,
    calibration: Calibration | None = None,
) -> Verdict:
    """The verdict on a document from the readings of its windows; the best window counts.

    Args:
        text: the query's text, for naming its words.
        readings: one for each window, at least one; if a logit is not a number, the document is unverified.
    """
    column, knobs = PROFILES.index(profile), _knobs(manifest, profile, calibration)
    chances = [probability(reading.logits[column], knobs) for reading in readings]
    if any(math.isnan(chance) for chance in chances):
        fault = "the verifier gave no number: the bundle is faulty, convert it again"
        return unverified(fault, manifest, profile, calibration)
    window = max(range(len(chances)), key=chances.__getitem__)
    threshold = knobs.threshold_for(sum(reading.tokens for reading in readings))
    return Verdict(
        Outcome.ACCEPTED if chances[window] >= threshold else Outcome.REJECTED,
        chances[window],
        threshold,
        profile,
        readings[window].maxsim,
        window,
        unmatched_words(text, query, readings[window], manifest.match_threshold),
        calibration=calibration.name if calibration else "",
    )


def unverified(reason: str, manifest: Manifest, profile: str, calibration: Calibration | None = None) -> Verdict:
    """The verdict on a candidate that could not be read, with the reason."""
    threshold, name = _knobs(manifest, profile, calibration).threshold, calibration.name if calibration else ""
    return Verdict(Outcome.UNVERIFIED, None, threshold, profile, reason=reason, calibration=name)


def light(bare: Verdict, text: str, query: Encoded, readings: Sequence[Reading], manifest: Manifest) -> Verdict:
    """An unverified verdict with what MaxSim says of the document: its best window and the words without a match."""
    window = max(range(len(readings)), key=lambda number: readings[number].maxsim)
    best = readings[window]
    missed = unmatched_words(text, query, best, manifest.match_threshold)
    return replace(bare, maxsim=best.maxsim, window=window, unmatched=missed)


def probability(logit: float, profile: Profile) -> float:
    """The calibrated probability of a logit, in [0, 1].

    Example:
        >>> probability(0.0, Profile(threshold=0.5)), round(probability(1.0, Profile(0.5, scale=2.0, bias=-2.0)), 3)
        (0.5, 0.5)
    """
    value = profile.scale * logit + profile.bias
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    return math.exp(value) / (1 + math.exp(value))


def _knobs(manifest: Manifest, profile: str, calibration: Calibration | None) -> Profile:
    return calibration.knobs(manifest) if calibration else manifest.profile(profile)


def unmatched_words(text: str, query: Encoded, reading: Reading, threshold: float) -> tuple[str, ...]:
    """The query's words none of whose pieces is matched by at least `threshold`, in their order, each once."""
    matched = {span for span, cosine in zip(query.words, reading.best, strict=True) if cosine >= threshold}
    missed = [span for span in query.words if span and span not in matched]
    words = (text[start:end] for start, end in missed)
    return tuple(dict.fromkeys(word for word in words if any(map(str.isalnum, word))))
