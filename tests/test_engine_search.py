"""Search over engines: verdicts are those of the texts, and what cannot be asked is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from indices import LONG, Demo, Indices, put, search, settings_of
from nodes.engine import Engine as Node
from nodes.node import free_port

from plugin_server import Outcome, Reranker
from plugin_server.engines.settings import EngineSettings
from plugin_server.errors import (
    EmptyText,
    EngineError,
    EngineMissing,
    EngineRefused,
    EngineUnavailable,
    InvalidField,
    LayoutError,
    OverLimit,
    UnknownChoice,
)
from plugin_server.search import Question

CLIENTS = pytest.mark.parametrize("engine", ["opensearch_2", "elasticsearch_9"], indirect=True)


def test_whatever_a_documents_blob_is_its_verdict_is_that_of_its_text(
    engine: Node, indices: Indices, reranker: Reranker, tiny_reranker: Reranker
) -> None:
    index, text = indices.make(engine, reranker, "none"), "The last bus leaves at ten."
    blob = reranker.encode([text])[0].blob(reranker.manifest.fingerprint).text()
    foreign = tiny_reranker.encode([text])[0].blob(tiny_reranker.manifest.fingerprint).text()
    readable: dict[str, dict[str, Any]] = {
        "whole": {"text": text, "simgate_blob": blob},
        "missing blob": {"text": text},
        "malformed blob": {"text": text, "simgate_blob": "sgb1:AAAA"},
        "cut blob": {"text": text, "simgate_blob": blob[:-8]},
        "no blob at all": {"text": text, "simgate_blob": "pear"},
        "foreign blob": {"text": text, "simgate_blob": foreign},
        "empty blob": {"text": text, "simgate_blob": ""},
        "only a blob": {"simgate_blob": blob},
        "a text that is a list": {"text": [text]},
    }
    unreadable: dict[str, tuple[dict[str, Any], str]] = {
        "malformed, no text": ({"simgate_blob": "sgb1:AAAA"}, "the token blob is truncated"),
        "foreign, no text": ({"simgate_blob": foreign}, "the token blob was made by bundle"),
        "nothing": ({"title": "Bus"}, "holds no words"),
        "a number": ({"text": 7}, "holds no words"),
    }
    put(engine, index, [{"_id": name} | fields for name, fields in readable.items()])
    put(engine, index, [{"_id": name} | fields for name, (fields, _) in unreadable.items()])
    question = Question(
        "which bus leaves at ten", index=index, top_n=20, policy="annotate", recall_query={"match_all": {}}
    )
    hits = {hit.candidate.id: hit.verdict for hit in search(settings_of(engine), reranker, question).ranking.hits}
    wanted = reranker.verify(question.query, text, "passages")
    for name in readable:
        assert hits.pop(name) == wanted, name
    for name, (_, reason) in unreadable.items():
        verdict = hits.pop(name)
        assert (verdict.outcome, reason in verdict.reason) == (Outcome.UNVERIFIED, True), name
    assert not hits


def test_a_long_document_is_found_by_its_last_window(engine: Node, demo: Demo, reranker: Reranker) -> None:
    question = Question("a glacier in Norway", k=3, index=demo.index(engine), policy="annotate")
    answer = search(settings_of(engine), reranker, question)
    assert answer.recall[0].document.id == "long"
    (verdict,) = [hit.verdict for hit in answer.ranking.hits if hit.candidate.id == "long"]
    assert verdict == reranker.verify(question.query, LONG.text, "passages")
    assert verdict.window > 0


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"query": " "}, EmptyText, "only spaces"),
    ({"k": 0}, InvalidField, "no candidates asked for"),
    ({"k": 1001}, OverLimit, "more than max_candidates"),
    ({"top_n": 0}, InvalidField, "no hits asked for"),
    ({"profile": "pear"}, UnknownChoice, "unknown profile"),
    ({"policy": "pear"}, UnknownChoice, "unknown policy"),
    ({"hybrid": True, "recall_query": {"match_all": {}}}, InvalidField, "two ways of recall"),
    ({"index": ""}, InvalidField, "no index named"),
    ({"index": "_all"}, InvalidField, "a name that is none"),
    ({"index": "a/../b"}, InvalidField, "a path"),
    ({"index": "st-absent"}, EngineMissing, "an index that is not there"),
    ({"index": "st-absent-*"}, EngineMissing, "a pattern that fits nothing"),
    ({"filter": {"pear": {}}}, EngineRefused, "a filter that is none"),
    ({"recall_query": {"pear": {}}}, EngineRefused, "a query that is none"),
]


@CLIENTS
@pytest.mark.parametrize(("given", "error", "remark"), BAD, ids=[row[2] for row in BAD])
def test_a_bad_request_is_named(
    engine: Node, demo: Demo, reranker: Reranker, given: dict[str, Any], error: type[Exception], remark: str
) -> None:
    question = replace(Question("a red car", index=demo.index(engine)), **given)
    with pytest.raises(error) as caught:
        search(settings_of(engine), reranker, question)
    assert type(caught.value) is error


def test_k_and_top_n_bound_what_comes_back(engine: Node, demo: Demo, reranker: Reranker) -> None:
    question = Question("the ferry to Brenholm", k=25, top_n=3, index=demo.index(engine), policy="demote")
    answer = search(settings_of(engine), reranker, question)
    assert (len(answer.recall), len(answer.ranking.hits), answer.ranking.dropped) == (25, 3, ())
    answer = search(settings_of(engine), reranker, replace(question, policy="filter", top_n=25))
    assert len(answer.ranking.hits) + len(answer.ranking.dropped) == 25
    assert answer.ranking.dropped


@CLIENTS
def test_vectors_of_another_bundle_are_refused(
    engine: Node, indices: Indices, demo: Demo, reranker: Reranker, tiny_reranker: Reranker
) -> None:
    dense = Question("a bus", index=demo.index(engine))
    own = replace(dense, recall_query={"match_all": {}}, k=3)
    for asked in ([dense], [own, dense]):
        with pytest.raises(LayoutError, match="has vectors of 384 numbers, the bundle gives 32: give a query of your"):
            search(settings_of(engine), tiny_reranker, *asked)
    bare = indices.make(engine, reranker, "none")
    with pytest.raises(LayoutError, match="has no vectors, the bundle gives 384"):
        search(settings_of(engine), reranker, replace(own, index=bare), replace(dense, index=bare))


@CLIENTS
def test_an_engine_that_is_down(engine: Node, reranker: Reranker) -> None:
    where = EngineSettings(engine=engine.kind, engine_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(EngineUnavailable):
        search(where, reranker, Question("a bus", index="st-any"))


def test_elasticsearch_is_not_opensearch(elasticsearch_9: Node, demo: Demo, reranker: Reranker) -> None:
    where = replace(settings_of(elasticsearch_9), engine="opensearch")
    with pytest.raises(EngineError, match="answered 400"):
        search(where, reranker, Question("a bus", index=demo.index(elasticsearch_9)))
