"""The core's work for a door, done on a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from plugin_server.candidate import Candidate
from plugin_server.choices import Policy
from plugin_server.core import Core
from plugin_server.http.document import Document
from plugin_server.http.request import Question
from plugin_server.ranking import recall_at
from plugin_server.relevance import Relevant, rerank, verify
from plugin_server.reranker import WANTED, Reranker


class Worker:
    """The core as doors use it: the event loop only waits."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @property
    def reranker(self) -> Reranker:
        """The reranker of the request that is served."""
        return self._core.reranker

    async def rerank(
        self,
        question: Question,
        documents: Sequence[Document],
        policy: str,
        field: str,
        ranked: bool = False,
        top_n: int | None = None,
    ) -> list[Relevant]:
        """The documents that the policy keeps, most relevant first; one that cannot be read is unverified.

        Args:
            field: the documents' name in the request, for error messages.
            top_n: documents that the answer will have; None for all.
            ranked: the documents come best first, and where they have no scores their places stand for recall.

        Raises:
            InvalidRequest: as `Reranker.rerank` does when it is lenient; or the model is not known.
        """
        profile, rule = question.chosen_profile(), Policy.of(policy)
        candidates, placed = candidates_of(documents, ranked)
        return await self._core.run(
            rerank,
            self.reranker,
            question.query,
            candidates,
            profile,
            rule,
            field,
            question.calibration or "",
            question.verification or "",
            top_n or WANTED,
            placed,
            self._core.shadow,
        )

    async def verify(
        self, question: Question, documents: Sequence[Document], field: str, ranked: bool = False
    ) -> list[Relevant]:
        """The documents in their order, with what is said of each.

        Args:
            field, ranked: as `rerank`.

        Raises:
            InvalidRequest: as `rerank`.
        """
        profile = question.chosen_profile()
        candidates, placed = candidates_of(documents, ranked)
        return await self._core.run(
            verify,
            self.reranker,
            question.query,
            candidates,
            profile,
            field,
            question.calibration or "",
            question.verification or "",
            placed,
            self._core.shadow,
        )


def candidates_of(documents: Sequence[Document], ranked: bool) -> tuple[list[Candidate], bool]:
    """The documents as candidates, and whether their scores are only their places'."""
    candidates = [document.candidate() for document in documents]
    if not ranked or all(candidate.score is not None for candidate in candidates):
        return candidates, False
    return [replace(item, score=recall_at(place)) for place, item in enumerate(candidates)], True
