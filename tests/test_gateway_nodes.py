"""The gateway in front of real engines: hits verified, pages, totals, sorting, aggregations, multi-search."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gateway_site import HITS, TEXTS, Site, call, ids, mark, oracle, refused, search

from plugin_server import Reranker


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
    assert "holds no words" in empty["reason"]


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
    results = [json.loads(call(base, "POST", "/hills/_msearch", plain)[2])["responses"] for base in site.bases]
    assert [ids(item) for item in results[0]] == [ids(item) for item in results[1]]
    status, _, raw = call(site.gateway, "POST", "/hills/_msearch?filter_path=took", b"{}\n" + wrong[3:])
    assert status == 400 and "filter_path: cannot be combined" in json.loads(raw)["error"]["reason"]


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
