"""The answer of shadow mode: candidates as they came."""

from __future__ import annotations

from itertools import pairwise

from plugin_server.asked import Asked
from plugin_server.candidate import checked
from plugin_server.choices import Policy, Verification
from plugin_server.ranking import Hit, Ranking, recall_at
from plugin_server.reranker import Reranker
from plugin_server.verdict import unverified

#: Why every hit is unverified.
REASON = "shadow mode: the verdict is recorded, not applied"


def untouched(reranker: Reranker, asked: Asked) -> Ranking:
    """The candidates in the order sent, none dropped, each unverified because of shadow mode.

    Scores are the candidates' own if each has one and they never rise, else those of their places.

    Raises:
        InvalidRequest: candidates, profile, policy, calibration or verification cannot be right,
            whatever the texts are.
    """
    reranker.manifest.profile(asked.profile)
    Policy.of(asked.policy)
    Verification.of(asked.verification or reranker.settings.verification)
    held = reranker.calibrations.chosen(asked.calibration, asked.profile)
    candidates = checked(asked.candidates, reranker.settings.max_candidates, asked.named)
    verdict = unverified(REASON, reranker.manifest, asked.profile, held)
    own = [item.score for item in candidates if item.score is not None]
    falling = len(own) == len(candidates) and all(high >= low for high, low in pairwise(own))
    scores = own if falling else [recall_at(place) for place in range(len(candidates))]
    joined = enumerate(zip(candidates, scores, strict=True))
    return Ranking(tuple(Hit(item, verdict, score, place) for place, (item, score) in joined), ())
