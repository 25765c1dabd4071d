"""Lenient reranking: what is wrong with one candidate stays with it, and observers learn of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pytest

from plugin_server import Bundle, Candidate, Outcome, Reranker, Settings, Verdict
from plugin_server.blob import TokenBlob
from plugin_server.errors import (
    BlobMalformed,
    BlobOfOtherBundle,
    DuplicateId,
    EmptyText,
    InvalidRequest,
    InvalidText,
    NoCandidates,
    OverLimit,
)
from plugin_server.gather import Gathered
from plugin_server.metrics import MAX_WARNINGS, Metrics

QUERY, TEXT = "which bus leaves at ten", "The last bus leaves at ten."
FOREIGN = TokenBlob("00" * 8, (np.ones((4, 64), np.int8),)).text()
FAULTS: list[tuple[Candidate, type[InvalidRequest], str]] = [
    (Candidate(""), EmptyText, "given[1].text: holds no words"),
    (Candidate(" \t"), EmptyText, "given[1].text: holds no words"),
    (Candidate("\ud800"), InvalidText, "given[1].text: is not valid Unicode"),
    (Candidate("x" * 200_001), OverLimit, "given[1].text: 200001 characters, the limit is 200000"),
    (Candidate("sgb1:cut"), BlobMalformed, "given[1].text: the token blob is not base64"),
    (Candidate(blob="red"), BlobMalformed, "given[1].blob: the token blob does not start"),
]


@pytest.mark.parametrize(("candidate", "kind", "reason"), FAULTS, ids=[case[2] for case in FAULTS])
def test_a_fault_stays_with_its_candidate(
    tiny_reranker: Reranker, candidate: Candidate, kind: type[InvalidRequest], reason: str
) -> None:
    given = [TEXT, candidate, TEXT]
    with pytest.raises(kind):
        tiny_reranker.rerank(QUERY, given)
    ranking = tiny_reranker.rerank(QUERY, given, policy="annotate", lenient=True, field="given")
    by_place = {hit.position: hit.verdict for hit in ranking.hits}
    assert by_place[1].outcome is Outcome.UNVERIFIED
    assert by_place[1].reason.startswith(reason)
    assert by_place[0] == by_place[2] == tiny_reranker.rerank(QUERY, [TEXT], policy="annotate").hits[0].verdict


def test_equal_faults_name_their_own_fields(tiny_reranker: Reranker) -> None:
    hits = tiny_reranker.rerank(QUERY, ["", "", ""], lenient=True).hits
    assert [hit.verdict.reason[:18] for hit in hits] == [f"candidates[{number}].text" for number in range(3)]


@pytest.mark.parametrize(
    ("query", "given", "kind", "remark"),
    [
        ("", [TEXT], EmptyText, "without a query there is nothing to judge by"),
        (QUERY, [], NoCandidates, "nor without candidates"),
        (QUERY, [TEXT] * 1001, OverLimit, "too many are the request's fault"),
        (QUERY, [Candidate(TEXT, "1"), Candidate(TEXT, "1")], DuplicateId, "so is an id twice"),
    ],
)
def test_faults_of_the_request_are_raised(
    tiny_reranker: Reranker, query: str, given: list[str | Candidate], kind: type[InvalidRequest], remark: str
) -> None:
    with pytest.raises(kind):
        tiny_reranker.rerank(query, given, lenient=True)


BROKEN = [
    (Candidate(TEXT, blob="sgb1:cut"), "cut off"),
    (Candidate(TEXT, blob="red"), "no blob at all"),
    (Candidate(TEXT, blob="sgb1:AAAA"), "altered"),
]


@pytest.mark.parametrize(("candidate", "remark"), BROKEN, ids=[row[1] for row in BROKEN])
def test_a_text_is_encoded_in_place_of_a_malformed_blob(
    tiny: Bundle, tiny_reranker: Reranker, candidate: Candidate, remark: str
) -> None:
    metrics = Metrics(tiny_reranker.manifest.fingerprint)
    wanted = tiny_reranker.rerank(QUERY, [TEXT], policy="annotate").hits[0].verdict
    (hit,) = tiny_reranker.observed(metrics.observe).rerank(QUERY, [candidate], policy="annotate", lenient=True).hits
    assert hit.verdict == wanted
    written = metrics.text().decode()
    assert 'simgate_blobs_total{bundle="malformed"} 1.0' in written
    assert 'simgate_unverified_total{cause="malformed_blob"} 0.0' in written
    with pytest.raises(BlobMalformed):
        tiny_reranker.rerank(QUERY, [candidate])
    for choice in ("unverified", "refuse"):
        other = Reranker(tiny, Settings(threads=1, on_mismatch=choice))
        (hit,) = other.rerank(QUERY, [candidate], policy="annotate", lenient=True).hits
        assert hit.verdict.outcome is Outcome.UNVERIFIED


def test_a_blob_of_the_right_bundle_and_another_width_gives_way_to_its_text(tiny_reranker: Reranker) -> None:
    blob = TokenBlob(tiny_reranker.manifest.fingerprint, (np.ones((4, 8), np.int8),)).text()
    (hit,) = tiny_reranker.rerank(QUERY, [Candidate(TEXT, blob=blob)], policy="annotate", lenient=True).hits
    assert hit.verdict == tiny_reranker.rerank(QUERY, [TEXT], policy="annotate").hits[0].verdict


def test_another_bundles_blob_is_refused_even_so(tiny: Bundle) -> None:
    with pytest.raises(BlobOfOtherBundle):
        Reranker(tiny, Settings(threads=1, on_mismatch="refuse")).rerank(QUERY, [FOREIGN], lenient=True)


def test_an_observer_sees_every_verdict(tiny_reranker: Reranker) -> None:
    seen: list[tuple[str, Outcome, str]] = []

    def observe(documents: Sequence[Gathered], verdicts: Sequence[Verdict], policy: str) -> None:
        for document, verdict in zip(documents, verdicts, strict=True):
            seen.append((type(document.fault).__name__, verdict.outcome, document.fingerprint))

    fingerprint = tiny_reranker.manifest.fingerprint
    blob = tiny_reranker.encode([TEXT])[0].blob(fingerprint).text()
    watched = tiny_reranker.observed(observe)
    hits = watched.rerank(QUERY, [blob, Candidate(TEXT, blob=FOREIGN), "", FOREIGN], policy="annotate", lenient=True)
    fate = {hit.position: hit.verdict.outcome for hit in hits.hits}
    assert seen == [
        ("NoneType", fate[0], fingerprint),
        ("NoneType", fate[1], "00" * 8),
        ("EmptyText", Outcome.UNVERIFIED, ""),
        ("BlobOfOtherBundle", Outcome.UNVERIFIED, "00" * 8),
    ]
    watched.verify_pairs([(QUERY, TEXT)] * 2)
    assert len(seen) == 6
    tiny_reranker.verify(QUERY, TEXT)
    assert len(seen) == 6, "the reranker it was made from is not watched"


def test_a_number_of_warnings_is_enough(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics("aa" * 8)
    verdict = Verdict(Outcome.UNVERIFIED, None, 0.5, "passages")
    for number in range(3 * MAX_WARNINGS):
        metrics.observe([Gathered(fingerprint=f"{number:016x}")] * 2, [verdict] * 2)
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == MAX_WARNINGS
    written = metrics.text().decode()
    assert f'simgate_blobs_total{{bundle="other"}} {6.0 * MAX_WARNINGS}' in written
    assert f'simgate_unverified_total{{cause="failure"}} {6.0 * MAX_WARNINGS}' in written
