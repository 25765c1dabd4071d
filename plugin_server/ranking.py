"""Verdicts and recall scores in, the order and the fate of every candidate out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from plugin_server.bundle import Profile
from plugin_server.candidate import Candidate
from plugin_server.choices import Policy
from plugin_server.verdict import Outcome, Verdict

#: How much a recall score falls while the rank grows e times.
RANK_WEIGHT = 0.05
#: Recall scores beyond count as this one, so that no score leaves the numbers when it is demoted.
LARGEST = 1e300


@dataclass(frozen=True, slots=True)
class Hit:
    """A candidate with its verdict and its score.

    Attributes:
        candidate: as it was sent.
        verdict: what the verifier said.
        score: what hits are ordered by, higher first; comparable within one response only.
        position: its place among the candidates as sent, from 0.
    """

    candidate: Candidate
    verdict: Verdict
    score: float
    position: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """The response: hits best first, and what the policy dropped, in the order sent."""

    hits: tuple[Hit, ...]
    dropped: tuple[Hit, ...]


def rank(
    candidates: Sequence[Candidate],
    verdicts: Sequence[Verdict],
    recall: Sequence[float],
    profile: Profile,
    policy: Policy,
) -> Ranking:
    """The candidates in their new order.

    The score is the recall score plus ``profile.blend`` times the log-odds of the probability, as independent pieces of
    evidence add up; an unverified candidate counts as one at the threshold. Equal scores keep the order sent.
    ``demote`` subtracts from a rejected candidate's score what puts it below every other; ``filter`` drops it. An
    unverified candidate is never dropped: a reranker that cannot read must not lose hits.

    Args:
        recall: a score for each candidate, higher is nearer; cosines, or the engine's own scores.
    """
    scores = [
        max(-LARGEST, min(LARGEST, score))
        + profile.blend * log_odds(verdict.threshold if verdict.probability is None else verdict.probability)
        for score, verdict in zip(recall, verdicts, strict=True)
    ]
    rejected = [verdict.outcome is Outcome.REJECTED for verdict in verdicts]
    if policy is Policy.DEMOTE:
        largest = max(1.0, *map(abs, scores))  # beside large scores a gap of 1 would be lost to rounding
        gap = max(scores) - min(scores) + largest
        scores = [score - gap if low else score for score, low in zip(scores, rejected, strict=True)]
    hits = [
        Hit(candidate, verdict, score, place)
        for place, (candidate, verdict, score) in enumerate(zip(candidates, verdicts, scores, strict=True))
    ]
    drop = policy is Policy.FILTER
    kept = sorted((hit for hit in hits if not (drop and rejected[hit.position])), key=lambda hit: -hit.score)
    return Ranking(tuple(kept), tuple(hit for hit in hits if drop and rejected[hit.position]))


def recall_at(position: int) -> float:
    """A recall score for a place in an order whose scores are not known, the first being 0.

    What an engine's own processor sends is in the engine's order, which says more than the token matrices do: on the
    dense hits of held-out queries this curve, with the default bundle's weight for the verifier, loses nothing against
    any dense order, and gains 0.07 and 0.08 nDCG@10 on two of three; the order of MaxSim would lose.

    Example:
        >>> recall_at(0), round(recall_at(9), 3)
        (-0.0, -0.115)
    """
    return -RANK_WEIGHT * math.log1p(position)


def log_odds(probability: float) -> float:
    """The logarithm of p / (1 - p), between -20 and 20.

    Example:
        >>> log_odds(0.5), round(log_odds(0.9), 3), log_odds(0.0)
        (0.0, 2.197, -20.0)
    """
    if probability <= 0 or probability >= 1:
        return 20.0 if probability >= 1 else -20.0
    return max(-20.0, min(20.0, math.log(probability) - math.log1p(-probability)))
