"""The client's side of the wire: arguments into requests, responses into simgate's own objects. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plugin_server import simgate_v1_pb2 as pb
from plugin_server.bundle import PROFILES as PROFILE_NAMES
from plugin_server.candidate import Candidate
from plugin_server.choices import Policy, Verification
from plugin_server.corpus import Document
from plugin_server.errors import UnknownChoice
from plugin_server.ranking import Hit, Ranking
from plugin_server.search import Question
from plugin_server.verdict import Verdict
from plugin_server.wire import OUTCOMES, POLICIES, PROFILES, VERIFICATIONS

NAMES = {number: name for name, number in PROFILES.items()}
VERIFICATION_OF = {number: name for name, number in VERIFICATIONS.items()}
OUTCOME_OF = {number: outcome for outcome, number in OUTCOMES.items()}


@dataclass(frozen=True, slots=True)
class Encoding:
    """One text, encoded by the server.

    Attributes:
        vectors: (w, recall_dimension) float32, a unit row for each window.
        blob: the token blob, for a field of the document or as ``Candidate.blob``.
    """

    vectors: NDArray[np.float32]
    blob: str


@dataclass(frozen=True, slots=True)
class Info:
    """What a server has loaded, and its limits.

    Attributes:
        version: of the server's simgate.
        bundle, fingerprint, verifier: the bundle's name, the mark its token blobs carry, its verifier's kind.
        recall_dimension, token_dimension: numbers of a recall vector and of a token row.
        window_tokens: a longer document is split into windows of so many.
        thresholds: by profile, the probability from which a candidate is accepted.
        max_candidates: candidates, pairs or texts of one request.
        max_characters, max_query_tokens: of one document, of a query.
        max_message_bytes: of one request.
        search: whether there is an engine or an index.
        previous_fingerprint: of a bundle whose blobs are read too; empty for none.
        verification: how many candidates are verified where a request does not say.
    """

    version: str
    bundle: str
    fingerprint: str
    verifier: str
    recall_dimension: int
    token_dimension: int
    window_tokens: int
    thresholds: dict[str, float]
    max_candidates: int
    max_characters: int
    max_query_tokens: int
    max_message_bytes: int
    search: bool
    previous_fingerprint: str = ""
    verification: str = "full"


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A document that a search found: its verdict, its score, and its rank in dense search, from 0."""

    document: Document
    verdict: Verdict
    score: float
    position: int


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits best first, what the policy dropped, nearest first, and why hits may be missing, empty for no reason."""

    hits: tuple[SearchHit, ...]
    dropped: tuple[SearchHit, ...]
    incomplete: str = ""


def profile_number(name: str) -> pb.Profile:
    """The number of a profile on the wire.

    Raises:
        UnknownChoice: there is none of that name.
    """
    if name not in PROFILES:
        raise UnknownChoice("profile", name, list(PROFILE_NAMES))
    return PROFILES[name]


def verification_number(name: str) -> pb.Verification:
    """The number on the wire of a verification's name, 0 for the server's default.

    Raises:
        UnknownChoice: there is no such verification.
    """
    return VERIFICATIONS[Verification.of(name)] if name else pb.VERIFICATION_UNSPECIFIED


def candidate_message(given: str | Candidate) -> pb.Candidate:
    """The candidate as a message; a bare text has neither id nor score."""
    candidate = Candidate(given) if isinstance(given, str) else given
    return pb.Candidate(id=candidate.id, text=candidate.text, blob=candidate.blob, score=candidate.score)


def rerank_request(
    query: str,
    candidates: Sequence[str | Candidate],
    profile: str,
    policy: str,
    top_n: int,
    calibration: str = "",
    verification: str = "",
) -> pb.RerankRequest:
    """The request; a `top_n` of 0 asks for all.

    Raises:
        UnknownChoice: there is no such profile or policy.
    """
    return pb.RerankRequest(
        query=query,
        candidates=[candidate_message(candidate) for candidate in candidates],
        profile=profile_number(profile),
        policy=POLICIES[Policy.of(policy)],
        top_n=top_n,
        calibration=calibration,
        verification=verification_number(verification),
    )


def verify_request(pairs: Sequence[tuple[str, str]], profile: str, calibration: str = "") -> pb.VerifyRequest:
    """The request for verdicts on (query, document).

    Raises:
        UnknownChoice: there is no such profile.
    """
    listed = [pb.Pair(query=query, document=document) for query, document in pairs]
    return pb.VerifyRequest(pairs=listed, profile=profile_number(profile), calibration=calibration)


def search_request(question: Question) -> pb.SearchRequest:
    """The request.

    Raises:
        UnknownChoice: there is no such profile or policy.
    """
    return pb.SearchRequest(
        query=question.query,
        k=question.k,
        top_n=question.top_n,
        profile=profile_number(question.profile),
        policy=POLICIES[Policy.of(question.policy)],
        index=question.index,
        filter=json.dumps(question.filter) if question.filter else "",
        recall_query=json.dumps(question.recall_query) if question.recall_query else "",
        hybrid=question.hybrid,
        calibration=question.calibration,
        verification=verification_number(question.verification),
    )


def verdict_of(message: pb.Verdict) -> Verdict:
    """The verdict that a message describes; what is absent is None."""
    return Verdict(
        OUTCOME_OF[message.outcome],
        message.probability if message.HasField("probability") else None,
        message.threshold,
        NAMES[message.profile],
        message.maxsim if message.HasField("maxsim") else None,
        message.window,
        tuple(message.unmatched),
        message.reason,
        message.calibration,
    )


def ranking_of(response: pb.RerankResponse, candidates: Sequence[str | Candidate]) -> Ranking:
    """The ranking, each hit with the candidate as it was sent."""
    sent = [Candidate(given) if isinstance(given, str) else given for given in candidates]

    def hit(message: pb.Hit) -> Hit:
        return Hit(sent[message.index], verdict_of(message.verdict), message.score, message.index)

    return Ranking(tuple(map(hit, response.hits)), tuple(map(hit, response.dropped)))


def encoding_of(message: pb.Encoding) -> Encoding:
    """The encoding that a message describes."""
    return Encoding(np.array([vector.values for vector in message.vectors], np.float32), message.blob)


def info_of(message: pb.InfoResponse) -> Info:
    """What the server has loaded, from its response."""
    return Info(
        message.version,
        message.bundle,
        message.fingerprint,
        message.verifier,
        message.recall_dimension,
        message.token_dimension,
        message.window_tokens,
        {NAMES[item.profile]: item.threshold for item in message.profiles},
        message.max_candidates,
        message.max_characters,
        message.max_query_tokens,
        message.max_message_bytes,
        message.search,
        message.previous_fingerprint,
        VERIFICATION_OF.get(message.verification, Verification.FULL).value,  # older servers do not say
    )


def search_hit_of(message: pb.Found) -> SearchHit:
    """The hit that a message describes."""
    extra = json.loads(message.extra) if message.extra else {}
    document = Document(message.id, message.text, message.title, extra)
    return SearchHit(document, verdict_of(message.verdict), message.score, message.index)


def search_result_of(response: pb.SearchResponse) -> SearchResult:
    """The hits and what was dropped, from the response."""
    hits, dropped = tuple(map(search_hit_of, response.hits)), tuple(map(search_hit_of, response.dropped))
    return SearchResult(hits, dropped, response.incomplete)
