"""The packaged demonstration: a small corpus full of near-misses, questions about it, and how each was answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugin_server.jsonlines import read_lines
from plugin_server.ranking import Hit
from plugin_server.search import Answer, Searcher
from plugin_server.search import Question as Asked

CORPUS = Path(__file__).parent / "demo_corpus.jsonl"
QUERIES = Path(__file__).parent / "demo_queries.jsonl"


@dataclass(frozen=True, slots=True)
class Question:
    """A query with the ids of the documents that answer it, and of those that only look as if they did.

    Attributes:
        expected: empty where the corpus holds no answer, so that nothing should be kept.
        note: what the near-misses differ in.
    """

    query: str
    profile: str
    expected: tuple[str, ...]
    near_misses: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Result:
    """A question and its answer."""

    question: Question
    answer: Answer

    @property
    def dense(self) -> list[str]:
        """Ids of what dense search found, nearest first."""
        return [item.document.id for item in self.answer.recall]

    @property
    def kept(self) -> list[str]:
        """Ids of what simgate kept, best first."""
        return [hit.candidate.id for hit in self.answer.ranking.hits]

    @property
    def dropped(self) -> list[str]:
        """Ids of what simgate dropped, in dense search's order."""
        return [hit.candidate.id for hit in self.answer.ranking.dropped]

    @property
    def right_before(self) -> bool:
        """Whether dense search put a right document first."""
        return self._right(self.dense)

    @property
    def right_after(self) -> bool:
        """Whether simgate did; where there is no right document, whether it kept nothing."""
        return self._right(self.kept)

    @property
    def near_misses_dropped(self) -> int:
        """How many of the question's near-misses simgate dropped."""
        return len(set(self.question.near_misses) & set(self.dropped))

    @property
    def near_misses_found(self) -> int:
        """How many of the question's near-misses dense search found."""
        return len(set(self.question.near_misses) & set(self.dense))

    @property
    def lost(self) -> int:
        """How many right documents simgate dropped."""
        return len(set(self.question.expected) & set(self.dropped))

    def kind(self, identity: str) -> str:
        """``right``, ``near-miss`` or, for any other document, nothing."""
        if identity in self.question.expected:
            return "right"
        return "near-miss" if identity in self.question.near_misses else ""

    def told(self, dense: int, kept: int) -> Iterator[tuple[int | None, Hit]]:
        """The hits worth showing in dense search's order, each with its new rank, None if dropped.

        They are the first of dense search, the first kept ones, and every right document and near-miss.
        """
        ranks = {hit.position: rank for rank, hit in enumerate(self.answer.ranking.hits, 1)}
        hits = (*self.answer.ranking.hits, *self.answer.ranking.dropped)
        for hit in sorted(hits, key=lambda hit: hit.position):
            rank = ranks.get(hit.position)
            if hit.position < dense or (rank and rank <= kept) or self.kind(hit.candidate.id):
                yield rank, hit

    def _right(self, ids: list[str]) -> bool:
        if not self.question.expected:
            return not ids
        return bool(ids) and ids[0] in self.question.expected


def questions() -> list[Question]:
    """The packaged questions."""
    with QUERIES.open("rb") as stream:
        return [_question(line.value) for line in read_lines(stream)]


def ask(searcher: Searcher, question: Question) -> Result:
    """The question, answered with everything that was kept."""
    limit = searcher.reranker.settings.max_candidates
    return Result(question, searcher.search(Asked(question.query, min(100, limit), limit, question.profile)))


def _question(value: dict[str, Any]) -> Question:
    return Question(
        value["query"], value["profile"], tuple(value["expected"]), tuple(value["near_misses"]), value["note"]
    )
