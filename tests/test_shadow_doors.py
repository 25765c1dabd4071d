"""Shadow mode by every door of a real server: results are as sent, and verdicts, which are `Reranker`'s, recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
from conftest import DOCUMENTS, Run
from gated import Gated
from shadowing import REASON, Shadowed, fates, records, shadowed

from plugin_server import Candidate, Reranker, tei_v1_pb2, tei_v1_pb2_grpc
from plugin_server import simgate_v1_pb2 as pb
from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server.backend import Source
from plugin_server.blob import TokenBlob
from plugin_server.client import Client
from plugin_server.index import Index
from plugin_server.ranking import Ranking
from plugin_server.search import Question
from plugin_server.shadow.mode import MOST, MOST_CHARACTERS
from plugin_server.shadow.record import digest
from plugin_server.visit import current

QUERY = "turn left at the church"
SAME, OTHER = "at the church, turn left", "turn right at the church"
TEXTS = [OTHER, "the church has a red door", SAME, ""]
FOREIGN = TokenBlob("00" * 8, (np.ones((4, 64), np.int8),)).text()
DOORS = [
    ("/v2/rerank", "documents", "relevance_score"),
    ("/v1/rerank", "documents", "relevance_score"),
    ("/rerank?details=true", "texts", "score"),
]


@pytest.fixture
def beside(reranker: Reranker, server_index: Index, run: Run, tmp_path: Path) -> Iterator[Shadowed]:
    with shadowed(reranker, run, tmp_path / "shadow.jsonl", Source(server_index)) as made:
        yield made


def wanted(ranking: Ranking) -> list[tuple[int, str, int | None]]:
    kept = [(hit.position, hit.verdict.outcome.value, place) for place, hit in enumerate(ranking.hits)]
    return sorted(kept + [(hit.position, hit.verdict.outcome.value, None) for hit in ranking.dropped])


@pytest.mark.parametrize(("path", "field", "key"), DOORS)
@pytest.mark.parametrize("policy", ["demote", "filter", "annotate"])
def test_http_rerank_keeps_the_order_sent(
    beside: Shadowed, reranker: Reranker, path: str, field: str, key: str, policy: str
) -> None:
    body = {"query": QUERY, field: TEXTS, "policy": policy, "profile": "pairs"}
    answer = httpx.post(beside.url + path, json=body, headers={"X-Request-Id": "r1"}, timeout=60).json()
    rows = answer if isinstance(answer, list) else answer["results"]
    assert [row["index"] for row in rows] == [0, 1, 2, 3]
    scores = [row[key] for row in rows]
    assert scores == sorted(set(scores), reverse=True)
    assert all(0.5 <= score < 1 for score in scores), "no client with a cut drops any"
    assert [(row["verdict"], row["reason"], "probability" in row) for row in rows] == [
        ("unverified", REASON, False)
    ] * 4
    (record,) = beside.records(1)
    assert fates(record) == wanted(reranker.rerank(QUERY, TEXTS, "pairs", policy, lenient=True))
    assert (record["way"], record["request"], record["policy"]) == (path.partition("?")[0], "r1", policy)
    assert (record["fingerprint"], record["profile"]) == (reranker.manifest.fingerprint, "pairs")
    assert record["candidates"][3]["cause"] == "empty"


VERIFICATIONS = [
    ("full", 3, [], "every one"),
    ("cascade", 1, ["unreached"], "until one is accepted, at least eight at a time"),
    ("light", 3, ["light"], "MaxSim alone"),
]


@pytest.mark.parametrize(("name", "top_n", "causes", "remark"), VERIFICATIONS, ids=[row[0] for row in VERIFICATIONS])
def test_what_is_recorded_is_what_the_request_asks_for(
    beside: Shadowed, reranker: Reranker, name: str, top_n: int, causes: list[str], remark: str
) -> None:
    candidates = [Candidate(f"{SAME} {number}", score=1 - number / 100) for number in range(20)]
    documents = [{"text": item.text, "score": item.score} for item in candidates]
    body = {"query": QUERY, "documents": documents, "verification": name, "top_n": top_n, "policy": "demote"}
    rows = httpx.post(f"{beside.url}/v2/rerank", json=body, timeout=60).json()["results"]
    assert [row["index"] for row in rows] == list(range(top_n))
    (record,) = beside.records(1)
    expected = reranker.rerank(QUERY, candidates, policy="demote", verification=name, wanted=top_n)
    assert fates(record) == wanted(expected), remark
    assert sorted({item["cause"] for item in record["candidates"] if "cause" in item}) == causes


def test_a_request_without_an_id_is_recorded_by_the_one_that_logs_have(
    reranker: Reranker, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Reranker(reranker.bundle, reranker.settings)
    del broken.verifier._session
    seen: list[str] = []
    caplog.handler.addFilter(lambda record: seen.append(visit.id if (visit := current()) else "") or True)
    with shadowed(broken, run, tmp_path / "shadow.jsonl") as made:
        answer = httpx.post(f"{made.url}/v2/rerank", json={"query": QUERY, "documents": TEXTS}, timeout=60)
        (record,) = made.records(1)
    assert record["request"] == answer.headers["x-request-id"]
    failures = [name for name, given in zip(seen, caplog.records, strict=True) if "failed" in given.getMessage()]
    assert failures == [record["request"]], "what fails later is logged with it too"


def test_top_n_counts_in_the_order_sent(beside: Shadowed) -> None:
    body = {"query": QUERY, "documents": TEXTS, "top_n": 2}
    rows = httpx.post(f"{beside.url}/v2/rerank", json=body, timeout=60).json()["results"]
    assert [row["index"] for row in rows] == [0, 1]
    assert len(beside.records(1)[0]["candidates"]) == 4


def test_raw_scores_keep_the_order_too(beside: Shadowed) -> None:
    body = {"query": QUERY, "texts": TEXTS, "raw_scores": True}
    rows = httpx.post(f"{beside.url}/rerank", json=body, timeout=60).json()
    assert [row["index"] for row in rows] == [0, 1, 2, 3]
    assert [row["score"] for row in rows] == sorted({row["score"] for row in rows}, reverse=True)
    assert rows[-1]["score"] >= 0


def test_grpc_rerank(beside: Shadowed, reranker: Reranker) -> None:
    texts = TEXTS[:3]
    cases = [
        ([Candidate(text, f"d{n}", 0.9 - n / 10) for n, text in enumerate(texts)], [0.9, 0.8, 0.7], "their own scores"),
        ([Candidate(text, f"d{n}", 0.5 + n / 10) for n, text in enumerate(texts)], None, "their own would not do"),
        ([Candidate(text) for text in texts], None, "none of their own"),
    ]
    with Client(beside.address, timeout=60) as client:
        for number, (candidates, scores, remark) in enumerate(cases, 1):
            ranking = client.rerank(QUERY, candidates, "pairs")
            assert [hit.position for hit in ranking.hits] == [0, 1, 2], remark
            assert not ranking.dropped
            found = [hit.score for hit in ranking.hits]
            assert found == sorted(set(found), reverse=True), remark
            assert scores is None or found == pytest.approx(scores), remark
            assert {(hit.verdict.outcome.value, hit.verdict.reason) for hit in ranking.hits} == {("unverified", REASON)}
            record = beside.records(number)[-1]
            assert fates(record) == wanted(reranker.rerank(QUERY, candidates, "pairs", "filter")), remark
            assert [item.get("score") for item in record["candidates"]] == [item.score for item in candidates], remark
            assert [item.get("id", "") for item in record["candidates"]] == [item.id for item in candidates]
            assert record["way"] == "simgate.v1.Rerank"


def test_grpc_rerank_of_tei(beside: Shadowed) -> None:
    with grpc.insecure_channel(beside.address) as channel:
        stub = tei_v1_pb2_grpc.RerankStub(channel)
        metadata = (("x-request-id", "t1"),)
        ranks = stub.Rerank(tei_v1_pb2.RerankRequest(query=QUERY, texts=TEXTS), timeout=60, metadata=metadata).ranks
    assert [rank.index for rank in ranks] == [0, 1, 2, 3]
    (record,) = beside.records(1)
    assert (record["way"], record["request"], len(record["candidates"])) == ("tei.v1.Rerank", "t1", 4)


def test_search_keeps_the_order_of_recall(beside: Shadowed, reranker: Reranker) -> None:
    query = "The station stands on a hill."
    with Client(beside.address, timeout=60) as client:
        found = client.search(Question(query, k=3, top_n=2))
    assert [hit.position for hit in found.hits] == [0, 1]
    assert not found.dropped
    assert [hit.verdict.reason for hit in found.hits] == [REASON] * 2
    body = {"query": query, "k": 3}
    answer = httpx.post(f"{beside.url}/v1/search", json=body, timeout=60).json()
    assert [hit["position"] for hit in answer["hits"]] == [0, 1, 2]
    assert (answer["dropped"], {hit["reason"] for hit in answer["hits"]}) == (0, {REASON})
    assert [hit["score"] for hit in answer["hits"]] == sorted((hit["score"] for hit in answer["hits"]), reverse=True)
    rows = beside.records(2)
    assert [row["way"] for row in rows] == ["simgate.v1.Search", "/v1/search"]
    texts = {document.id: document.text for document in DOCUMENTS}
    order = [hit["id"] for hit in answer["hits"]]
    candidates = [Candidate(texts[hit["id"]], hit["id"], hit["score"]) for hit in answer["hits"]]
    for row in rows:
        assert [item["id"] for item in row["candidates"]] == order
        assert fates(row) == wanted(reranker.rerank(query, candidates, "passages", "filter"))


def test_verdicts_that_are_asked_for_are_given_and_recorded(beside: Shadowed, reranker: Reranker) -> None:
    pairs = [(QUERY, SAME), (QUERY, OTHER), ("a red car", "a blue car")]
    with Client(beside.address, timeout=60) as client:
        verdicts = client.verify(pairs)
    assert [verdict.outcome for verdict in verdicts] == [v.outcome for v in reranker.verify_pairs(pairs)]
    answer = httpx.post(f"{beside.url}/v1/verify", json={"query": QUERY, "documents": TEXTS}, timeout=60).json()
    expected = reranker.rerank(QUERY, TEXTS, lenient=True, policy="annotate")
    in_order = sorted(expected.hits, key=lambda hit: hit.position)
    assert answer["verdict"] == [hit.verdict.outcome.value for hit in in_order]
    assert answer["probability"][:3] == pytest.approx([hit.verdict.probability for hit in in_order][:3], abs=1e-5)
    grpc_record, http_record = beside.records(2)
    assert (grpc_record["way"], http_record["way"]) == ("simgate.v1.Verify", "/v1/verify")
    assert [item["digest"] for item in grpc_record["candidates"]] == [digest(query) for query, _ in pairs]
    assert [item["outcome"] for item in grpc_record["candidates"]] == [v.outcome.value for v in verdicts]
    assert [item["outcome"] for item in http_record["candidates"]] == answer["verdict"]
    for record in (grpc_record, http_record):
        assert record["policy"] == "", "nothing is ranked"
        assert all("new" not in item and "dropped" not in item for item in record["candidates"])


def test_encode_and_info_are_as_ever(beside: Shadowed, reranker: Reranker) -> None:
    with Client(beside.address, timeout=60) as client:
        assert client.encode([SAME])[0].blob == reranker.encode([SAME])[0].blob(reranker.manifest.fingerprint).text()
        assert client.info().search
    assert beside.file.read_bytes() == b""


REFUSED = [
    ({"query": ""}, "query: holds no words", "no query"),
    ({"query": "hill " * 400}, "query: 402 tokens, the limit is 256", "a query too long"),
    ({"candidates": [{"text": SAME}, {}]}, "candidates[1].text: holds no words", "an empty candidate"),
    ({"candidates": [{"text": "x" * 200_001}]}, "candidates[0].text: 200001 characters", "a candidate too long"),
    ({"candidates": [{"blob": "sgb1:AAAA"}]}, "candidates[0].blob: the token blob is truncated", "a broken blob"),
]


@pytest.mark.parametrize(("fields", "words", "remark"), REFUSED, ids=[case[2] for case in REFUSED])
def test_what_verification_would_refuse_is_answered(
    beside: Shadowed, fields: dict[str, Any], words: str, remark: str
) -> None:
    request = pb.RerankRequest(**{"query": QUERY, "candidates": [{"text": SAME}]} | fields)
    with grpc.insecure_channel(beside.address) as channel:
        response = pb_grpc.SimgateStub(channel).Rerank(request, timeout=60)
    assert [hit.index for hit in response.hits] == list(range(len(request.candidates))), remark
    (record,) = beside.records(1)
    assert record["error"].startswith(words)
    assert record["candidates"] == []


MALFORMED = [
    ({"candidates": []}, "candidates: the list is empty"),
    ({"candidates": [{"text": SAME, "id": "a"}] * 2}, "the id 'a' occurs twice"),
    ({"candidates": [{"text": SAME, "score": float("nan")}]}, "is not a finite number"),
    ({"profile": 9}, "profile: '9' is not known"),
    ({"calibration": "pear"}, "pear"),
    ({"verification": 9}, "verification: '9' is not known"),
]


@pytest.mark.parametrize(("fields", "words"), MALFORMED, ids=[case[1] for case in MALFORMED])
def test_what_is_malformed_is_refused_as_ever(beside: Shadowed, fields: dict[str, Any], words: str) -> None:
    request = pb.RerankRequest(**{"query": QUERY, "candidates": [{"text": SAME}]} | fields)
    with grpc.insecure_channel(beside.address) as channel, pytest.raises(grpc.RpcError) as caught:
        pb_grpc.SimgateStub(channel).Rerank(request, timeout=60)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert words in caught.value.details()
    assert beside.file.read_bytes() == b""


def test_verification_that_fails_harms_no_answer(
    reranker: Reranker, server_index: Index, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Reranker(reranker.bundle, reranker.settings)
    del broken.verifier._session
    with shadowed(broken, run, tmp_path / "shadow.jsonl", Source(server_index)) as made:
        with Client(made.address, timeout=60) as client:
            assert len(client.rerank(QUERY, TEXTS[:3]).hits) == 3
            assert len(client.search(QUERY).hits) == 3
        answer = httpx.post(f"{made.url}/v2/rerank", json={"query": QUERY, "documents": TEXTS}, timeout=60)
        assert len(answer.json()["results"]) == 4
        assert {row["error"] for row in made.records(3)} == {"verification failed: the server's log has the traceback"}
    assert "AttributeError" in caplog.text


@pytest.mark.parametrize("place", ["/dev/full", "/no/such/folder/shadow.jsonl"])
def test_a_file_that_cannot_be_written_harms_nobody(
    reranker: Reranker, run: Run, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    with shadowed(reranker, run, Path(place)) as made, httpx.Client(base_url=made.url, timeout=60) as http:
        for _ in range(5):
            rows = http.post("/v2/rerank", json={"query": QUERY, "documents": TEXTS}).json()["results"]
            assert [row["index"] for row in rows] == [0, 1, 2, 3]
        assert http.get("/readyz").text == "ok"
    assert len([record for record in caplog.records if "cannot be written" in record.getMessage()]) == 1


def test_too_much_is_dropped_and_counted(reranker: Reranker, run: Run, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    server = shadowed(Gated(reranker.bundle, gate), run, tmp_path / "shadow.jsonl")
    with server as made, Client(made.address, timeout=60) as client:
        for _ in range(MOST + 3):
            assert len(client.rerank(QUERY, [SAME]).hits) == 1, "answered while none can be verified"
        assert 'simgate_shadow_total{fate="busy"} 3.0' in httpx.get(f"{made.url}/metrics").text
        gate.touch()
        first, *others = made.records(MOST + 1)
    assert first["lost"] == {"busy": 3}
    assert all(len(row["candidates"]) == 1 for row in others)


def test_texts_that_wait_are_bounded(reranker: Reranker, run: Run, tmp_path: Path) -> None:
    gate, large = tmp_path / "gate", ["x" * (MOST_CHARACTERS // 2)]
    with shadowed(Gated(reranker.bundle, gate), run, tmp_path / "shadow.jsonl") as made:
        with Client(made.address, timeout=60) as client:
            for texts in (large, large, [SAME]):
                assert len(client.rerank(QUERY, texts).hits) == 1
            gate.touch()
        lost, *rows = made.records(3)
    assert lost["lost"] == {"busy": 1}
    assert sorted(len(row["candidates"]) for row in rows) == [0, 1], "the large one is too long to be verified"


@pytest.mark.parametrize("texts", [False, True])
def test_texts_are_recorded_only_if_so_set(reranker: Reranker, run: Run, tmp_path: Path, texts: bool) -> None:
    stored = reranker.encode([SAME])[0].blob(reranker.manifest.fingerprint).text()
    secret = ["my secret text", f"{stored}my secret behind", "x" * 3000]
    with shadowed(reranker, run, tmp_path / "shadow.jsonl", log_texts=texts) as made:
        body = {"query": "my secret query", "documents": secret}
        assert httpx.post(f"{made.url}/v2/rerank", json=body, timeout=60).status_code == 200
        httpx.post(f"{made.url}/v1/verify", json=body, timeout=60)
        with Client(made.address, timeout=60) as client:
            client.verify([("my secret query", "my secret text"), ("another secret query", "a secret")])
        rows = made.records(3)
        raw = made.file.read_text()
    assert ("secret" in raw) == texts
    assert stored not in raw
    assert rows[0]["digest"] == rows[1]["digest"] == digest("my secret query")
    if texts:
        assert rows[0]["query"] == "my secret query"
        assert [item["text"] for item in rows[0]["candidates"]] == [*secret[:1], "my secret behind", "x" * 1999 + "…"]
        assert [item["query"] for item in rows[2]["candidates"]] == ["my secret query", "another secret query"]


def test_causes_and_odd_texts(beside: Shadowed) -> None:
    documents = [FOREIGN, "sgb1:cut", "x" * 200_001, {"text": "\ud800", "id": "\ud83d"}, "🚂 on a ⛰️\u2028\x00", ""]
    raw = json.dumps({"query": "\x07 train\u2028on a hill", "documents": documents}).encode()
    headers = {b"Content-Type": b"application/json", b"X-Request-Id": b"\xe9" * 500}
    assert httpx.post(f"{beside.url}/v2/rerank", content=raw, headers=headers, timeout=60)
    (record,) = beside.records(1)
    causes = [item.get("cause", "") for item in record["candidates"]]
    assert causes == ["other_bundle", "malformed_blob", "over_limit", "invalid_text", "", "empty"]
    assert len(record["request"]) == 128


def test_metrics_count_verdicts_once(beside: Shadowed) -> None:
    httpx.post(f"{beside.url}/v2/rerank", json={"query": QUERY, "documents": [SAME, OTHER]}, timeout=60)
    beside.records(1)
    lines = httpx.get(f"{beside.url}/metrics").text.splitlines()
    counted = {name: float(value) for name, value in (row.rsplit(" ", 1) for row in lines if not row.startswith("#"))}
    verdicts = [value for name, value in counted.items() if name.startswith("simgate_verdicts_total")]
    assert sum(verdicts) == 2, "what the verifier said, not what callers read"
    assert counted['simgate_unverified_total{cause="failure"}'] == 0


def test_without_shadow_mode_nothing_is_recorded(reranker: Reranker, http_url: str) -> None:
    body = {"query": QUERY, "documents": TEXTS, "profile": "pairs"}
    rows = httpx.post(f"{http_url}/v2/rerank", json=body, timeout=60).json()["results"]
    assert REASON not in {row.get("reason") for row in rows}
    assert [row["index"] for row in rows] != [0, 1, 2, 3]


def test_what_waits_at_the_end_is_counted(reranker: Reranker, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "shadow.jsonl"
    with shadowed(reranker, run, file) as made, Client(made.address, timeout=60) as client:
        for _ in range(30):
            client.rerank(QUERY, [f"{SAME} {number}" for number in range(40)])
    rows = [json.loads(row) for row in file.read_bytes().splitlines()]
    lost = sum(row["lost"].get("stopping", 0) for row in rows if "lost" in row)
    assert lost + sum("lost" not in row for row in rows) == 30
    assert records(file, len(rows))
