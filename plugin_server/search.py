"""Query in, dense hits and their ranking out: the straight line over an index."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plugin_server.asked import Asked
from plugin_server.candidate import Candidate
from plugin_server.choices import Policy, Verification
from plugin_server.depth import too_deep
from plugin_server.encoder import Encoded
from plugin_server.errors import CallerGone, DeadlinePassed, InvalidField, InvalidRequest, OverLimit, VerificationFailed
from plugin_server.index import Found, Index
from plugin_server.ranking import Hit, Ranking
from plugin_server.reranker import Reranker
from plugin_server.verdict import FAILED

if TYPE_CHECKING:
    from plugin_server.shadow.mode import Shadow

log = logging.getLogger(__name__)

#: Dense hits verified when not told otherwise: enough for the right document to be among them, and verifying is cheap.
DEFAULT_K = 100
DEFAULT_TOP_N = 10


@dataclass(frozen=True, slots=True)
class Question:
    """A search.

    Attributes:
        query: 1 to ``max_query_tokens`` tokens.
        k: dense hits to verify, 1 to ``max_candidates``.
        top_n: hits to return, at least 1.
        profile, policy: as in `Reranker.rerank`.
        index: name, alias or pattern in the engine; these four are empty with the embedded index.
        filter: a query in the engine's DSL that hits must match.
        recall_query: a query in place of the dense one; its scores are taken as they are.
        hybrid: words (BM25) beside vectors.
        calibration: name of the one that hits are held against; empty for the one named like the index.
        verification: as in `Reranker.rerank`; a cascade ends when `top_n` hits are accepted.
    """

    query: str
    k: int = DEFAULT_K
    top_n: int = DEFAULT_TOP_N
    profile: str = "passages"
    policy: str = "filter"
    index: str = ""
    filter: dict[str, Any] | None = None
    recall_query: dict[str, Any] | None = None
    hybrid: bool = False
    calibration: str = ""
    verification: str = ""

    @property
    def dense(self) -> bool:
        """Whether scores are those of vectors alone."""
        return self.recall_query is None and not self.hybrid

    def check(self, reranker: Reranker) -> None:
        """Nothing, if the reranker can do what is asked.

        Raises:
            InvalidRequest: something is unknown or out of range; the message names the field.
        """
        if self.top_n < 1:
            raise InvalidField(f"top_n: {self.top_n} is below 1: give a whole number of at least 1")
        if self.k < 1:
            raise InvalidField(f"k: {self.k} is below 1: give a whole number of at least 1")
        limit = reranker.settings.max_candidates
        if self.k > limit:
            raise OverLimit("k", self.k, limit, "candidates", "ask for fewer, or raise max_candidates")
        for name, query in (("filter", self.filter), ("recall_query", self.recall_query)):
            if too_deep(query):
                raise InvalidField(f"{name}: is nested too deeply: no engine takes it")
        if self.hybrid and self.recall_query is not None:
            raise InvalidField("hybrid: excludes recall_query: give one of them")
        reranker.manifest.profile(self.profile)
        Policy.of(self.policy)
        Verification.of(self.verification or reranker.settings.verification)
        reranker.calibrations.chosen(self.calibration, self.profile)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search returned.

    Attributes:
        query: as it was asked.
        recall: what dense search found, nearest first, every verified hit.
        ranking: at most ``top_n`` hits, and everything the policy dropped.
        incomplete: why hits may be missing, as when a part of the engine failed; else empty.
    """

    query: str
    recall: tuple[Found, ...]
    ranking: Ranking
    incomplete: str = ""

    def found(self, hit: Hit) -> Found:
        """The document behind a hit of the ranking; ``hit.position`` is its rank in dense search, from 0."""
        return self.recall[hit.position]


class Searcher:
    """Dense search in the embedded index; of a search only the query is encoded, the documents' blobs are there.

    Args:
        reranker: of the bundle that made the index.
        index: opened with the reranker's manifest.
        shadow: of shadow mode.
    """

    def __init__(self, reranker: Reranker, index: Index, shadow: Shadow | None = None) -> None:
        self.reranker = reranker
        self.index = index
        self.shadow = shadow

    def search(self, question: Question) -> Answer:
        """The nearest documents, verified and ranked; nothing from an empty index.

        Raises:
            InvalidRequest: something is empty, too long, unknown or out of range; the message names the field.
            IndexFailure: the index cannot be read.
        """
        question.check(self.reranker)
        if question.index or question.filter or not question.dense:
            raise InvalidField(
                "index, filter, recall_query, hybrid: are for a search engine: start with --engine, or leave them out"
            )
        encoded = self.reranker.encoder.query(question.query)
        recall = tuple(self.index.search(encoded.vectors[0], question.k))
        return verified(self.reranker, question, encoded, recall, self.shadow)


def verified(
    reranker: Reranker, question: Question, encoded: Encoded, recall: tuple[Found, ...], shadow: Shadow | None = None
) -> Answer:
    """The answer to a question whose dense hits are known; a hit that cannot be read is unverified.

    Args:
        encoded: the question's query.
        shadow: of shadow mode: the answer is in the order of recall.

    Raises:
        InvalidRequest: as `Reranker.rerank`.
        VerificationFailed: the verifier failed, and the settings' ``on_failure`` is ``closed``.
    """
    if not recall:
        return Answer(question.query, (), Ranking((), ()))
    candidates = [Candidate(item.document.text, item.document.id, item.score, item.blob) for item in recall]
    held = reranker.calibrations.name_for(question.calibration, question.profile, question.index)
    asked = Asked(
        question.query, candidates, question.profile, question.policy, encoded, lenient=True, calibration=held,
        verification=question.verification, wanted=question.top_n, index=question.index,
    )  # fmt: skip
    try:
        ranking = shadow.rerank(reranker, asked) if shadow else asked.rank(reranker)
    except (InvalidRequest, CallerGone, DeadlinePassed):
        raise
    except Exception as error:
        if reranker.settings.on_failure == "closed":
            raise VerificationFailed(FAILED) from error
        log.exception("verification failed: hits are returned unverified")
        ranking = reranker.unverified(candidates, question.profile, FAILED, held, question.policy)
    return Answer(question.query, recall, Ranking(ranking.hits[: question.top_n], ranking.dropped))
