"""Recall by engines: exact enough, what is asked for is honoured, and answers are those of the embedded index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from indices import Demo, Indices, put, put_encoded, search, settings_of
from nodes.engine import Engine as Node

from index_templates.resource import Resource
from plugin_server import Reranker
from plugin_server.corpus import Document
from plugin_server.demo import questions
from plugin_server.engines.settings import EngineSettings
from plugin_server.index import Index
from plugin_server.search import Question, Searcher

PIPELINE = f"/_search/pipeline/{EngineSettings().hybrid_pipeline}"


@pytest.mark.parametrize(("byte", "tolerance"), [(False, 1e-4), (True, 1e-2)], ids=["float", "byte"])
def test_recall_is_the_exact_order(
    engine: Node,
    demo: Demo,
    reranker: Reranker,
    byte: bool,
    tolerance: float,
) -> None:
    index, names = demo.index(engine, byte), [item.id for item in demo.documents]
    shares = []
    for question in questions()[:4]:
        exact = demo.cosines(question.query)
        order = [names[n] for n in np.argsort(exact, kind="stable")[::-1][:100]]
        answer = search(
            settings_of(engine), reranker, Question(question.query, k=100, top_n=100, index=index, policy="annotate")
        )
        scores = [item.score for item in answer.recall]
        found = [item.document.id for item in answer.recall]
        assert len(found) == len(set(found)) == 100
        assert scores == sorted(scores, reverse=True)
        assert scores == pytest.approx([exact[names.index(name)] for name in found], abs=tolerance)
        shares.append(len(set(found) & set(order)) / 100)
    assert min(shares) >= 0.95


def test_answers_equal_those_of_the_embedded_index(
    engine: Node,
    demo: Demo,
    reranker: Reranker,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Index.create(tmp_path_factory.mktemp("embedded") / "index.db", reranker.manifest) as embedded:
        embedded.add(demo.documents, demo.encoded)
        for asked, policy in zip(questions(), ("filter", "demote", "annotate"), strict=False):
            question = Question(asked.query, k=len(demo.documents), top_n=7, profile=asked.profile, policy=policy)
            wanted = Searcher(reranker, embedded).search(question)
            there = replace(question, index=demo.index(engine))
            found = search(settings_of(engine), reranker, there)
            assert [item.document for item in found.recall] == [item.document for item in wanted.recall]
            for one, two in (
                (found.ranking.hits, wanted.ranking.hits),
                (found.ranking.dropped, wanted.ranking.dropped),
            ):
                assert [hit.candidate.id for hit in one] == [hit.candidate.id for hit in two]
                assert [hit.verdict for hit in one] == [hit.verdict for hit in two]
                assert [hit.score for hit in one] == pytest.approx([hit.score for hit in two], abs=1e-4)


def test_a_filter_is_honoured_before_the_nearest_are_taken(engine: Node, demo: Demo, reranker: Reranker) -> None:
    query = questions()[0].query
    exact = demo.cosines(query)
    order = [demo.documents[n].id for n in np.argsort(exact)[::-1] if demo.documents[n].extra["kind"] == 2][:20]
    question = Question(query, k=20, index=demo.index(engine), policy="annotate", filter={"term": {"kind": 2}})
    answer = search(settings_of(engine), reranker, question)
    assert [item.document.id for item in answer.recall] == order
    assert all(item.document.extra == {"kind": 2} for item in answer.recall)
    nothing = search(settings_of(engine), reranker, replace(question, filter={"term": {"kind": 9}}))
    assert (nothing.recall, nothing.ranking.hits) == ((), ())


def test_a_query_of_ones_own_finds_the_candidates(engine: Node, demo: Demo, reranker: Reranker) -> None:
    index, words = demo.index(engine), {"match": {"text": "refund parcel"}}
    question = Question("a refund after the parcel was sent", k=10, index=index, recall_query=words, policy="annotate")
    wanted = engine.request("POST", f"/{index}/_search", {"size": 10, "query": words})["hits"]["hits"]
    answer = search(settings_of(engine), reranker, question)
    assert [(item.document.id, item.score) for item in answer.recall] == [(hit["_id"], hit["_score"]) for hit in wanted]
    assert len(answer.ranking.hits) == len(wanted) > 2
    limited = search(settings_of(engine), reranker, replace(question, filter={"term": {"kind": 0}}))
    assert {item.document.extra["kind"] for item in limited.recall} == {0}


@pytest.fixture
def hybrid(engine: Node) -> Iterator[Node]:
    """An engine that can do hybrid queries."""
    if engine.kind == "opensearch":
        body = Resource.load("opensearch", "hybrid@search_pipeline").render({"description": "test"})
        engine.request(
            "PUT",
            PIPELINE,
            {name: body[name] for name in ("phase_results_processors",)},
        )
    yield engine
    if engine.kind == "opensearch":
        engine.request("DELETE", PIPELINE)


def test_hybrid_finds_by_words_what_vectors_do_not(
    hybrid: Node, indices: Indices, demo: Demo, reranker: Reranker
) -> None:
    index = indices.make(hybrid, reranker, kind={"type": "integer"})
    put_encoded(hybrid, index, reranker, demo.documents[:150], demo.encoded[:150])
    put(hybrid, index, [{"_id": "word", "text": "Zyxwvut.", "kind": 1}])
    question = Question("zyxwvut glacier", k=10, index=index, policy="annotate", hybrid=True)
    answer = search(settings_of(hybrid), reranker, question)
    found = [item.document.id for item in answer.recall]
    assert "word" in found, "it has no vector"
    assert len(found) == 10, "the others have no such word"
    dense = search(settings_of(hybrid), reranker, replace(question, hybrid=False))
    assert "word" not in [item.document.id for item in dense.recall]
    assert set(found) & {item.document.id for item in dense.recall}
    if hybrid.kind == "opensearch":
        assert all(0 <= item.score <= 1 for item in answer.recall), "the pipeline brings both to one scale"
    limited = search(settings_of(hybrid), reranker, replace(question, filter={"term": {"kind": 0}}))
    assert {item.document.extra["kind"] for item in limited.recall} == {0}


def test_a_pattern_tells_documents_of_one_id_apart(
    engine: Node, indices: Indices, demo: Demo, reranker: Reranker
) -> None:
    first, second = indices.make(engine, reranker), indices.make(engine, reranker, settings={"number_of_shards": 2})
    put_encoded(
        engine,
        first,
        reranker,
        [Document("a", demo.documents[0].text), Document("b", demo.documents[1].text)],
        demo.encoded[:2],
    )
    put_encoded(
        engine,
        second,
        reranker,
        [Document("a", demo.documents[2].text), Document("c", demo.documents[3].text)],
        demo.encoded[2:4],
    )
    # routing puts a document beside another of its id
    shards = {f"r{n}": engine.request("GET", f"/{second}/_search_shards?routing=r{n}") for n in range(9)}
    place = {name: found["shards"][0][0]["shard"] for name, found in shards.items()}
    own = engine.request("GET", f"/{second}/_search_shards?routing=c")["shards"][0][0]["shard"]
    other = next(name for name, shard in place.items() if shard != own)
    put(engine, second, [{"_id": "c", "_routing": other, "text": demo.documents[4].text}])
    question = Question(
        "refund", index=f"{first},{second}", policy="annotate", recall_query={"match_all": {}}, filter={"match_all": {}}
    )
    answer = search(settings_of(engine), reranker, question)
    assert {item.document.id: item.document.text for item in answer.recall} == {
        f"{first}/a": demo.documents[0].text,
        "b": demo.documents[1].text,
        f"{second}/a": demo.documents[2].text,
        f"{second}/c": demo.documents[3].text,
        f"{second}/c/{other}": demo.documents[4].text,
    }
    starred = replace(question, index=f"{first[:-1]}*", recall_query={"ids": {"values": ["b"]}})
    assert [item.document.text for item in search(settings_of(engine), reranker, starred).recall] == [
        demo.documents[1].text
    ]
