from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
from conftest import Run
from gated import Gated

from plugin_server import Candidate, Outcome, Reranker, remote
from plugin_server.client import AsyncClient, Client
from plugin_server.errors import SimgateError, UnknownChoice
from plugin_server.index import Index
from plugin_server.search import Question, Searcher
from plugin_server.server import Server

QUERY = "The station stands on a hill."
TEXTS = ["The station is on a hill.", "The hill is on a station.", "Bread is sold here."]


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with Client(address, timeout=60) as client:
        yield client


@pytest.mark.parametrize("policy", ["filter", "demote", "annotate"])
@pytest.mark.parametrize("profile", ["pairs", "passages"])
def test_rerank_is_the_core(client: Client, reranker: Reranker, profile: str, policy: str) -> None:
    candidates = [Candidate(TEXTS[0], "a", 3.0), Candidate(TEXTS[1], "b", 2.0), Candidate(TEXTS[2], "c", 1.0)]
    assert client.rerank(QUERY, candidates, profile, policy) == reranker.rerank(QUERY, candidates, profile, policy)


def test_top_n(client: Client) -> None:
    assert len(client.rerank(QUERY, TEXTS, policy="annotate", top_n=2).hits) == 2


def test_verify_is_the_core(client: Client, reranker: Reranker) -> None:
    pairs = [(QUERY, text) for text in TEXTS]
    assert client.verify(pairs) == reranker.verify_pairs(pairs)
    assert client.verify(pairs, "passages") == reranker.verify_pairs(pairs, "passages")


def test_encode_is_the_core_and_its_blob_gets_the_same_verdict(client: Client, reranker: Reranker) -> None:
    texts = [*TEXTS, "The station is on a hill. " * 60]
    encoded = client.encode(texts)
    for ours, theirs in zip(encoded, reranker.encode(texts), strict=True):
        assert np.array_equal(ours.vectors, theirs.vectors)
    assert len(encoded[3].vectors) > 1
    assert client.verify([(QUERY, item.blob) for item in encoded]) == client.verify([(QUERY, text) for text in texts])


def test_info(client: Client, reranker: Reranker) -> None:
    info = client.info()
    assert (info.fingerprint, info.bundle) == (reranker.manifest.fingerprint, reranker.manifest.name)
    assert info.search
    assert info.max_candidates == reranker.settings.max_candidates


def test_search_is_the_core(client: Client, reranker: Reranker, server_index: Index) -> None:
    answer = Searcher(reranker, server_index).search(Question(QUERY, policy="annotate"))
    result = client.search(Question(QUERY, policy="annotate"))
    assert [hit.document.id for hit in result.hits] == [hit.candidate.id for hit in answer.ranking.hits]
    assert [hit.verdict for hit in result.hits] == [hit.verdict for hit in answer.ranking.hits]
    assert {(hit.document.title, hit.document.text) for hit in result.hits} >= {("Bus", "The last bus leaves at ten.")}
    assert len(client.search(Question(QUERY, k=2, top_n=1, policy="annotate")).hits) == 1


def test_async_client_is_the_sync_one(address: str, client: Client, run: Run) -> None:
    async def every() -> tuple[object, ...]:
        async with AsyncClient(address, timeout=60) as other:
            encoded = await other.encode(TEXTS)
            ranking = await other.rerank(QUERY, TEXTS)
            verdicts = await other.verify([(QUERY, TEXTS[0])])
            return ranking, verdicts, [item.blob for item in encoded], await other.info(), await other.search(QUERY)

    assert run(every()) == (
        client.rerank(QUERY, TEXTS),
        client.verify([(QUERY, TEXTS[0])]),
        [item.blob for item in client.encode(TEXTS)],
        client.info(),
        client.search(QUERY),
    )


def test_concurrent_calls_get_the_verdicts_of_single_ones(client: Client) -> None:
    pairs = [(query, document) for query in TEXTS for document in TEXTS]
    single = [client.verify([pair])[0] for pair in pairs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda pair: client.verify([pair])[0], pairs * 4))
    for verdict, expected in zip(together, single * 4, strict=True):
        assert verdict.outcome is expected.outcome
        assert verdict.probability == pytest.approx(expected.probability, abs=1e-5)


def test_unknown_names_are_refused_before_the_call(client: Client) -> None:
    with pytest.raises(UnknownChoice, match="profile: 'pear'"):
        client.verify([(QUERY, TEXTS[0])], "pear")
    with pytest.raises(UnknownChoice, match="policy: 'pear'"):
        client.rerank(QUERY, TEXTS, policy="pear")


def test_invalid_request(client: Client) -> None:
    with pytest.raises(remote.RemoteInvalidRequest, match=r"^query: holds no words: give a text") as caught:
        client.rerank("", TEXTS)
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert isinstance(caught.value, SimgateError)


def test_timeout_while_the_server_computes(reranker: Reranker, run: Run, tmp_path: Path) -> None:
    async def call(address: str) -> None:
        async with AsyncClient(address, timeout=0.5) as client:
            await client.verify([(QUERY, TEXTS[0])])

    gate = tmp_path / "gate"
    server = run(Server.start(Gated(reranker.bundle, gate), "127.0.0.1:0"))
    try:
        with Client(server.address, timeout=0.5) as client, pytest.raises(remote.RemoteTimeout):
            client.verify([(QUERY, TEXTS[0])])
        with pytest.raises(remote.RemoteTimeout):
            run(call(server.address))
        gate.touch()
        with Client(server.address, timeout=60) as client:
            assert client.verify([(QUERY, TEXTS[0])])
    finally:
        gate.touch()
        run(server.stop(60))


def test_nobody_there() -> None:
    with Client("127.0.0.1:1", timeout=20) as client, pytest.raises(remote.RemoteUnavailable):
        client.info()


def test_unverified_comes_through(client: Client) -> None:
    blob = client.encode([TEXTS[0]])[0].blob
    assert (
        client.rerank(QUERY, [Candidate(blob=blob)], policy="annotate").hits[0].verdict.outcome
        is not Outcome.UNVERIFIED
    )
