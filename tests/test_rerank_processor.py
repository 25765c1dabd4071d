"""OpenSearch's own rerank processor over simgate on real nodes: what it sends, what goes wrong, and what then comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from conftest import Run
from nodes.engine import Engine, Refused
from nodes.proxy import Rule
from searching import DOCUMENTS, QUERY, TEXTS, Site, scores, site
from templating import SIDECAR, changes, options

from plugin_server import Reranker
from plugin_server.blob import TokenBlob
from plugin_server.engines.layout import BLOB, WINDOWS

FOREIGN = TokenBlob("00" * 8, (np.ones((4, 64), np.int8),)).text()


def test_one_request_a_search(there: Site) -> None:
    since = len(there.proxy.seen)
    hits = scores(there.rerank(QUERY))
    (seen,) = there.proxy.seen[since:]
    assert seen.path == "/v2/rerank?ranked=true&details=false"
    assert seen.headers["Authorization"] == "Bearer none"
    (body,) = there.sent(since)
    assert (body["query"], body["model"], body["top_n"]) == (QUERY, "simgate-passages", len(TEXTS))
    assert all(text.startswith("sgb1:") for text in body["documents"])
    assert list(hits.values()) == sorted(hits.values(), reverse=True)
    accepted = there.kept(QUERY)
    assert {name for name, score in hits.items() if score >= 0.5} == accepted == {"1", "3"}


@pytest.mark.parametrize(
    ("rule", "status", "words", "remark"),
    [
        (Rule(status=500, body=b'{"message":"boom"}'), 500, "boom", "an error of ours"),
        (Rule(status=503), 503, "Error from remote service", "stopping"),
        (Rule(status=429), 429, "Error from remote service", "too much to do"),
        (Rule(status=200, body=b"<html>"), 500, "Fail to execute PREDICT", "something else answers"),
        (Rule(status=200, body=b'{"results":[]}'), 500, "null_pointer", "no results"),
        (
            Rule(status=200, body=b'{"results":[{"index":0,"relevance_score":0.5}]}'),
            500,
            "out of bounds|same length",
            "too few",
        ),
    ],
)
def test_a_fault_of_the_sidecar(there: Site, rule: Rule, status: int, words: str, remark: str) -> None:
    """With ignore_failure the hits are those of the engine, in its order; without, the search tells what is wrong."""
    dense = scores(there.search("", there.dense(QUERY)))
    with there.faulty(rule):
        assert list(scores(there.rerank(QUERY)).items()) == list(dense.items())
        with pytest.raises(Refused, match=words) as refused:
            there.rerank(QUERY, pipeline="strict")
    assert refused.value.status == status


def test_a_connection_that_breaks(there: Site) -> None:
    """The engine tells of it in a body without hits, but with status 200: clients must look for hits."""
    dense = scores(there.search("", there.dense(QUERY)))
    with there.faulty(Rule(cut=True)):
        assert scores(there.rerank(QUERY)) == dense
        with pytest.raises(AssertionError, match="before the connection was closed"):
            there.rerank(QUERY, pipeline="strict")


@pytest.mark.parametrize("opensearch", ["opensearch_3"], indirect=True)
def test_a_sidecar_that_is_slow(there: Site) -> None:
    """The connectors wait for 5 seconds; one line of OpenSearch is tried for all."""
    dense = scores(there.search("", there.dense(QUERY)))
    asked = {"query": {"match_all": {}}, "ext": {"ml_inference": {"query": QUERY, "index": there.index}}}
    with there.faulty(Rule(delay=6)), ThreadPoolExecutor() as threads:
        lenient = threads.submit(there.rerank, QUERY)
        strict = threads.submit(there.search, "filter", asked)
        assert scores(lenient.result()) == dense
        with pytest.raises(Refused, match="Read timed out"):
            strict.result()


def test_nobody_there(opensearch_2: Engine, reranker: Reranker, run: Run) -> None:
    with site(opensearch_2, reranker, run, "down", DOCUMENTS[:2]) as made:
        gone = options(opensearch_2, reranker, "down", sidecar=SIDECAR)
        run(changes(opensearch_2, gone))  # where nobody listens
        dense = scores(made.search("", made.dense(QUERY)))
        assert scores(made.rerank(QUERY)) == dense
        asked = {"query": {"match_all": {}}, "ext": {"ml_inference": {"query": QUERY, "index": made.index}}}
        with pytest.raises(Refused, match="Connection refused"):
            made.search("filter", asked)
        searched = made.dense(QUERY) | {"ext": {"ml_inference": {"query": QUERY}}}
        assert [hit["_source"].get("simgate_verdict") for hit in made.search("verdicts", searched)] == [None, None]
        run(changes(opensearch_2, gone, gone=True))


@pytest.mark.parametrize(
    ("query", "arrives", "remark"),
    [
        ('say "left" at the church', None, "quotes"),
        ("turn left\nat the\tchurch", None, "line ends"),
        ('left \\ at the \\"church\\', None, "backslashes"),
        ("🚂 עברית zażółć 漢字", None, "any script"),
        ("[1, 2]", None, "a list of numbers"),
        ('"left"', None, "a JSON text"),
        ("7", None, "a number"),
        ("true", None, "a word of JSON"),
        ("left <b> & 'right'", None, "nothing is escaped twice"),
        ("${parameters.model}", "simgate-passages", "ML Commons fills placeholders of the connector, in queries too"),
        ("${credential.key}", None, "but not those of secrets"),
    ],
)
def test_whatever_is_asked(there: Site, query: str, arrives: str | None, remark: str) -> None:
    since = len(there.proxy.seen)
    hits = scores(there.rerank(query, pipeline="strict"))
    assert [body["query"] for body in there.sent(since)] == [arrives or query]
    kept = {name for name, score in hits.items() if score >= 0.5}
    assert kept == there.kept(arrives or query)


@pytest.mark.parametrize("query", ['{"left": 1}', '["left"]', "${parameters.documents}"])
def test_a_query_that_looks_like_json(there: Site, query: str) -> None:
    """ML Commons puts it into the request without quotes and refuses what comes of that; simgate is not even asked."""
    since = len(there.proxy.seen)
    assert scores(there.rerank(query)) == scores(there.search("", there.dense(query)))
    with pytest.raises(Refused, match=r"400.*Invalid payload"):
        there.rerank(query, pipeline="strict")
    assert len(there.proxy.seen) == since


#: The fields of a document, whether it is kept, what arrives of it if that is not what is stored, and a remark.
STORED: list[tuple[dict[str, Any], bool, str | None, str]] = [
    ({"text": TEXTS[1]}, True, None, "no blob: the text is encoded"),
    ({"text": TEXTS[0]}, False, None, "and judged"),
    ({"text": TEXTS[0], BLOB: "sgb1:AAAA"}, True, None, "a malformed blob hides its text: unverified"),
    ({"text": TEXTS[0], BLOB: FOREIGN}, False, None, "another bundle's blob: the text is encoded"),
    ({"text": TEXTS[1], BLOB: FOREIGN}, True, None, "and judged"),
    ({BLOB: FOREIGN}, True, None, "another bundle's blob alone: unverified"),
    ({}, True, None, "neither: unverified"),
    ({"text": " "}, True, None, "no words: unverified"),
    ({"text": [TEXTS[2], "Ducks swim there."]}, False, None, "two values"),
    ({"text": 'say "left" \\ {"a": [1]} 🚂'}, False, None, "signs of JSON"),
    ({"text": "${parameters.query}"}, True, QUERY, "ML Commons puts the query in its place: only a blob helps"),
    ({"text": "${parameters.query}", BLOB: "OWN"}, False, None, "the blob counts, whatever is put behind it"),
]


def test_whatever_is_in_documents(there: Site) -> None:
    """Each is judged by itself, and the search never fails."""
    engine, index = there.engine, f"{there.prefix}-documents"
    stored = engine.request("GET", f"/{there.index}/_doc/0")["_source"]
    lines: list[Any] = []
    for number, (fields, _, _, _) in enumerate(STORED):
        own = {BLOB: stored[BLOB]} if fields.get(BLOB) == "OWN" else {}
        lines += [{"index": {"_id": str(number)}}, {WINDOWS: stored[WINDOWS]} | fields | own]
    assert not engine.request("POST", f"/{index}/_bulk?refresh=true", lines)["errors"]
    try:
        since = len(there.proxy.seen)
        body = there.dense(QUERY) | {"ext": {"rerank": {"query_context": {"query_text": QUERY}}}}
        dense = list(scores(engine.request("POST", f"/{index}/_search", body)["hits"]["hits"]))
        path = f"/{index}/_search?search_pipeline={there.prefix}-strict"
        found = scores(engine.request("POST", path, body)["hits"]["hits"])
        assert len(found) == len(STORED)
        arrived = dict(zip(dense, there.sent(since)[0]["documents"], strict=True))
        for number, (_, kept, arrives, remark) in enumerate(STORED):
            assert (found[str(number)] >= 0.5) == kept, remark
            assert arrives is None or arrived[str(number)] == arrives, remark
    finally:
        engine.request("DELETE", f"/{index}")
