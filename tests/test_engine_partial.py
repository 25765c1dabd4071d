"""Searches while parts of an engine fail: what is there is verified, what may be missing is told."""

from __future__ import annotations

from contextlib import closing

import pytest
from indices import Indices, put, search, settings_of
from nodes.engine import Engine as Node
from nodes.node import Node as OwnNode

from plugin_server import Outcome, Reranker
from plugin_server.errors import EngineUnavailable
from plugin_server.search import Question

TEXTS = {"a": "The station is on a hill.", "b": "The last bus leaves at ten.", "c": "The shop sells bread."}


def test_hits_of_the_shards_that_answer_are_verified(engine: Node, indices: Indices, reranker: Reranker) -> None:
    good, bad = indices.make(engine, reranker, "none"), indices.make(engine, reranker, "none")
    for index, kind in ((good, "keyword"), (bad, "integer")):
        engine.request("PUT", f"/{index}/_mapping", {"properties": {"grade": {"type": kind}}})
    put(engine, good, [{"_id": name, "text": text, "grade": "low"} for name, text in TEXTS.items()])
    put(engine, bad, [{"_id": "d", "text": "A fourth one.", "grade": 1}])
    query = {"term": {"grade": "low"}}  # no number, which only the second index asks for
    question = Question("a station up on a hill", index=f"{good},{bad}", policy="annotate", recall_query=query)
    answer = search(settings_of(engine), reranker, question)
    assert {hit.candidate.id for hit in answer.ranking.hits} == set(TEXTS)
    assert all(hit.verdict.outcome is not Outcome.UNVERIFIED for hit in answer.ranking.hits)
    assert answer.incomplete.startswith("1 of 2 shards failed: ")
    whole = search(settings_of(engine), reranker, Question("a hill", index=good, recall_query=query))
    assert whole.incomplete == ""


@pytest.mark.usefixtures("elasticsearch_9")  # which skips the test where nodes cannot be had
def test_a_node_that_is_killed_between_searches_and_comes_back(reranker: Reranker) -> None:
    with closing(OwnNode.start("elasticsearch-9.5")) as node, closing(Indices()) as indices:
        index = indices.make(node, reranker, "none")
        put(node, index, [{"_id": name, "text": text} for name, text in TEXTS.items()])
        question = Question("a hill", index=index, policy="annotate", recall_query={"match_all": {}})
        before = search(settings_of(node), reranker, question)
        node.kill()
        with pytest.raises(EngineUnavailable, match="cannot be reached"):
            search(settings_of(node), reranker, question)
        node.restart()
        after = search(settings_of(node), reranker, question)
        assert [hit.candidate.id for hit in after.ranking.hits] == [hit.candidate.id for hit in before.ranking.hits]
        assert len(after.ranking.hits) == len(TEXTS)
