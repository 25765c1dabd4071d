"""The gateway in front of real engines, with the clients that people use, and what passes untouched."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from elasticsearch import ApiError, Elasticsearch
from gateway_site import HITS, Site, call, ids, mark, oracle, refused, search
from opensearchpy import OpenSearch
from opensearchpy.exceptions import RequestError

from plugin_server import Reranker

PASSED = [
    ("GET", "/_cat/indices?h=index&s=index", None, {}, "cat, as plain text"),
    ("GET", "/_cat/indices?v&h=index&s=index&format=yaml", None, {}, "other formats"),
    ("HEAD", "/hills", None, {}, "HEAD, there"),
    ("HEAD", "/nothere", None, {}, "HEAD, not there"),
    ("GET", "/hills/_doc/3", None, {}, "a document"),
    ("GET", "/hills/_doc/nothere", None, {}, "404 of a document"),
    ("GET", "/nothere/_doc/3", None, {}, "404 of an index"),
    ("GET", "/hills/_mapping?pretty", None, {}, "indented"),
    ("GET", "/hills/_count?q=text:station", None, {}, "count"),
    ("POST", "/hills/_count", {"query": {"match": {"text": "hill"}}}, {}, "count with a body"),
    ("GET", "/%3Chills-%7Bnow%2Fd%7D%3E/_doc/1", None, {}, "date arithmetic, escaped"),
    ("GET", "/hills/_doc/a%2Fb%3Fc%20d", None, {}, "an id with escapes"),
    ("GET", "/hills//_doc", None, {}, "no such path"),
    ("PATCH", "/hills", b"{}", {}, "no such method"),
    ("POST", "/hills/_search", b"{not json", {}, "not JSON"),
    ("POST", "/hills/_search", b'{"size":1,"ext":{"rerank":{"query_context":{}}},"size":2}', {}, "a key twice"),
    ("POST", "/hills/_search", b'{"min_score":NaN,"ext":{"rerank":{"query_context":{}}}}', {}, "NaN"),
    ("POST", "/hills/_search", b"size: 1", {"Content-Type": "text/plain"}, "a type that engines refuse"),
    ("POST", "/hills/_search", {"nosuchkey": 1}, {}, "an unknown key"),
    ("POST", "/hills/_search?nosuch=1", {"size": 1}, {}, "an unknown parameter"),
    (
        "POST",
        "/_bulk",
        b'{"index":{"_index":"hills","_id":"0"}}',
        {"Content-Type": "application/x-ndjson"},
        "half bulk",
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "remark"), PASSED, ids=[case[4] for case in PASSED])
def test_passed_untouched(site: Site, method: str, path: str, body: Any, headers: dict[str, str], remark: str) -> None:
    direct, through = (call(base, method, path, body, headers) for base in site.bases)
    assert through[0] == direct[0], remark
    assert through[2] == direct[2], remark
    lower = [{name.lower(): value for name, value in reply[1].items()} for reply in (direct, through)]
    assert lower[0] == lower[1], remark


def test_searches_without_a_context_pass_untouched(site: Site) -> None:
    body = site.recall | {"size": 7, "aggs": {"groups": {"terms": {"field": "group"}}}}
    answers = []
    for base in site.bases:
        for encoding in ("identity", "gzip"):
            _, headers, raw = call(base, "GET", "/hills/_search", body, {"Accept-Encoding": encoding})
            assert (headers.get("content-encoding") or headers.get("Content-Encoding")) in (None, encoding)
            if encoding == "identity":
                answers.append({key: value for key, value in json.loads(raw).items() if key != "took"})
    assert answers[0] == answers[1]


def test_writing_through_the_gateway(site: Site) -> None:
    lines = b'{"index":{"_index":"scratch","_id":"1"}}\n{"n":1}\n{"delete":{"_index":"scratch","_id":"9"}}\n'
    ndjson = {"Content-Type": "application/x-ndjson"}
    replies = []
    for base in site.bases:
        made = call(base, "PUT", "/scratch", {"settings": {"number_of_replicas": 0}})
        bulk = json.loads(call(base, "POST", "/_bulk?refresh=true", lines, ndjson)[2])
        again = call(base, "PUT", "/scratch", {})
        bulk.pop("took")
        gone = call(base, "DELETE", "/scratch")
        clean = json.loads(again[2])
        for part in (clean["error"], *clean["error"]["root_cause"]):  # a new index has a new uuid
            part["reason"], part["index_uuid"] = part["reason"][:15], ""
        replies.append((made[0], made[2], bulk, again[0], clean, gone[0], gone[2]))
    assert replies[0] == replies[1]


@pytest.mark.parametrize("site", ["opensearch_2", "opensearch_3"], indirect=True)
def test_opensearch_client(site: Site) -> None:
    for compress in (False, True):
        client = OpenSearch(site.gateway, http_compress=compress)
        try:
            assert client.info()["version"]["distribution"] == "opensearch"
            found = client.search(index="hills", body=site.body({"size": 12}), params={"request_timeout": 30})
            assert ids(found) == ids(search(site.gateway, site.body({"size": 12})))
            assert client.indices.exists(index="hills") and not client.indices.exists(index="nothere")
            many = client.msearch(body=[{"index": "hills"}, site.body({"size": 3})])
            assert ids(many["responses"][0]) == ids(found)[:3]
            with pytest.raises(RequestError) as caught:
                client.search(index="hills", body=site.body(policy="maybe"))
            assert caught.value.error == "simgate_invalid_request"
            with pytest.raises(RequestError, match="scroll: cannot be combined"):
                client.search(index="hills", body=site.body(), params={"scroll": "1m"})
        finally:
            client.close()


@pytest.mark.parametrize("site", ["elasticsearch_9"], indirect=True)
def test_elasticsearch_client(site: Site) -> None:
    for compress in (False, True):
        with Elasticsearch(site.gateway, http_compress=compress) as client:
            ext = site.body({})["ext"]
            found = client.search(index="hills", knn=site.recall["knn"], ext=ext, size=12)
            assert ids(found.body) == ids(search(site.gateway, site.body({"size": 12})))
            assert found.meta.headers["x-elastic-product"] == "Elasticsearch"
            many = client.msearch(searches=[{"index": "hills"}, site.body({"size": 3})])
            assert ids(many["responses"][0]) == ids(found.body)[:3]
            with pytest.raises(ApiError, match="policy: 'maybe' is not known") as caught:
                client.search(index="hills", knn=site.recall["knn"], ext=ext | {"simgate": {"policy": "maybe"}})
            assert caught.value.meta.headers["x-elastic-product"] == "Elasticsearch"


def test_body_in_the_url(site: Site) -> None:
    source = quote(json.dumps(site.body({"size": 5})))
    path = f"/hills/_search?source={source}&source_content_type=application/json"
    status, _, raw = call(site.gateway, "GET", path)
    assert status == 200 and ids(json.loads(raw)) == ids(search(site.gateway, site.body({"size": 5})))


def test_pretty_is_honoured(site: Site) -> None:
    _, _, raw = call(site.gateway, "POST", "/hills/_search?pretty", site.body({"size": 1}))
    _, _, direct = call(site.node, "POST", "/hills/_search?pretty", site.recall | {"size": 1})
    assert raw.splitlines()[0] == direct.splitlines()[0] == b"{"
    assert raw.splitlines()[2] == direct.splitlines()[2] == b'  "timed_out" : false,'


def test_size_0_has_nothing_to_verify(site: Site) -> None:
    found = search(site.gateway, site.body({"size": 0}))
    assert found["hits"]["hits"] == [] and found["hits"]["total"]["value"] == HITS


def test_engine_s_own_error_for_a_verified_search(site: Site) -> None:
    body = {"query": {"nosuchquery": {}}}
    asked = body | {"ext": site.body()["ext"]}
    direct, through = (
        call(site.node, "POST", "/hills/_search", body),
        call(site.gateway, "POST", "/hills/_search", asked),
    )
    assert direct[0] == through[0] == 400
    assert json.loads(through[2])["error"]["root_cause"][0]["reason"] == "unknown query [nosuchquery]"
    missing = [
        call(base, "POST", "/nothere/_search", given)
        for base, given in ((site.node, site.recall), (site.gateway, site.body()))
    ]
    assert missing[0][0] == missing[1][0] == 404 and missing[0][2] == missing[1][2]


def test_comments_are_not_verified_in_silence(site: Site) -> None:
    raw = json.dumps(site.recall | {"size": 1}).encode()[:-1] + b"/* query_context */}"
    assert call(site.node, "POST", "/hills/_search", raw)[0] == 200
    assert "is not strict JSON" in refused(site.gateway, raw)
    assert call(site.gateway, "POST", "/hills/_search", raw.replace(b"query_context", b"hello"))[0] == 200


def test_collapse_highlight_explain_and_a_pit(site: Site) -> None:
    body = site.body({"size": 5, "collapse": {"field": "group"}, "explain": True})
    groups = [hit["fields"]["group"][0] for hit in search(site.gateway, body)["hits"]["hits"]]
    assert len(set(groups)) == len(groups) > 0
    words = {"query": {"match": {"text": "station"}}, "highlight": {"fields": {"text": {}}}, "ext": site.body()["ext"]}
    assert "raw" in refused(site.gateway, words | {"query": {"match": {"text": {"query": "station", "boost": 9}}}})
    lit = search(site.gateway, words | {"ext": words["ext"] | {"simgate": {"scores": "raw"}}})["hits"]["hits"]
    assert lit and all("<em>station</em>" in hit["highlight"]["text"][0] for hit in lit)
    opensearch = site.kind == "opensearch"
    path = "/hills/_search/point_in_time?keep_alive=1m" if opensearch else "/hills/_pit?keep_alive=1m"
    opened = json.loads(call(site.gateway, "POST", path)[2])
    pit = opened["pit_id"] if opensearch else opened["id"]
    aggs = {"groups": {"terms": {"field": "group"}}}
    with_pit = search(site.gateway, site.body({"size": 40, "pit": {"id": pit}, "aggs": aggs}), "/_search")
    assert ids(with_pit) == ids(search(site.gateway, site.body({"size": 40})))
    assert sum(bucket["doc_count"] for bucket in with_pit["aggregations"]["groups"]["buckets"]) == len(ids(with_pit))
    closing = "/_search/point_in_time" if opensearch else "/_pit"
    assert call(site.gateway, "DELETE", closing, {"pit_id": [pit]} if opensearch else {"id": pit})[0] == 200


def test_profile_and_scales(site: Site, reranker: Reranker) -> None:
    pairs = search(site.gateway, site.body({"size": 60}, profile="pairs"))["hits"]["hits"]
    expected = [verdict for _, verdict, _ in oracle(site, reranker, "filter", "pairs")]
    assert [mark(hit)["profile"] for hit in pairs] == ["pairs"] * (len(expected) + 2)
    raw = search(site.gateway, site.body({"size": 60}, scores="raw", policy="annotate"))["hits"]["hits"]
    cosine = search(site.gateway, site.body({"size": 60}, policy="annotate"))["hits"]["hits"]
    gaps = {hit["_id"]: hit["_score"] - mark(hit)["recall_score"] for hit in raw}
    for hit in cosine:  # the score is the recall score and the verdict's share
        assert hit["_score"] - (2 * mark(hit)["recall_score"] - 1) == pytest.approx(gaps[hit["_id"]], abs=1e-6)
