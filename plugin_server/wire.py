"""The server's side of the wire: requests into simgate's own objects, those into responses. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Sequence

from plugin_server import simgate_v1_pb2 as pb
from plugin_server.bundle import Manifest
from plugin_server.candidate import Candidate
from plugin_server.choices import Policy, Verification
from plugin_server.encoder import Encoded
from plugin_server.errors import UnknownChoice
from plugin_server.jsonlines import object_of
from plugin_server.ranking import Hit, Ranking
from plugin_server.search import DEFAULT_K, DEFAULT_TOP_N, Answer, Question
from plugin_server.settings import Settings
from plugin_server.verdict import Outcome, Verdict

#: Both directions of the enums; what stands for unspecified depends on the method.
PROFILES = {"pairs": pb.PROFILE_PAIRS, "passages": pb.PROFILE_PASSAGES}
POLICIES = {Policy.FILTER: pb.POLICY_FILTER, Policy.DEMOTE: pb.POLICY_DEMOTE, Policy.ANNOTATE: pb.POLICY_ANNOTATE}
VERIFICATIONS = {
    Verification.FULL: pb.VERIFICATION_FULL,
    Verification.CASCADE: pb.VERIFICATION_CASCADE,
    Verification.LIGHT: pb.VERIFICATION_LIGHT,
}
OUTCOMES = {
    Outcome.ACCEPTED: pb.OUTCOME_ACCEPTED,
    Outcome.REJECTED: pb.OUTCOME_REJECTED,
    Outcome.UNVERIFIED: pb.OUTCOME_UNVERIFIED,
}


def profile_of(number: int, default: str) -> str:
    """The profile's name for its number on the wire, `default` for 0.

    Raises:
        UnknownChoice: the number is not a profile's; proto3 lets any through.

    Example:
        >>> profile_of(1, "passages"), profile_of(0, "passages")
        ('pairs', 'passages')
    """
    names = {int(pb.PROFILE_UNSPECIFIED): default} | {int(value): name for name, value in PROFILES.items()}
    if number not in names:
        raise UnknownChoice("profile", str(number), pb.Profile.keys())
    return names[number]


def policy_of(number: int) -> Policy:
    """The policy for its number on the wire, filter for 0.

    Raises:
        UnknownChoice: the number is not a policy's.
    """
    policies = {int(pb.POLICY_UNSPECIFIED): Policy.FILTER} | {int(value): policy for policy, value in POLICIES.items()}
    if number not in policies:
        raise UnknownChoice("policy", str(number), pb.Policy.keys())
    return policies[number]


def verification_of(number: int) -> str:
    """The name of the verification for its number on the wire, empty for 0.

    Raises:
        UnknownChoice: the number is not a verification's.
    """
    names = {int(pb.VERIFICATION_UNSPECIFIED): ""} | {int(value): name.value for name, value in VERIFICATIONS.items()}
    if number not in names:
        raise UnknownChoice("verification", str(number), pb.Verification.keys())
    return names[number]


def candidate_of(message: pb.Candidate) -> Candidate:
    """The candidate that a message describes; an absent score is None, not 0."""
    score = message.score if message.HasField("score") else None
    return Candidate(message.text, message.id, score, message.blob)


def verdict_message(verdict: Verdict) -> pb.Verdict:
    """The verdict as a message; what is None is absent."""
    return pb.Verdict(
        outcome=OUTCOMES[verdict.outcome],
        probability=verdict.probability,
        threshold=verdict.threshold,
        profile=PROFILES[verdict.profile],
        maxsim=verdict.maxsim,
        window=verdict.window,
        unmatched=verdict.unmatched,
        reason=verdict.reason,
        calibration=verdict.calibration,
    )


def hit_message(hit: Hit) -> pb.Hit:
    """The hit as a message; the candidate's text stays with the caller, who sent it."""
    return pb.Hit(id=hit.candidate.id, index=hit.position, score=hit.score, verdict=verdict_message(hit.verdict))


def rerank_response(ranking: Ranking, top_n: int, fingerprint: str) -> pb.RerankResponse:
    """The ranking as a response, cut to the best `top_n` hits; 0 for all."""
    return pb.RerankResponse(
        hits=[hit_message(hit) for hit in ranking.hits[: top_n or None]],
        dropped=[hit_message(hit) for hit in ranking.dropped],
        fingerprint=fingerprint,
    )


def verify_response(verdicts: Sequence[Verdict], fingerprint: str) -> pb.VerifyResponse:
    """The verdicts as a response, in their order."""
    return pb.VerifyResponse(verdicts=[verdict_message(verdict) for verdict in verdicts], fingerprint=fingerprint)


def encoding_message(encoded: Encoded, fingerprint: str) -> pb.Encoding:
    """One encoded text as a message: a recall vector for each window, and the blob of all."""
    vectors = [pb.Vector(values=row.tolist()) for row in encoded.vectors]
    return pb.Encoding(vectors=vectors, blob=encoded.blob(fingerprint).text())


def encode_response(texts: Sequence[Encoded], fingerprint: str) -> pb.EncodeResponse:
    """The encoded texts as a response, in their order."""
    return pb.EncodeResponse(encodings=[encoding_message(text, fingerprint) for text in texts], fingerprint=fingerprint)


def found_message(hit: Hit, answer: Answer) -> pb.Found:
    """The hit as a message, with the document behind it."""
    document = answer.found(hit).document
    return pb.Found(
        id=document.id,
        title=document.title,
        text=document.text,
        index=hit.position,
        score=hit.score,
        verdict=verdict_message(hit.verdict),
        extra=json.dumps(document.extra) if document.extra else "",
    )


def question_of(request: pb.SearchRequest, index: str = "") -> Question:
    """The search that a request describes.

    Args:
        index: when the request names none.

    Raises:
        InvalidRequest: the profile or policy is not known, or a query in it is no JSON object.
    """
    return Question(
        request.query,
        request.k or DEFAULT_K,
        request.top_n or DEFAULT_TOP_N,
        profile_of(request.profile, "passages"),
        policy_of(request.policy),
        request.index or index,
        object_of("filter", request.filter),
        object_of("recall_query", request.recall_query),
        request.hybrid,
        request.calibration,
        verification_of(request.verification),
    )


def search_response(answer: Answer, fingerprint: str) -> pb.SearchResponse:
    """The answer as a response, hits and dropped documents with their texts."""
    return pb.SearchResponse(
        hits=[found_message(hit, answer) for hit in answer.ranking.hits],
        dropped=[found_message(hit, answer) for hit in answer.ranking.dropped],
        fingerprint=fingerprint,
        incomplete=answer.incomplete,
    )


def info_response(
    manifest: Manifest,
    settings: Settings,
    version: str,
    max_query_tokens: int,
    max_message_bytes: int,
    search: bool,
    previous_fingerprint: str = "",
) -> pb.InfoResponse:
    """What is loaded and the limits.

    Args:
        version: of simgate.
        max_query_tokens: the encoder's, which the bundle may lower below the setting.
        max_message_bytes: of one request.
        search: whether there is an engine or an index.
        previous_fingerprint: of the bundle whose blobs are read too.
    """
    profiles = [
        pb.ProfileInfo(profile=PROFILES[name], threshold=profile.threshold)
        for name, profile in manifest.profiles.items()
    ]
    return pb.InfoResponse(
        version=version,
        bundle=manifest.name,
        fingerprint=manifest.fingerprint,
        verifier=manifest.verifier,
        recall_dimension=manifest.recall_dimension,
        token_dimension=manifest.token_dimension,
        window_tokens=manifest.window_tokens,
        profiles=profiles,
        max_candidates=settings.max_candidates,
        max_characters=settings.max_characters,
        max_query_tokens=max_query_tokens,
        max_message_bytes=max_message_bytes,
        search=search,
        previous_fingerprint=previous_fingerprint,
        verification=VERIFICATIONS[Verification(settings.verification)],
    )
