"""Hits in, relevance scores out: between 0 and 1, with 0.5 as the cut whatever a pair's threshold is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from plugin_server.asked import Asked
from plugin_server.candidate import Candidate
from plugin_server.choices import Policy
from plugin_server.ranking import Hit, log_odds, recall_at
from plugin_server.reranker import WANTED, Reranker
from plugin_server.verdict import Outcome

if TYPE_CHECKING:
    from plugin_server.shadow.mode import Shadow

#: Significant digits of a relevance score; OpenSearch cannot read much more than 17.
DIGITS = 8
#: The highest score of a rejected hit, and of any: engines keep scores in 32 bits, which would round higher ones up.
BELOW_CUT, HIGHEST = 0.4999999, 0.9999999
CUT = 0.5


@dataclass(frozen=True, slots=True)
class Relevant:
    """A hit with its relevance score."""

    hit: Hit
    score: float

    def told(self, raw: bool) -> float:
        """The score, or its log-odds, whose cut is 0."""
        return rounded(log_odds(self.score)) if raw else self.score


def rerank(
    reranker: Reranker,
    query: str,
    candidates: Sequence[Candidate],
    profile: str,
    policy: Policy,
    field: str,
    calibration: str = "",
    verification: str = "",
    wanted: int = WANTED,
    placed: bool = False,
    shadow: Shadow | None = None,
) -> list[Relevant]:
    """The candidates that the policy keeps, most relevant first; one that cannot be read is unverified.

    The ranking only annotates, because relevance has a cut of its own.

    Args:
        field: the candidates' name in the request, for error messages.
        calibration, verification, wanted: as `Reranker.rerank`.
        placed: candidates have no scores but those of their places.
        shadow: of shadow mode: all candidates come back in the order given, none below the cut.

    Raises:
        InvalidRequest: as `Reranker.rerank` does when it is lenient.
    """
    asked = Asked(
        query, candidates, profile, policy, None, True, field, calibration, verification, wanted, placed=placed
    )
    if shadow:
        hits = shadow.rerank(reranker, asked).hits
        return relevant([replace(hit, score=recall_at(hit.position)) for hit in hits], Policy.DEMOTE)
    return relevant(replace(asked, policy=Policy.ANNOTATE).rank(reranker, policy).hits, policy)


def verify(
    reranker: Reranker,
    query: str,
    candidates: Sequence[Candidate],
    profile: str,
    field: str,
    calibration: str = "",
    verification: str = "",
    placed: bool = False,
    shadow: Shadow | None = None,
) -> list[Relevant]:
    """The candidates in the order given, with what is said of each; in shadow mode too.

    Args:
        field, calibration, verification, placed: as `rerank`.
        shadow: of shadow mode: the verdicts are recorded.

    Raises:
        InvalidRequest: as `Reranker.rerank` does when it is lenient.
    """
    rule = Policy.ANNOTATE
    asked = Asked(query, candidates, profile, rule, None, True, field, calibration, verification, placed=placed)
    ranking = shadow.verify(reranker, asked) if shadow else asked.rank(reranker)
    return sorted(relevant(ranking.hits, Policy.DEMOTE), key=lambda item: item.hit.position)


def relevant(hits: Sequence[Hit], policy: Policy) -> list[Relevant]:
    """The hits that the policy keeps, most relevant first; equal scores keep the order sent.

    The score of a hit that is not rejected is at least 0.5, that of a rejected one below; ``annotate`` has no such cut,
    and ``filter`` leaves the rejected ones out.

    Args:
        hits: of a ranking made with ``annotate``, whose scores are not demoted.
    """
    kept = [hit for hit in hits if policy is not Policy.FILTER or hit.verdict.outcome is not Outcome.REJECTED]
    scored = [Relevant(hit, relevance(hit.score, hit.verdict.outcome, policy)) for hit in kept]
    return sorted(scored, key=lambda item: (-item.score, item.hit.position))


def relevance(score: float, outcome: Outcome, policy: Policy) -> float:
    """The relevance score of a hit, at most `DIGITS` significant digits, above 0 and below 1.

    Args:
        score: of the ranking, not demoted; any finite number.

    Example:
        >>> relevance(1.0, Outcome.ACCEPTED, Policy.DEMOTE), relevance(1.0, Outcome.REJECTED, Policy.DEMOTE)
        (0.875, 0.375)
        >>> relevance(1.0, Outcome.REJECTED, Policy.ANNOTATE)
        0.75
    """
    if policy is Policy.ANNOTATE:
        return min(rounded(squash(score)), HIGHEST)
    if outcome is Outcome.REJECTED:
        return min(rounded(squash(score) / 2), BELOW_CUT)
    return min(rounded(CUT + squash(score) / 2), HIGHEST)


def squash(score: float) -> float:
    """The score between 0 and 1, 0.5 for 0: (1 + s / (1 + abs(s))) / 2, higher for a higher score.

    Example:
        >>> squash(-1.0), squash(0.0), squash(3.0)
        (0.25, 0.5, 0.875)
    """
    tail = 0.5 / (1 + abs(score))  # the distance to the nearer end: near 0 it would be lost in a difference
    return tail if score < 0 else 1 - tail


def rounded(number: float) -> float:
    """The number with at most `DIGITS` significant digits.

    Example:
        >>> rounded(0.123456789), rounded(1.23456789e-12)
        (0.12345679, 1.2345679e-12)
    """
    return float(f"{number:.{DIGITS}g}")
