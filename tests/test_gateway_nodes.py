"""The gateway in front of real engines, with the clients that people use."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from elasticsearch import ApiError, Elasticsearch
from opensearchpy import OpenSearch
from opensearchpy.exceptions import RequestError
from serving import serving

from plugin_server import Candidate, Reranker
from plugin_server.blob import TokenBlob
from plugin_server.gateway.app import Gateway
from plugin_server.gateway.settings import GatewaySettings

# --- temporary: replaced by the shared fixtures of the same names ---


@dataclass(frozen=True)
class Node:
    url: str
    kind: str


def given_node(variable: str, kind: str) -> Node:
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set")
    return Node(os.environ[variable], kind)


@pytest.fixture(scope="session")
def opensearch_2() -> Node:
    return given_node("OPENSEARCH_2", "opensearch")


@pytest.fixture(scope="session")
def opensearch_3() -> Node:
    return given_node("OPENSEARCH_3", "opensearch")


@pytest.fixture(scope="session")
def elasticsearch_9() -> Node:
    return given_node("ELASTICSEARCH_9", "elasticsearch")


# --- end of what is temporary ---

QUERY = "The station stands on a hill."
SENTENCES = [
    "The station is on a hill.",
    "A hill carries the station.",
    "The hill is on a station.",
    "The station stands in a valley.",
    "The station does not stand on a hill.",
    "On the hill there is a station.",
    "The last bus leaves at ten.",
    "The shop sells bread.",
    "You find the station up on the hill.",
    "The school stands on a hill.",
    "The station stood on a hill before it was moved.",
    "The old station is built upon a hill.",
]
TEXTS = [f"{sentence}{more}" for more in ("", " Trains stop there.", " It opened in 1901.") for sentence in SENTENCES]
FIELDS = ("simgate_blob", "simgate_windows")
HITS = len(TEXTS) + 4


@dataclass(frozen=True)
class Site:
    """A node with the corpus, and a gateway in front of it."""

    node: str
    gateway: str
    kind: str
    recall: dict[str, Any]

    def body(self, page: dict[str, Any] | None = None, **knobs: Any) -> dict[str, Any]:
        ext = {"rerank": {"query_context": {"query_text": QUERY}}} | ({"simgate": knobs} if knobs else {})
        return self.recall | {"ext": ext} | (page or {})


def call(base: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """Status, headers and body bytes, nothing decoded on the way."""
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        raw = json.dumps(body).encode() if isinstance(body, dict) else body
        sent = {"Content-Type": "application/json"} if raw is not None else {}
        connection.request(method, path, raw, sent | (headers or {}))
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def search(base: str, body: Any, path: str = "/hills/_search") -> dict[str, Any]:
    status, _, raw = call(base, "POST", path, body)
    assert status == 200, raw
    result: dict[str, Any] = json.loads(raw)
    return result


def refused(base: str, body: Any, path: str = "/hills/_search") -> str:
    status, _, raw = call(base, "POST", path, body)
    assert status == 400, raw
    error = json.loads(raw)["error"]
    assert error["type"] == "simgate_invalid_request"
    reason: str = error["root_cause"][0]["reason"]
    return reason


def ids(response: dict[str, Any]) -> list[str]:
    return [hit["_id"] for hit in response["hits"]["hits"]]


def mark(hit: dict[str, Any]) -> dict[str, Any]:
    (only,) = hit["fields"]["simgate"]
    result: dict[str, Any] = only
    return result


def fill(node: str, kind: str, reranker: Reranker) -> None:
    """The index ``hills``, of two shards, and ``words``, whose field n is a text."""
    opensearch = kind == "opensearch"
    vector: dict[str, Any] = {"type": "dense_vector", "dims": 384, "similarity": "cosine"}
    if opensearch:
        method = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}
        vector = {"type": "knn_vector", "dimension": 384, "method": method}
    settings: dict[str, Any] = {"number_of_shards": 2, "number_of_replicas": 0}
    properties = {
        "text": {"type": "text"},
        "simgate_blob": {"type": "keyword", "index": False, "doc_values": False},
        "vector": vector,
        "n": {"type": "integer"},
        "group": {"type": "keyword"},
    }
    for name, number in (("hills", "integer"), ("words", "text")):
        call(node, "DELETE", f"/{name}")
        mapping = {"properties": properties | {"n": {"type": number}}}
        made = {"settings": settings | ({"index.knn": True} if opensearch else {}), "mappings": mapping}
        status, _, raw = call(node, "PUT", f"/{name}", made)
        assert status == 200, raw
    encoded, fingerprint = reranker.encode(TEXTS), reranker.manifest.fingerprint
    documents = [
        {"text": text, "simgate_blob": item.blob(fingerprint).text(), "vector": item.vectors[0].tolist()}
        for text, item in zip(TEXTS, encoded, strict=True)
    ]
    foreign, vector_of = TokenBlob("00" * 8, encoded[0].windows).text(), documents[0]["vector"]
    documents += [
        {"text": "The station is built on a hill.", "vector": vector_of},
        {"text": "A hill has a station on it.", "simgate_blob": foreign, "vector": vector_of},
        {"simgate_blob": "sgb1:AAAA", "vector": vector_of},
        {"vector": vector_of},
    ]
    lines = []
    for number, document in enumerate(documents):
        lines += [{"index": {"_index": "hills", "_id": str(number)}}]
        lines += [document | {"n": 100 - number, "group": f"g{number % 5}"}]
    lines += [{"index": {"_index": "words", "_id": "0"}}, documents[0] | {"n": "hill", "group": "g0"}]
    raw = "".join(json.dumps(line) + "\n" for line in lines).encode()
    assert json.loads(call(node, "POST", "/_bulk?refresh=true", raw)[2])["errors"] is False


@pytest.fixture(scope="session", params=["opensearch_2", "opensearch_3", "elasticsearch_9"])
def site(request: pytest.FixtureRequest, reranker: Reranker) -> Iterator[Site]:
    node = request.getfixturevalue(request.param)
    fill(node.url, node.kind, reranker)
    vector = reranker.encoder.query(QUERY).vectors[0].tolist()
    knn = {"field": "vector", "query_vector": vector, "k": 60, "num_candidates": 200}
    opensearch = {"query": {"knn": {"vector": {"vector": vector, "k": 60}}}}
    with serving(Gateway(reranker, GatewaySettings(node.url))) as url:
        yield Site(node.url, url, node.kind, {"knn": knn} if node.kind == "elasticsearch" else opensearch)


def oracle(site: Site, reranker: Reranker, policy: str, profile: str = "passages") -> list[tuple[str, str, float]]:
    """Id, verdict and score of every hit, from the engine's own hits and the reranker alone."""
    direct = search(site.node, site.recall | {"size": 100})
    hits = direct["hits"]["hits"]
    assert len(hits) == HITS
    read = [hit for hit in hits if "text" in hit["_source"]]
    candidates = [Candidate(hit["_source"]["text"], hit["_id"], 2 * hit["_score"] - 1) for hit in read]
    ranking = reranker.rerank(QUERY, candidates, profile, policy)
    return [(hit.candidate.id, hit.verdict.outcome.value, hit.score) for hit in ranking.hits]


@pytest.mark.parametrize("policy", ["filter", "annotate"])
def test_verified_as_the_reranker_does(site: Site, reranker: Reranker, policy: str) -> None:
    found = search(site.gateway, site.body({"size": 60}, policy=policy))["hits"]["hits"]
    read = [hit for hit in found if mark(hit)["verdict"] != "unverified"]
    expected = oracle(site, reranker, policy)
    assert len(found) == len(expected) + 2
    assert [mark(hit)["verdict"] for hit in read] == [verdict for _, verdict, _ in expected]
    assert [hit["_score"] for hit in read] == pytest.approx([score for _, _, score in expected], abs=1e-4)
    assert {hit["_id"] for hit in read} == {identity for identity, _, _ in expected}
    assert [hit["_score"] for hit in found] == sorted((hit["_score"] for hit in found), reverse=True)


def test_demote_puts_every_rejected_hit_behind_every_other(site: Site) -> None:
    found = search(site.gateway, site.body({"size": 60}, policy="demote"))
    verdicts = [mark(hit)["verdict"] for hit in found["hits"]["hits"]]
    first = verdicts.index("rejected")
    assert len(verdicts) == HITS and 0 < first < HITS and set(verdicts[first:]) == {"rejected"}
    assert found["hits"]["max_score"] == found["hits"]["hits"][0]["_score"]
    assert found["hits"]["total"]["value"] == HITS


def test_hits_that_cannot_be_read_are_unverified(site: Site) -> None:
    by_id = {hit["_id"]: mark(hit) for hit in search(site.gateway, site.body({"size": 60}))["hits"]["hits"]}
    texts, foreign, broken, empty = (by_id.get(str(len(TEXTS) + number)) for number in range(4))
    assert texts and texts["verdict"] == "accepted" and texts["reason"] == ""
    assert foreign and foreign["verdict"] == "accepted"  # its text was read
    assert broken and broken["verdict"] == "unverified" and "the token blob is truncated" in broken["reason"]
    assert empty and empty["verdict"] == "unverified" and empty["probability"] is None
    assert "neither a token blob nor a text" in empty["reason"]


def test_pages_are_parts_of_one_list(site: Site) -> None:
    whole = search(site.gateway, site.body({"size": 24}))
    first = search(site.gateway, site.body({"size": 12}))
    second = search(site.gateway, site.body({"size": 1}), "/hills/_search?from=12&size=12")  # the URL wins
    assert ids(first) + ids(second) == ids(whole)
    assert len(set(ids(whole))) == len(ids(whole)) > 12
    assert first["hits"]["total"] == second["hits"]["total"] == whole["hits"]["total"]
    assert first["hits"]["max_score"] == second["hits"]["max_score"] == whole["hits"]["hits"][0]["_score"]


def test_total_is_exact_or_a_lower_bound(site: Site, reranker: Reranker) -> None:
    kept = len(oracle(site, reranker, "filter")) + 2
    assert search(site.gateway, site.body())["hits"]["total"] == {"value": kept, "relation": "eq"}
    some = search(site.gateway, site.body(k=15))["hits"]["total"]
    assert 0 < some["value"] < kept and some["relation"] == "gte"
    assert search(site.gateway, site.body(k=15, policy="annotate"))["hits"]["total"]["value"] == HITS
    assert search(site.gateway, site.body(), "/hills/_search?rest_total_hits_as_int=true")["hits"]["total"] == kept
    assert "total" not in search(site.gateway, site.body({"track_total_hits": False}))["hits"]


def test_simgate_s_fields_are_seen_only_if_asked_for(site: Site) -> None:
    plain = search(site.gateway, site.body({"size": 3}))["hits"]["hits"]
    assert all("simgate_blob" not in hit["_source"] and "text" in hit["_source"] for hit in plain)
    assert all(list(hit["fields"]) == ["simgate"] for hit in plain)
    asked = search(site.gateway, site.body({"size": 3, "fields": ["te*", "n"], "_source": False}))["hits"]["hits"]
    assert all("_source" not in hit and {*hit["fields"]} == {"text", "n", "simgate"} for hit in asked[:1])
    blobs = search(site.gateway, site.body({"size": 1, "fields": ["simgate_blob"]}), "/hills/_search?_source=n")
    (hit,) = blobs["hits"]["hits"]
    assert {*hit["fields"]} == {"simgate_blob", "simgate"} and {*hit["_source"]} == {"n"}
    every = search(site.gateway, site.body({"size": 1, "_source": True}))["hits"]["hits"][0]
    assert "simgate_blob" in every["_source"]


def test_sort_keeps_the_engine_s_order(site: Site, reranker: Reranker) -> None:
    kept = {identity for identity, _, _ in oracle(site, reranker, "filter")} | {str(HITS - 1), str(HITS - 2)}
    by_n = search(site.gateway, site.body({"size": 40, "sort": [{"n": "asc"}]}))
    assert ids(by_n) == sorted(kept, key=lambda identity: -int(identity))
    assert {hit["_score"] for hit in by_n["hits"]["hits"]} == {None} and by_n["hits"]["max_score"] is None
    marked = search(site.gateway, site.body({"size": 40, "sort": [{"n": "asc"}]}, policy="annotate"))
    assert ids(marked) == [str(number) for number in reversed(range(HITS))]
    assert "rejected" in {mark(hit)["verdict"] for hit in marked["hits"]["hits"]}
    by_url = search(site.gateway, site.body({"size": 40}), "/hills/_search?sort=n:asc")
    assert ids(by_url) == ids(by_n)
    by_score = search(site.gateway, site.body({"size": 40, "sort": ["_score"]}))
    assert ids(by_score) == ids(search(site.gateway, site.body({"size": 40})))
    scored = search(site.gateway, site.body({"size": 40, "sort": ["n"], "track_scores": True}))
    best = max(hit["_score"] for hit in scored["hits"]["hits"])
    assert ids(scored) == ids(by_n) and scored["hits"]["max_score"] == best
    assert best == search(site.gateway, site.body())["hits"]["max_score"]


def test_search_after_goes_on_behind_the_last_hit_shown(site: Site) -> None:
    whole = search(site.gateway, site.body({"size": 40, "sort": [{"n": "asc"}]}))
    seen: list[str] = []
    after: dict[str, Any] = {}
    while page := search(site.gateway, site.body({"size": 7, "sort": [{"n": "asc"}], **after}, k=40))["hits"]["hits"]:
        seen += [hit["_id"] for hit in page]
        after = {"search_after": page[-1]["sort"]}
    assert seen == ids(whole)
    assert "search_after: cannot be combined" in refused(site.gateway, site.body({"search_after": [1]}))
    paged = {"search_after": [1], "sort": ["n"], "from": 2}
    assert refused(site.gateway, site.body(paged)) == "from: must be 0 with search_after"


def test_aggregations_count_what_was_kept(site: Site) -> None:
    aggs = {
        "aggs": {"groups": {"terms": {"field": "group", "order": {"_key": "asc"}}}, "mean": {"avg": {"field": "n"}}}
    }
    kept = search(site.gateway, site.body({"size": 60, "_source": ["group", "n"]} | aggs))
    groups: dict[str, int] = {}
    for hit in kept["hits"]["hits"]:
        groups[hit["_source"]["group"]] = groups.get(hit["_source"]["group"], 0) + 1
    counted = {bucket["key"]: bucket["doc_count"] for bucket in kept["aggregations"]["groups"]["buckets"]}
    assert counted == groups
    numbers = [hit["_source"]["n"] for hit in kept["hits"]["hits"]]
    assert kept["aggregations"]["mean"]["value"] == pytest.approx(sum(numbers) / len(numbers))
    page = search(site.gateway, site.body({"size": 2} | aggs))
    assert page["aggregations"] == kept["aggregations"] and len(page["hits"]["hits"]) == 2
    none = search(site.gateway, site.body({"size": 0} | aggs))
    assert none["aggregations"] == kept["aggregations"] and none["hits"]["hits"] == []
    typed = search(site.gateway, site.body(aggs), "/hills/_search?typed_keys=true")["aggregations"]
    assert typed["sterms#groups"] == kept["aggregations"]["groups"]
    direct = search(site.node, site.recall | {"size": 100} | aggs)["aggregations"]
    for knobs in ({"policy": "annotate"}, {"policy": "demote"}, {"aggregations": "recall"}):
        assert search(site.gateway, site.body(aggs, **knobs))["aggregations"] == direct
    assert kept["aggregations"] != direct
    wrong = {"aggs": {"bad": {"terms": {"field": "text"}}}}
    status, _, raw = call(site.gateway, "POST", "/hills/_search", site.body(wrong))
    assert status == 400 and "simgate" not in json.loads(raw)["error"]["type"]  # the engine's own words


def test_msearch_verifies_each_search_by_itself(site: Site) -> None:
    bodies = [
        site.body({"size": 5}),
        site.recall | {"size": 3},
        site.body({"size": 5}, policy="maybe"),
        site.body({"size": 5, "sort": ["text"]}),
        site.body({"size": 2, "aggs": {"groups": {"terms": {"field": "group"}}}}),
    ]
    raw = b"".join(b'{"index":"hills"}\n' + json.dumps(body).encode() + b"\n" for body in bodies)
    status, _, answer = call(site.gateway, "POST", "/_msearch", raw, {"Content-Type": "application/x-ndjson"})
    assert status == 200
    first, plain, wrong, failed, counted = json.loads(answer)["responses"]
    single = search(site.gateway, bodies[0])
    assert ids(first) == ids(single) and first["hits"] == single["hits"] and first["status"] == 200
    assert ids(plain) == ids(search(site.node, bodies[1])) and "fields" not in plain["hits"]["hits"][0]
    assert wrong["status"] == 400 and "policy: 'maybe' is not known" in wrong["error"]["reason"]
    assert failed["status"] == 400 and "simgate" not in json.dumps(failed)
    assert counted["aggregations"] == search(site.gateway, bodies[4])["aggregations"]


def test_msearch_of_wrong_searches_alone_and_of_plain_ones(site: Site) -> None:
    wrong = b"{}\n" + json.dumps(site.body(policy="maybe")).encode() + b"\n"
    status, _, raw = call(site.gateway, "GET", "/hills/_msearch", wrong)
    assert status == 200 and [item["status"] for item in json.loads(raw)["responses"]] == [400]
    plain = b'{}\n{"size":1}\n\n{"size":2}\n'
    results = [json.loads(call(base, "POST", "/hills/_msearch", plain)[2])["responses"] for base in site_bases(site)]
    assert [ids(item) for item in results[0]] == [ids(item) for item in results[1]]
    status, _, raw = call(site.gateway, "POST", "/hills/_msearch?filter_path=took", b"{}\n" + wrong[3:])
    assert status == 400 and "filter_path: cannot be combined" in json.loads(raw)["error"]["reason"]


def site_bases(site: Site) -> tuple[str, str]:
    return site.node, site.gateway


def test_partial_failure_stays_visible(site: Site) -> None:
    body = site.body({"size": 40, "sort": ["n"]})
    found = search(site.gateway, body, "/hills,words/_search")
    direct = search(site.node, site.recall | {"size": 40, "sort": ["n"]}, "/hills,words/_search")
    assert found["_shards"]["failed"] == direct["_shards"]["failed"] > 0
    assert found["_shards"]["failures"][0]["index"] == "words"
    assert ids(found) == ids(search(site.gateway, body))


def test_same_id_in_two_indices(site: Site) -> None:
    found = search(site.gateway, site.body({"size": 60}), "/hills,words/_search")["hits"]["hits"]
    assert sorted(hit["_index"] for hit in found if hit["_id"] == "0") == ["hills", "words"]


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
    direct, through = (call(base, method, path, body, headers) for base in site_bases(site))
    assert through[0] == direct[0], remark
    assert through[2] == direct[2], remark
    lower = [{name.lower(): value for name, value in reply[1].items()} for reply in (direct, through)]
    assert lower[0] == lower[1], remark


def test_searches_without_a_context_pass_untouched(site: Site) -> None:
    body = site.recall | {"size": 7, "aggs": {"groups": {"terms": {"field": "group"}}}}
    answers = []
    for base in site_bases(site):
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
    for base in site_bases(site):
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


def test_opensearch_client(site: Site) -> None:
    if site.kind != "opensearch":
        pytest.skip("another client")
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


def test_elasticsearch_client(site: Site) -> None:
    if site.kind != "elasticsearch":
        pytest.skip("another client")
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
