"""Every way in gives the same verdicts: one index, the same queries, all the ways that lead to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import grpc
import httpx
import pytest
from click.testing import CliRunner
from conftest import Run
from nodes.engine import Engine
from searching import Site, site

from plugin_server import Candidate, Reranker
from plugin_server import simgate_v1_pb2 as pb
from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server.cli import main
from plugin_server.corpus import Document
from plugin_server.wire import OUTCOMES

#: What a way keeps of a query's hits: their verdicts by their ids, None where the way does not tell.
Kept = Mapping[str, str | None]
Way = Callable[[Site, str], Kept]

TRIPLES = [json.loads(line) for line in (Path(__file__).parent / "data" / "triples.jsonl").read_text().splitlines()]
CHOSEN = TRIPLES[:: len(TRIPLES) // 20][:20]
FILLER = (
    "The mill stands where two brooks meet. Flour leaves it twice a week. A cat sleeps on the sacks. Its wheel was "
    "made of oak, and is mended every spring. In dry summers the wheel stands still. Children fish below the weir. "
)
LONG = FILLER * 6 + CHOSEN[0]["paraphrase"] + " " + FILLER * 6
DOCUMENTS = [
    *(Document(f"same-{number}", triple["paraphrase"]) for number, triple in enumerate(CHOSEN)),
    *(Document(f"miss-{number}", triple["near_miss"], f"Near-miss {number}") for number, triple in enumerate(CHOSEN)),
    Document("long", LONG),
]
QUERIES = [CHOSEN[number]["anchor"] for number in (0, 7, 12)]
NAMES = {number: outcome.value for outcome, number in OUTCOMES.items()}


def python(site: Site, query: str) -> Kept:
    """`Reranker.rerank` over the texts."""
    candidates = [Candidate(document.text, document.id) for document in site.documents]
    ranking = site.reranker.rerank(query, candidates, "passages", "filter")
    return {hit.candidate.id: hit.verdict.outcome.value for hit in ranking.hits}


def grpc_search(site: Site, query: str) -> Kept:
    with grpc.insecure_channel(site.grpc) as channel:
        answer = pb_grpc.SimgateStub(channel).Search(pb.SearchRequest(query=query, k=100, top_n=100))
    return {hit.id: NAMES[hit.verdict.outcome] for hit in answer.hits}


def http_search(site: Site, query: str) -> Kept:
    answer = httpx.post(f"{site.http}/v1/search", json={"query": query, "index": site.index}, timeout=60).json()
    return {hit["id"]: hit["verdict"] for hit in answer["hits"]}


def command(site: Site, query: str) -> Kept:
    where = ["--engine", site.engine.kind, "--url", site.engine.url, "--index", site.index]
    result = CliRunner().invoke(main, ["search", query, *where, "--json", "--top-n", "100"])
    assert result.exit_code == 0, result.output
    return {hit["id"]: hit["verdict"] for hit in json.loads(result.stdout)["hits"]}


def gateway(site: Site, query: str) -> Kept:
    """The engine's own search, sent to simgate in the engine's place."""
    asked = site.dense(query) | {"ext": {"rerank": {"query_context": {"query_text": query}}}, "size": 100}
    answer = httpx.post(f"{site.http}/{site.index}/_search", json=asked, timeout=60).json()
    return {hit["_id"]: hit["fields"]["simgate"][0]["verdict"] for hit in answer["hits"]["hits"]}


def rerank_processor(site: Site, query: str) -> Kept:
    """OpenSearch's own processor, which cannot drop: what is rejected scores below 0.5."""
    return {hit["_id"]: None for hit in site.rerank(query) if hit["_score"] >= 0.5}


def oversample(site: Site, query: str) -> Kept:
    return {hit["_id"]: None for hit in site.rerank(query, pipeline="rerank-oversample") if hit["_score"] >= 0.5}


def verdicts_in_source(site: Site, query: str) -> Kept:
    hits = site.search("verdicts", site.dense(query) | {"ext": {"ml_inference": {"query": query}}})
    told = {hit["_id"]: hit["_source"]["simgate_verdict"] for hit in hits}
    return {name: verdict for name, verdict in told.items() if verdict != "rejected"}


def filter_processor(site: Site, query: str) -> Kept:
    asked = {"query": {"match_all": {}}, "ext": {"ml_inference": {"query": query, "index": site.index}}}
    return {hit["_id"]: None for hit in site.search("filter", asked)}


EVERYWHERE: dict[str, Way] = {
    "Python": python,
    "gRPC Search": grpc_search,
    "HTTP /v1/search": http_search,
    "simgate search": command,
    "gateway": gateway,
}
#: The ways in of each engine.
WAYS: dict[str, dict[str, Way]] = {
    "elasticsearch_9": EVERYWHERE,
    "opensearch_2": EVERYWHERE
    | {"rerank": rerank_processor, "verdicts": verdicts_in_source, "filter": filter_processor},
}
WAYS["opensearch_3"] = WAYS["opensearch_2"] | {"rerank-oversample": oversample}
#: What reads texts, or encodes by itself; every other way is the server's, and reads blobs alone.
APART = ("Python", "simgate search")


@pytest.fixture(scope="module", params=list(WAYS))
def there(request: pytest.FixtureRequest, reranker: Reranker, run: Run) -> Iterator[tuple[str, Site]]:
    engine: Engine = request.getfixturevalue(request.param)
    with site(engine, reranker, run, "ways", DOCUMENTS) as made:
        yield request.param, made


@pytest.fixture(scope="module")
def expected(reranker: Reranker) -> dict[str, dict[str, str]]:
    """Every document's verdict by query."""
    texts = [document.text for document in DOCUMENTS]
    rankings = {query: reranker.rerank(query, texts, "passages", "annotate") for query in QUERIES}
    return {
        query: {DOCUMENTS[hit.position].id: hit.verdict.outcome.value for hit in ranking.hits}
        for query, ranking in rankings.items()
    }


def test_the_queries_tell_ways_apart(expected: dict[str, dict[str, str]], reranker: Reranker) -> None:
    """Or agreement would mean nothing: something is accepted and something rejected; the long one has windows."""
    accepted = {query: {name for name, told in row.items() if told == "accepted"} for query, row in expected.items()}
    assert all(0 < len(names) < len(DOCUMENTS) for names in accepted.values())
    assert len({frozenset(names) for names in accepted.values()}) == len(QUERIES)
    assert len(reranker.encode([LONG])[0].windows) >= 3
    assert any("long" in names for names in accepted.values()) and not all(
        "long" in names for names in accepted.values()
    )
    assert any(name.startswith("miss") for row in expected.values() for name, told in row.items() if told == "rejected")


@pytest.mark.parametrize("query", QUERIES)
def test_every_way_gives_the_same_verdicts(
    there: tuple[str, Site], expected: dict[str, dict[str, str]], query: str
) -> None:
    name, made = there
    kept = {document: told for document, told in expected[query].items() if told != "rejected"}
    orders: dict[str, list[str]] = {}
    for way, asked in WAYS[name].items():
        before = made.counted()
        found = asked(made, query)
        assert set(found) == set(kept), way
        assert all(told in (None, kept[document]) for document, told in found.items()), way
        spent = {key: value - before[key] for key, value in made.counted().items()}
        verdicts = sum(value for key, value in spent.items() if key.startswith("verdicts"))
        if way in APART:
            assert verdicts == 0, way
        else:  # every verdict comes from a blob: nothing was encoded but the query
            assert verdicts == spent["blobs loaded"] == len(DOCUMENTS), way
        orders[way] = list(found)
    assert orders["gRPC Search"] == orders["HTTP /v1/search"] == orders["simgate search"]
    assert orders.get("filter", orders["gRPC Search"]) == orders["gRPC Search"]


def test_probabilities_are_told_alike(there: tuple[str, Site]) -> None:
    name, made = there
    texts = [document.text for document in DOCUMENTS]
    ranking = made.reranker.rerank(QUERIES[0], texts, "passages", "annotate")
    chances = {DOCUMENTS[hit.position].id: hit.verdict.probability for hit in ranking.hits}
    asked = {"query": QUERIES[0], "policy": "annotate"}
    answer = httpx.post(f"{made.http}/v1/search", json=asked, timeout=60).json()
    assert {hit["id"]: hit["probability"] for hit in answer["hits"]} == pytest.approx(chances, abs=1e-5)
    if name != "elasticsearch_9":
        searched = made.dense(QUERIES[0]) | {"ext": {"ml_inference": {"query": QUERIES[0]}}}
        hits = made.search("verdicts", searched)
        told = {hit["_id"]: hit["_source"]["simgate_probability"] for hit in hits}
        assert told == pytest.approx(chances, abs=1e-5)
        assert [hit["_id"] for hit in hits] == [hit["_id"] for hit in made.search("", made.dense(QUERIES[0]))]
