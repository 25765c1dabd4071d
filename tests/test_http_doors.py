"""The doors as their clients know them, on a real server with the default bundle; verdicts are `Reranker.rerank`'s."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import cohere
import httpx
import numpy as np
import pytest

from plugin_server import Candidate, Reranker
from plugin_server.blob import TokenBlob

QUERY = "turn left at the church"
SAME, OTHER = "at the church, turn left", "turn right at the church"
TEXTS = [OTHER, SAME, "the church has a red door", ""]
FOREIGN = TokenBlob("00" * 8, (np.ones((4, 64), np.int8),)).text()
DOORS = [("/v2/rerank", "documents"), ("/v1/rerank", "documents"), ("/rerank?details=true", "texts")]


@pytest.fixture(scope="module")
def http(http_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=http_url, timeout=60) as client:
        yield client


def rows(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    found: list[dict[str, Any]] = body if isinstance(body, list) else body["results"]
    return found


def score(row: dict[str, Any]) -> float:
    return float(row["relevance_score"] if "relevance_score" in row else row["score"])


def stored(reranker: Reranker, text: str) -> str:
    return reranker.encode([text])[0].blob(reranker.manifest.fingerprint).text()


@pytest.mark.parametrize(("path", "field"), DOORS)
@pytest.mark.parametrize("profile", ["pairs", "passages"])
@pytest.mark.parametrize("policy", ["demote", "filter", "annotate"])
def test_verdicts_are_those_of_the_core(
    http: httpx.Client, reranker: Reranker, path: str, field: str, profile: str, policy: str
) -> None:
    found = rows(http.post(path, json={"query": QUERY, field: TEXTS, "profile": profile, "policy": policy}))
    expected = reranker.rerank(QUERY, TEXTS, profile, policy, lenient=True)
    by_index = {row["index"]: row for row in found}
    assert set(by_index) == {hit.position for hit in expected.hits}
    for hit in expected.hits:
        row = by_index[hit.position]
        assert row["verdict"] == hit.verdict.outcome.value
        assert row["threshold"] == hit.verdict.threshold
        assert row.get("probability") == pytest.approx(hit.verdict.probability, abs=1e-5)
        assert ("reason" in row) == (row["verdict"] == "unverified") == ("probability" not in row)
        if policy != "annotate":
            assert (score(row) >= 0.5) == (row["verdict"] != "rejected")
    assert [row["index"] for row in found] == [hit.position for hit in expected.hits]
    assert [score(row) for row in found] == sorted(map(score, found), reverse=True)
    assert ("rejected" in {row["verdict"] for row in found}) == (policy != "filter")


def test_scores_are_written_with_a_point_or_an_exponent(http: httpx.Client) -> None:
    huge = [{"text": text, "score": value} for text, value in zip(TEXTS, (1e30, -1e30, 0.0, 12.25), strict=True)]
    for documents in (TEXTS, huge):
        answer = http.post("/v2/rerank", json={"query": QUERY, "documents": documents})
        written = re.findall(r'"relevance_score":([^,}]+)', answer.text)
        assert len(written) == 4
        assert all(re.fullmatch(r"0\.\d+(e-\d+)?|\d(\.\d+)?e-\d+", number) for number in written), written
        assert all(len(number.partition("e")[0].replace(".", "").lstrip("0")) <= 8 for number in written)


@pytest.mark.parametrize(
    ("document", "verdict", "reason", "remark"),
    [
        (SAME, "accepted", "", "a text"),
        ({"text": SAME}, "accepted", "", "an object"),
        ({"text": SAME, "title": 7}, "accepted", "", "with keys of others"),
        ("BLOB", "accepted", "", "its blob"),
        ({"blob": "BLOB"}, "accepted", "", "its blob in an object"),
        (f"BLOB{SAME}", "accepted", "", "its blob, then its text, as OpenSearch joins fields"),
        (f"BLOB{OTHER}", "accepted", "", "the blob counts, not the text"),
        (f"{FOREIGN}{SAME}", "accepted", "", "another bundle's blob: its text is encoded"),
        (f"{FOREIGN}{OTHER}", "rejected", "", "and judged"),
        (FOREIGN, "unverified", "documents[1].blob: the token blob was made by bundle 0000000000", "no text"),
        ("", "unverified", "documents[1].text: holds no words", "a field that was not returned"),
        (None, "unverified", "documents[1].text: holds no words", "a field that is not there"),
        ({}, "unverified", "documents[1].text: holds no words", "nor in an object"),
        ("sgb1:cut", "unverified", "documents[1].blob: the token blob is not base64, or truncated", "a blob cut off"),
        ({"blob": "red"}, "unverified", "documents[1].blob: the token blob does not start with 'sgb1:'", "no blob"),
        ("x" * 200_001, "unverified", "documents[1].text: 200001 characters, the limit is 200000", "too long a text"),
        ("\ud800", "unverified", "documents[1].text: is not valid Unicode", "half a surrogate pair"),
    ],
)  # fmt: skip
def test_every_kind_of_document(
    http: httpx.Client, reranker: Reranker, document: Any, verdict: str, reason: str, remark: str
) -> None:
    body = json.dumps({"query": QUERY, "documents": [OTHER, document], "profile": "pairs", "return_documents": True})
    answer = http.post(
        "/v1/rerank",
        content=body.replace("BLOB", stored(reranker, SAME)),
        headers={"content-type": "application/json"},
    )
    first, second = sorted(rows(answer), key=lambda row: int(row["index"]))
    assert first["verdict"] == "rejected", "the document beside it is judged all the same"
    assert second["verdict"] == verdict, remark
    assert second.get("reason", "").startswith(reason), remark
    assert "sgb1:" not in second["document"]["text"] or document == "sgb1:cut"


def test_a_blob_gets_the_verdict_of_its_text(http: httpx.Client, reranker: Reranker) -> None:
    documents = [*TEXTS[:3], *(stored(reranker, text) for text in TEXTS[:3])]
    answer = http.post("/v1/verify", json={"query": QUERY, "documents": documents}).json()
    for name in ("verdict", "threshold"):
        assert answer[name][:3] == answer[name][3:]
    for name in ("probability", "relevance_score"):
        assert answer[name][:3] == pytest.approx(answer[name][3:], abs=1e-5)


def test_scores_of_the_engine_stand_for_recall(http: httpx.Client, reranker: Reranker) -> None:
    candidates = [Candidate(SAME, "a", 0.1), Candidate(SAME, "b", 9.5)]
    documents = [{"text": item.text, "id": item.id, "score": item.score} for item in candidates]
    found = rows(http.post("/v2/rerank", json={"query": QUERY, "documents": documents}))
    assert [row["index"] for row in found] == [1, 0]
    ranked = reranker.rerank(QUERY, candidates).hits
    assert [row["relevance_score"] for row in found] == pytest.approx(
        [0.5 + (1 + hit.score / (1 + abs(hit.score))) / 4 for hit in ranked], abs=1e-7
    )


@pytest.mark.parametrize(
    ("choice", "used"),
    [
        ({}, "simgate-passages"),
        ({"model": None}, "simgate-passages"),
        ({"model": "simgate"}, "simgate-passages"),
        ({"model": "simgate-pairs"}, "simgate-pairs"),
        ({"profile": "pairs"}, "simgate-pairs"),
        ({"profile": "passages", "model": "simgate-pairs"}, "simgate-passages"),
    ],
)
def test_the_profile_is_the_one_given_or_the_models(http: httpx.Client, choice: dict[str, str], used: str) -> None:
    answer = http.post("/v1/rerank", json={"query": QUERY, "documents": [SAME], **choice})
    assert answer.json()["model"] == used


def test_cohere_v2_client(http: httpx.Client, reranker: Reranker) -> None:
    client = cohere.ClientV2("key", base_url=str(http.base_url).rstrip("/"), httpx_client=http)
    answer = client.rerank(model="simgate-pairs", query=QUERY, documents=TEXTS, top_n=3, max_tokens_per_doc=100)
    expected = reranker.rerank(QUERY, TEXTS, "pairs", "demote", lenient=True).hits[:3]
    assert [item.index for item in answer.results] == [hit.position for hit in expected]
    assert [item.model_extra["verdict"] for item in answer.results] == [hit.verdict.outcome for hit in expected]
    assert answer.meta
    assert answer.meta.api_version
    assert answer.meta.api_version.version == "2"
    with pytest.raises(cohere.BadRequestError) as caught:
        client.rerank(model="rerank-v3.5", query=QUERY, documents=TEXTS)
    assert caught.value.body == {
        "message": "model: 'rerank-v3.5' is not known: choose one of simgate, simgate-pairs, simgate-passages"
    }


def test_cohere_v1_client(http: httpx.Client) -> None:
    client = cohere.Client("key", base_url=str(http.base_url).rstrip("/"), httpx_client=http)
    answer = client.rerank(
        query=QUERY, documents=[{"text": SAME}, OTHER], model="simgate", return_documents=True, rank_fields=["text"]
    )
    assert [(item.index, item.document and item.document.text) for item in answer.results] == [(0, SAME), (1, OTHER)]
    assert answer.results[0].relevance_score > 0.5 > answer.results[1].relevance_score
    plain = client.rerank(query=QUERY, documents=[SAME])
    assert plain.results[0].document is None


def test_jina_form(http: httpx.Client) -> None:
    request = {"model": "simgate", "query": QUERY, "documents": TEXTS, "top_n": 1, "return_documents": True}
    answer = http.post("/v1/rerank", json=request, headers={"Authorization": "Bearer key"}).json()
    assert answer["usage"]["total_tokens"] == 0
    assert answer["results"][0]["document"] == {"text": SAME}
    assert len(answer["results"]) == 1


def test_tei_form(http: httpx.Client) -> None:
    request = {"query": QUERY, "texts": TEXTS, "truncate": True, "truncation_direction": "right"}
    plain = http.post("/rerank", json={**request, "return_text": True}).json()
    assert [set(rank) for rank in plain] == [{"index", "score", "text"}] * 4, "some clients refuse other keys"
    assert [rank["text"] for rank in plain] == [TEXTS[rank["index"]] for rank in plain]
    raw = http.post("/rerank", json={**request, "raw_scores": True}).json()
    assert [set(rank) for rank in raw] == [{"index", "score"}] * 4
    assert [rank["index"] for rank in raw] == [rank["index"] for rank in plain]
    odds = [np.log(rank["score"] / (1 - rank["score"])) for rank in plain]
    assert [rank["score"] for rank in raw] == pytest.approx(odds, rel=1e-6), "raw scores are the others' log-odds"


@pytest.mark.parametrize("path", ["/v2/rerank", "/v1/rerank"])
def test_details_can_be_left_out(http: httpx.Client, path: str) -> None:
    found = rows(http.post(f"{path}?details=false", json={"query": QUERY, "documents": TEXTS}))
    assert [set(row) for row in found] == [{"index", "relevance_score"}] * 4


def test_verify_answers_in_the_order_of_the_documents(http: httpx.Client, reranker: Reranker) -> None:
    answer = http.post("/v1/verify", json={"query": QUERY, "documents": TEXTS, "profile": "pairs"}).json()
    verdicts = [reranker.verify(QUERY, text, "pairs") for text in TEXTS[:3]]
    assert answer["verdict"] == [*(verdict.outcome for verdict in verdicts), "unverified"]
    assert answer["probability"] == pytest.approx([*(verdict.probability for verdict in verdicts), -1.0], abs=1e-5)
    assert answer["threshold"][:3] == [verdict.threshold for verdict in verdicts]
    assert answer["reason"][:3] == [""] * 3
    assert answer["reason"][3].startswith("documents[3].text: holds no words")
    assert [score >= 0.5 for score in answer["relevance_score"]] == [name != "rejected" for name in answer["verdict"]]
