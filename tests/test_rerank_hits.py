"""OpenSearch's processors over simgate: numbers of hits and of scores, fields, pipelines of an index, and filtering."""

from __future__ import annotations

import json
from typing import Any

import pytest
from nodes.engine import Refused
from nodes.proxy import Rule
from searching import QUERY, TEXTS, Site, held, scores

from plugin_server.engines.layout import BLOB, WINDOWS


def inference(query: str, index: str = "") -> dict[str, Any]:
    """What the ml_inference processors read of a search."""
    return {"ext": {"ml_inference": {"query": query} | ({"index": index} if index else {})}}


@pytest.mark.parametrize(
    ("written", "read", "remark"),
    [
        ("0.12345678", True, "8 digits"),
        ("0.9999999", True, "the highest"),
        ("1.2345679e-12", True, "an exponent"),
        ("5e-324", True, "the smallest there is"),
        ("0.0", True, "zero with a point"),
        ("1", False, "one without: not a Double"),
        ("0", False, "zero without"),
        ("null", False, "none"),
    ],
)
def test_how_scores_must_be_written(there: Site, written: str, read: bool, remark: str) -> None:
    """What `relevance` is made for: a score that the engine cannot read would fail the search."""
    rows = ",".join(f'{{"index":{number},"relevance_score":{written}}}' for number in range(len(TEXTS)))
    dense = scores(there.search("", there.dense(QUERY)))
    with there.faulty(Rule(status=200, body=f'{{"results":[{rows}]}}'.encode())):
        found = scores(there.rerank(QUERY))
    expected = dict.fromkeys(dense, float(written)) if read else dense
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-37)


@pytest.mark.parametrize("size", [1, 100, 1000])
def test_any_number_of_hits(there: Site, size: int) -> None:
    """Every hit gets its score, and nothing is encoded."""
    index = f"{there.prefix}-many"
    copied(there, index, size)
    try:
        since, before = len(there.proxy.seen), there.counted()
        body = there.dense(QUERY, size) | {"ext": {"rerank": {"query_context": {"query_text": QUERY}}}}
        path = f"/{index}/_search?search_pipeline={there.prefix}-rerank"
        hits = there.engine.request("POST", path, body)["hits"]["hits"]
        (asked,) = there.sent(since)
        assert len(hits) == len(asked["documents"]) == asked["top_n"] == size
        assert there.counted()["blobs loaded"] - before["blobs loaded"] == size
        accepted = there.kept(QUERY)
        assert held(hits) == {str(number) for number in range(size) if str(number % len(TEXTS)) in accepted}
    finally:
        there.engine.request("DELETE", f"/{index}")


@pytest.mark.parametrize("opensearch", ["opensearch_2"], indirect=True)
def test_more_hits_than_are_verified(there: Site) -> None:
    """The limit is the server's: the search stays as it was."""
    index, size = f"{there.prefix}-many", there.reranker.settings.max_candidates + 1
    copied(there, index, size)
    try:
        body = there.dense(QUERY, size)
        context = {"ext": {"rerank": {"query_context": {"query_text": QUERY}}}}
        path = f"/{index}/_search?search_pipeline={there.prefix}-rerank"
        dense = there.engine.request("POST", f"/{index}/_search", body)["hits"]["hits"]
        hits = there.engine.request("POST", path, body | context)["hits"]["hits"]
        assert len(hits) == size and scores(hits) == scores(dense)
    finally:
        there.engine.request("DELETE", f"/{index}")


def copied(there: Site, index: str, size: int) -> None:
    """An index of that many documents, the site's over and over again."""
    stored = [there.engine.request("GET", f"/{there.index}/_doc/{number}")["_source"] for number in range(len(TEXTS))]
    lines: list[Any] = []
    for number in range(size):
        lines += [{"index": {"_id": str(number)}}, stored[number % len(TEXTS)]]
    assert not there.engine.request("POST", f"/{index}/_bulk?refresh=true", lines)["errors"]


@pytest.mark.parametrize(
    ("source", "read", "remark"),
    [
        ({"includes": [BLOB]}, "blob", "all that is needed"),
        (["text"], "text", "the text is encoded"),
        ({"excludes": [WINDOWS, BLOB]}, "text", "the text is encoded"),
        (["title"], "", "nothing to read: unverified, in the engine's order"),
        (False, "", "nothing at all"),
    ],
)
def test_what_the_source_must_hold(there: Site, source: Any, read: str, remark: str) -> None:
    before = there.counted()
    found = scores(there.rerank(QUERY, _source=source))
    spent = {key: value - before[key] for key, value in there.counted().items()}
    assert spent["blobs loaded"] == (len(TEXTS) if read == "blob" else 0)
    assert spent["verdicts unverified"] == (0 if read else len(TEXTS))
    kept = {name for name, score in found.items() if score >= 0.5}
    if read:
        assert kept == there.kept(QUERY)
    else:
        assert list(found) == list(scores(there.search("", there.dense(QUERY))))
        assert len(kept) == len(TEXTS)


def test_as_the_pipeline_of_an_index(there: Site) -> None:
    """A search that gives no query text stays as it was."""
    setting = {"index.search.default_pipeline": f"{there.prefix}-rerank"}
    path = f"/{there.index}"
    there.engine.request("PUT", f"{path}/_settings", setting)
    try:
        dense = there.dense(QUERY)
        plain = scores(there.search("", dense))
        context = {"ext": {"rerank": {"query_context": {"query_text": QUERY}}}}
        reranked = there.engine.request("POST", f"{path}/_search", dense | context)["hits"]["hits"]
        assert held(reranked) == there.kept(QUERY)
        without = there.engine.request("POST", f"{path}/_search", dense)["hits"]["hits"]
        assert scores(without) == plain
        words = {"query": {"match": {"text": QUERY}}}
        told = words | {"ext": {"rerank": {"query_context": {"query_text_path": "query.match.text.query"}}}}
        reranked = there.engine.request("POST", f"{path}/_search", told)["hits"]["hits"]
        assert held(reranked) == there.kept(QUERY)
        nothing = {"query": {"match": {"text": "zebra"}}} | context
        assert there.engine.request("POST", f"{path}/_search", nothing)["hits"]["hits"] == []
    finally:
        there.engine.request("PUT", f"{path}/_settings", {"index.search.default_pipeline": None})


@pytest.mark.parametrize("opensearch", ["opensearch_3"], indirect=True)
def test_oversampling_finds_what_comes_later(there: Site) -> None:
    """Of ten times as many hits as were asked for, the best; OpenSearch 2 from Maven lacks the module for it."""
    query = "One goes left at the church, not right."
    best = sorted(scores(there.rerank(query)).items(), key=lambda item: -item[1])
    nearest = list(scores(there.search("", there.dense(query))))
    since = len(there.proxy.seen)
    found = scores(there.rerank(query, pipeline="rerank-oversample", size=1))
    assert len(there.sent(since)[0]["documents"]) == len(TEXTS)
    assert list(found.items()) == best[:1] and nearest[0] != best[0][0]


def test_verdicts_of_some(there: Site) -> None:
    """A document without a blob gets none, and takes none from the others."""
    engine, stored = there.engine, there.engine.request("GET", f"/{there.index}/_doc/1")["_source"]
    extra = {WINDOWS: stored[WINDOWS], "text": TEXTS[1]}
    engine.request("PUT", f"/{there.index}/_doc/none?refresh=true", extra)
    engine.request("PUT", f"/{there.index}/_doc/null?refresh=true", extra | {BLOB: None})
    engine.request("PUT", f"/{there.index}/_doc/bad?refresh=true", extra | {BLOB: "sgb1:AAAA"})
    try:
        hits = there.search("verdicts", there.dense(QUERY) | inference(QUERY))
        told = {hit["_id"]: hit["_source"].get("simgate_verdict") for hit in hits}
        assert told == {
            "0": "rejected", "1": "accepted", "2": "rejected", "3": "accepted", "none": None, "null": None,
            "bad": "unverified",
        }  # fmt: skip
        (bad,) = (hit["_source"] for hit in hits if hit["_id"] == "bad")
        assert bad["simgate_probability"] == -1.0 and "index the document again" in bad["simgate_reason"]
        assert all(isinstance(hit["_source"].get("simgate_probability", 0.0), float) for hit in hits)
    finally:
        for name in ("none", "null", "bad"):
            engine.request("DELETE", f"/{there.index}/_doc/{name}?refresh=true")


@pytest.mark.parametrize(
    ("query", "remark"),
    [
        (QUERY, "some are accepted"),
        ("The quarterly profits of a bank rose.", "none is"),
        ('say "left"\nat the \\ church', "signs of JSON"),
        ("🚂", "no word of any text"),
    ],
)
def test_filtered(there: Site, query: str, remark: str) -> None:
    """The hits are those accepted, best first; the search's own query and size give way."""
    asked = {"size": 1, "query": {"match": {"text": "mill"}}} | inference(query, there.index)
    hits = there.search("filter", asked)
    accepted = there.kept(query)
    assert {hit["_id"] for hit in hits} == accepted
    assert [hit["_score"] for hit in hits] == [float(score) for score in range(len(hits), 0, -1)]
    assert all(BLOB not in hit["_source"] and WINDOWS not in hit["_source"] for hit in hits)


@pytest.mark.parametrize(
    ("given", "status", "words", "remark"),
    [
        (inference(QUERY, "nowhere"), 404, "nowhere: there is no such index", "no such index"),
        (inference(QUERY, "Not/One"), 400, "is no name of an index", "no name of one"),
        (inference(QUERY), 400, "cannot find field: ext.ml_inference.index", "no index"),
        ({}, 400, "cannot find field", "no query"),
        (inference('{"a": 1}', "here-a"), 400, "Invalid payload", "looks like JSON"),
    ],
)
def test_filtering_refuses(there: Site, given: dict[str, Any], status: int, words: str, remark: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        there.search("filter", {"query": {"match_all": {}}} | given)
    assert refused.value.status == status


def test_filtering_fails_with_the_sidecar(there: Site) -> None:
    """It never falls back to the query that was sent, whose hits nobody verified."""
    stopping = Rule(status=503, body=json.dumps({"message": "stopping"}).encode())
    with there.faulty(stopping), pytest.raises(Refused, match="stopping"):
        there.search("filter", {"query": {"match_all": {}}} | inference(QUERY, there.index))
