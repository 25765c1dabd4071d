"""What a door was asked to rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from plugin_server.candidate import Candidate
from plugin_server.encoder import Encoded
from plugin_server.occasion import Occasion, occasion
from plugin_server.ranking import Ranking
from plugin_server.reranker import WANTED, Reranker


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a ranking, or for verdicts.

    Attributes:
        query, candidates, profile, policy, encoded, lenient, calibration, verification, wanted: as
            `Reranker.rerank`.
        index: that was searched; empty where there is none.
        placed: candidates have no scores but those of their places.
        occasion: of the request.
        named: the candidates' name in error messages.
        queries: of the candidates, where each has its own.
    """

    query: str
    candidates: Sequence[Candidate]
    profile: str = "passages"
    policy: str = "filter"
    encoded: Encoded | None = None
    lenient: bool = False
    named: str = "candidates"
    calibration: str = ""
    verification: str = ""
    wanted: int = WANTED
    index: str = ""
    placed: bool = False
    occasion: Occasion = field(default_factory=occasion)
    queries: Sequence[str] = ()

    @property
    def size(self) -> int:
        """Characters that are held while this waits, the objects around them included."""
        return 1000 + len(self.query) + sum(200 + len(item.text) + len(item.blob) for item in self.candidates)

    def rank(self, reranker: Reranker, told: str = "") -> Ranking:
        """As `Reranker.rerank`."""
        return reranker.rerank(
            self.query,
            self.candidates,
            self.profile,
            self.policy,
            self.encoded,
            self.lenient,
            self.named,
            self.calibration,
            self.verification,
            self.wanted,
            told,
        )
