"""text-embeddings-inference's rerank call over a real channel: the scores of the HTTP door, and its leniency."""

from __future__ import annotations

import re
from collections.abc import Iterator

import grpc
import httpx
import numpy as np
import pytest
from conftest import Run
from grpc_health.v1 import health_pb2, health_pb2_grpc

from plugin_server import Reranker
from plugin_server import tei_v1_pb2 as pb
from plugin_server import tei_v1_pb2_grpc as pb_grpc
from plugin_server.blob import TokenBlob
from plugin_server.server import Server
from plugin_server.tei import NAME

QUERY = "Turn left at the church."
TEXTS = ["Turn right at the church.", "At the church, turn left.", "The mill makes bread.", "", "sgb1:AAAA"]
FOREIGN = TokenBlob("00" * 8, (np.ones((4, 64), np.int8),)).text()


@pytest.fixture(scope="module")
def server(reranker: Reranker, run: Run) -> Iterator[Server]:
    started = run(Server.start(reranker, "127.0.0.1:0", http_address="127.0.0.1:0"))
    yield started
    run(started.stop(0))


@pytest.fixture(scope="module")
def stub(server: Server) -> Iterator[pb_grpc.RerankStub]:
    with grpc.insecure_channel(server.address) as channel:
        yield pb_grpc.RerankStub(channel)


def ask(stub: pb_grpc.RerankStub, texts: list[str], query: str = QUERY, **given: bool) -> pb.RerankResponse:
    answer: pb.RerankResponse = stub.Rerank(pb.RerankRequest(query=query, texts=texts, **given), timeout=60)
    return answer


def test_names_and_numbers_are_those_of_text_embeddings_inference() -> None:
    """As in huggingface/text-embeddings-inference, proto/tei.proto: a client's stubs fit."""
    fields = {
        name: {field.name: field.number for field in message.fields}
        for name, message in pb.DESCRIPTOR.message_types_by_name.items()
    }
    assert NAME == "tei.v1.Rerank"
    assert fields == {
        "RerankRequest": {"query": 1, "texts": 2, "truncate": 3, "raw_scores": 4, "return_text": 5},
        "Rank": {"index": 1, "text": 2, "score": 3},
        "Metadata": {
            "compute_chars": 1, "compute_tokens": 2, "total_time_ns": 3, "tokenization_time_ns": 4,
            "queue_time_ns": 5, "inference_time_ns": 6,
        },
        "RerankResponse": {"ranks": 1, "metadata": 2},
    }  # fmt: skip


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("text", [False, True])
def test_as_the_http_door(server: Server, stub: pb_grpc.RerankStub, raw: bool, text: bool) -> None:
    asked = {"query": QUERY, "texts": TEXTS, "raw_scores": raw, "return_text": text, "truncate": True}
    rows = httpx.post(f"http://{server.http_address}/rerank", json=asked, timeout=60).json()
    answer = ask(stub, TEXTS, raw_scores=raw, return_text=text, truncate=True)
    assert [rank.index for rank in answer.ranks] == [row["index"] for row in rows]
    assert [rank.score for rank in answer.ranks] == pytest.approx([row["score"] for row in rows], rel=1e-6)
    assert [rank.text if rank.HasField("text") else None for rank in answer.ranks] == [row.get("text") for row in rows]


def test_rejected_scores_below_a_half(stub: pb_grpc.RerankStub, reranker: Reranker) -> None:
    """In the 32 bits of the wire; what cannot be read is not rejected."""
    hits = reranker.rerank(QUERY, TEXTS, "passages", "annotate", lenient=True).hits
    rejected = {hit.position for hit in hits if hit.verdict.outcome.value == "rejected"}
    assert rejected == {0, 2}
    assert {rank.index for rank in ask(stub, TEXTS).ranks if rank.score < 0.5} == rejected
    assert {rank.index for rank in ask(stub, TEXTS, raw_scores=True).ranks if rank.score < 0} == rejected


@pytest.mark.parametrize(
    ("make", "kept", "text", "remark"),
    [
        ("{own}", True, "", "a blob alone"),
        ("{own}The mill makes bread.", True, "The mill makes bread.", "a blob before a text: the blob counts"),
        ("{foreign}At the church, turn left.", True, "At the church, turn left.", "another bundle's: the text counts"),
        ("{foreign}Turn right at the church.", False, "Turn right at the church.", "and is judged"),
    ],
)
def test_blobs(stub: pb_grpc.RerankStub, reranker: Reranker, make: str, kept: bool, text: str, remark: str) -> None:
    own = reranker.encode([TEXTS[1]])[0].blob(reranker.manifest.fingerprint).text()
    answer = ask(stub, [make.format(own=own, foreign=FOREIGN)], return_text=True)
    (rank,) = answer.ranks
    assert ((rank.score >= 0.5), rank.text) == (kept, text)
    assert answer.metadata.compute_chars == len(QUERY) + len(text)
    assert answer.metadata.total_time_ns > 0


@pytest.mark.parametrize(
    ("query", "texts", "words", "remark"),
    [
        (" ", TEXTS, "query: holds no words", "empty query"),
        (QUERY, [], "texts: the list is empty", "no texts"),
        (QUERY, ["a"] * 1001, "texts: 1001 candidates, the limit is 1000", "too many"),
        ("hill " * 400, TEXTS, "tokens, the limit is 256: shorten it", "a query is never split"),
    ],
)
def test_refused(stub: pb_grpc.RerankStub, query: str, texts: list[str], words: str, remark: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        ask(stub, texts, query)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert words in refused.value.details()


def test_is_counted_and_healthy(server: Server, stub: pb_grpc.RerankStub) -> None:
    def counted() -> float:
        text = httpx.get(f"http://{server.http_address}/metrics", timeout=60).text
        (line,) = (
            line
            for line in text.splitlines()
            if line.startswith("simgate_verdicts_total") and re.search("accepted.*demote.*passages", line)
        )
        return float(line.split()[-1])

    before = counted()
    ask(stub, [TEXTS[1]])
    assert counted() == before + 1
    with grpc.insecure_channel(server.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = health.Check(health_pb2.HealthCheckRequest(service=NAME))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        stream = channel.stream_unary("/tei.v1.Rerank/RerankStream")
        with pytest.raises(grpc.RpcError) as refused:
            stream(iter([b""]))
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
