"""Query in, dense hits and their ranking out: the straight line over the embedded index."""

from __future__ import annotations

from dataclasses import dataclass

from plugin_server.candidate import Candidate
from plugin_server.encoder import Encoded
from plugin_server.errors import InvalidField, OverLimit
from plugin_server.index import Found, Index
from plugin_server.ranking import Hit, Policy, Ranking
from plugin_server.reranker import Reranker

#: Dense hits verified when not told otherwise: enough for the right document to be among them, and verifying is cheap.
DEFAULT_K = 100
DEFAULT_TOP_N = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search returned.

    Attributes:
        query: as it was asked.
        recall: what dense search found, nearest first, every verified hit.
        ranking: at most ``top_n`` hits, and everything the policy dropped.
    """

    query: str
    recall: tuple[Found, ...]
    ranking: Ranking

    def found(self, hit: Hit) -> Found:
        """The document behind a hit of the ranking; ``hit.position`` is its rank in dense search, from 0."""
        return self.recall[hit.position]


class Searcher:
    """Dense search with verification; of a search only the query is encoded, the documents' blobs are in the index.

    Args:
        reranker: of the bundle that made the index.
        index: opened with the reranker's manifest.
    """

    def __init__(self, reranker: Reranker, index: Index) -> None:
        self.reranker = reranker
        self.index = index

    def search(
        self,
        query: str,
        k: int = DEFAULT_K,
        top_n: int = DEFAULT_TOP_N,
        profile: str = "passages",
        policy: str = "filter",
    ) -> Answer:
        """The nearest documents, verified and ranked; nothing from an empty index.

        Args:
            query: 1 to ``max_query_tokens`` tokens.
            k: dense hits to verify, 1 to ``max_candidates``.
            top_n: hits to return, at least 1.
            profile, policy: as in `Reranker.rerank`.

        Raises:
            InvalidRequest: something is empty, too long, unknown or out of range; the message names the field.
            IndexFailure: the index cannot be read.
        """
        if top_n < 1:
            raise InvalidField(f"top_n: {top_n} is below 1: give a whole number of at least 1")
        limit = self.reranker.settings.max_candidates
        if k > limit:
            raise OverLimit("k", k, limit, "candidates", "ask for fewer, or raise max_candidates")
        self.reranker.manifest.profile(profile)
        Policy.of(policy)
        encoded = self.reranker.encoder.query(query)
        recall = tuple(self.index.search(encoded.vectors[0], k))
        return verified(self.reranker, query, encoded, recall, top_n, profile, policy)


def verified(
    reranker: Reranker,
    query: str,
    encoded: Encoded,
    recall: tuple[Found, ...],
    top_n: int,
    profile: str,
    policy: str,
) -> Answer:
    """The answer to a query whose dense hits are known; its encoding is used again.

    Raises:
        InvalidRequest: as `Reranker.rerank`.
    """
    if not recall:
        return Answer(query, (), Ranking((), ()))
    candidates = [Candidate(item.document.text, item.document.id, item.score, item.blob) for item in recall]
    ranking = reranker.rerank(query, candidates, profile, policy, encoded)
    return Answer(query, recall, Ranking(ranking.hits[:top_n], ranking.dropped))
