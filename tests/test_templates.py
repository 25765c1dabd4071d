"""Templates on real engines: applied, applied again, changed, taken away, and what stays as it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import Run
from nodes.engine import Engine, Refused
from nodes.node import Node
from templating import PRIVATE, SIDECAR, TRUSTED, Cluster, changes, options

from index_templates.apply import vectors_of
from index_templates.resource import Resource, names
from plugin_server import Reranker
from plugin_server.cli_templates import requester
from plugin_server.engines.connection import Engine as Connection
from plugin_server.engines.settings import EngineSettings
from plugin_server.engines.target import Target
from plugin_server.errors import EngineDenied, EngineUnavailable

Make = Callable[[Engine, str], Cluster]
NO_INFERENCE = "skipped this cluster has no inference endpoints"


@pytest.fixture
def cluster(reranker: Reranker, run: Run) -> Iterator[Make]:
    """Makes clusters with a prefix; what was put there is taken away after the test, and nothing is left."""
    made: list[tuple[Cluster, dict[str, Any]]] = []

    def make(engine: Engine, prefix: str) -> Cluster:
        cluster = Cluster(engine, reranker, run, prefix)
        made.append((cluster, cluster.state()))
        return cluster

    yield make
    for cluster, before in made:
        cluster.remove()
        assert cluster.state() == before


def ours(cluster: Cluster) -> set[str]:
    """The names that `apply` tells of, but for the other forms of vectors."""
    kinds = ("settings", "search")
    found = {
        f"{kind} {'vectors' if subject.startswith('vectors-') else subject}".replace(
            "model_group simgate", "model_group"
        )
        for subject, _, kind in (name.partition("@") for name in names(cluster.engine.kind))
        if kind not in kinds
    }
    return found | ({"cluster_setting ml_commons"} if cluster.engine.kind == "opensearch" else set())


def skipped(cluster: Cluster) -> dict[str, str]:
    """What an engine of the tests cannot do."""
    if cluster.engine.kind == "elasticsearch":
        return {"inference rerank": NO_INFERENCE, "inference rerank-custom": NO_INFERENCE}
    lacking = "skipped this cluster has no processor oversample, truncate_hits"
    return {"search_pipeline rerank-oversample": lacking} if cluster.engine.version.startswith("2.") else {}


def expected(cluster: Cluster, told: str) -> dict[str, str]:
    """That word for everything, but for what the engine cannot do."""
    own = {} if cluster.engine.kind == "elasticsearch" else {"cluster_setting ml_commons": "unchanged"}
    return dict.fromkeys(ours(cluster), told) | own | skipped(cluster)


def test_from_first_to_last(engine: Engine, cluster: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run, then all of it created, unchanged, updated by a newer simgate, kept from an older, and removed."""
    there = cluster(engine, "life")
    settings = {"cluster_setting ml_commons": "updated"} if engine.kind == "opensearch" else {}
    created = expected(there, "created v1") | settings
    before = there.state()
    assert there.apply(dry=True) == created
    assert there.state() == before
    assert there.apply() == created
    applied = there.state()
    assert applied != before
    assert there.apply() == expected(there, "unchanged v1") == there.apply(dry=True)
    assert there.state() == applied

    own = Resource.version
    monkeypatch.setattr(Resource, "version", property(lambda resource: resource.body["version"] + 1))
    newer = expected(there, "updated v1 to v2")
    assert there.apply(dry=True) == newer
    assert there.state() == applied
    assert there.apply() == newer
    assert there.apply() == expected(there, "unchanged v2")
    monkeypatch.setattr(Resource, "version", own)
    applied = there.state()
    assert there.apply() == expected(there, "kept v2 is newer than this simgate's v1")
    assert there.state() == applied

    gone = {name: "removed v2" for name in newer if name not in skipped(there)} | settings
    assert there.remove(dry=True) == gone
    assert there.state() == applied
    assert there.remove() == gone
    assert there.state() == before
    unchanged = {"cluster_setting ml_commons": "unchanged"} if engine.kind == "opensearch" else {}
    assert there.remove() == unchanged == there.remove(dry=True)


@pytest.mark.parametrize(
    ("given", "updated", "remark"),
    [
        ({"text_field": "body"}, {"index_template documents", "search_pipeline rerank"},
         "the mapping, and what reads the text"),
        ({"pattern": "other-*"}, {"index_template documents"}, "the indices"),
        ({"vectors": "lucene-byte"}, {"component_template vectors", "component_template blobs"},
         "the vectors, and what the mapping says of them"),
        ({"profile": "pairs"}, {f"connector {name}" for name in ("rerank", "verify", "search")}, "what is asked for"),
        ({"api_key": "secret"}, {f"connector {name}" for name in ("rerank", "verify", "search")}, "how to log in"),
    ],
)  # fmt: skip
def test_changed_options_update(
    opensearch_2: Engine, cluster: Make, given: dict[str, str], updated: set[str], remark: str
) -> None:
    there = cluster(opensearch_2, "options")
    there.apply()
    models = there.learnt("models")
    told = expected(there, "unchanged v1") | dict.fromkeys(updated, "updated v1 to v1") | skipped(there)
    assert there.apply(dry=True, **given) == told == there.apply(**given)
    assert there.apply(**given) == expected(there, "unchanged v1")
    # a connector that changes is no new one, and its model is deployed as it was
    assert [(hit["_id"], hit["_source"]["model_state"]) for hit in there.learnt("models")] == [
        (hit["_id"], "DEPLOYED") for hit in models
    ]


def test_another_sidecar(opensearch: Engine, cluster: Make) -> None:
    there, address = cluster(opensearch, "moved"), "http://127.0.0.1:2"
    there.apply()
    told = there.apply(sidecar=address)
    assert {name for name, word in told.items() if word.startswith("updated")} == {
        "cluster_setting ml_commons", "connector rerank", "connector verify", "connector search",
    }  # fmt: skip
    (action,) = there.one("connectors", "verify")["actions"]
    assert action["url"] == f"{address}/v1/verify?ranked=true"
    model = there.one("models", "verify")
    assert (model["model_state"], model["connector_id"]) == ("DEPLOYED", there.one("connectors", "verify")["id"])
    # the address before is trusted until it is told to be no more
    assert there.remove(sidecar=address)["cluster_setting ml_commons"] == "updated"
    assert there.remove()["cluster_setting ml_commons"] == "updated"


def test_without_a_sidecar(opensearch: Engine, cluster: Make) -> None:
    there = cluster(opensearch, "alone")
    told = there.apply(sidecar="")
    calls = {name for name, word in told.items() if word == "skipped calls the sidecar: give --sidecar"}
    assert {name.split()[0] for name in calls} == {"connector", "model", "model_group", "search_pipeline"}
    created = {name for name, word in told.items() if word == "created v1"}
    assert created == {
        "component_template blobs", "component_template vectors", "index_template documents", "search_pipeline hybrid",
    }  # fmt: skip
    assert set(there.remove(sidecar="")) == created


MINE = {
    "component_template": ("PUT", "/_component_template/{}", {"template": {"mappings": {"properties": {}}}}),
    "index_template": ("PUT", "/_index_template/{}", {"index_patterns": ["nobody-*"], "priority": 1}),
    "search_pipeline": ("PUT", "/_search/pipeline/{}", {"response_processors": []}),
    "model_group": ("POST", "/_plugins/_ml/model_groups/_register", {"name": "{}", "description": "mine"}),
    "connector": ("POST", "/_plugins/_ml/connectors/_create", {
        "name": "{}", "description": "mine", "version": "1", "protocol": "http", "credential": {"key": "none"},
        "parameters": {}, "actions": [{"action_type": "predict", "method": "POST", "url": f"{SIDECAR}/mine",
                                       "request_body": "{}"}]}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name", "left_out", "remark"),
    [
        ("component_template", "mine-blobs", {"index_template documents"}, "documents would have no blobs"),
        ("index_template", "mine-documents", set(), "nothing names it"),
        ("search_pipeline", "mine-filter", set(), "nothing names it"),
        ("connector", "mine-verify", {"model verify", "search_pipeline verdicts"}, "it calls somebody else"),
        ("model_group", "mine", {f"model {name}" for name in ("rerank", "verify", "search")} | {
            f"search_pipeline {name}" for name in ("rerank", "verdicts", "filter")}, "access to it is not ours to give"),
    ],
)  # fmt: skip
def test_somebody_elses_is_kept(
    opensearch_2: Engine, cluster: Make, kind: str, name: str, left_out: set[str], remark: str
) -> None:
    there = cluster(opensearch_2, "mine")
    if kind in ("connector", "model_group"):
        allow(opensearch_2, [f"^{SIDECAR}/.*$"])
    method, path, body = MINE[kind]
    body = body | ({"name": name} if "name" in body else {})
    answer = opensearch_2.request(method, path.format(name), body)
    mine = there.state()
    told = there.apply()
    assert told[f"{kind} {name.removeprefix('mine').lstrip('-')}".strip()] == (
        "kept was not made by simgate: delete it, or choose another prefix"
    )
    needs = {
        item for item, word in told.items() if word == f"skipped needs the {kind} {name}, which was not made by simgate"
    }
    assert needs == left_out
    assert there.apply(dry=True) == {
        item: word.replace("created", "unchanged").replace("updated", "unchanged") for item, word in told.items()
    }
    removed = there.remove()
    assert removed[f"{kind} {name.removeprefix('mine').lstrip('-')}".strip()] == "kept was not made by simgate"
    if kind == "connector":
        assert removed["cluster_setting ml_commons"] == "kept the connector mine-verify calls the sidecar, too"
    elif kind != "model_group":
        assert there.state() == mine
    identity = next((value for key, value in answer.items() if key.endswith("_id")), "")
    opensearch_2.request(
        "DELETE", path.split("/_register")[0].split("/_create")[0].format(name) + f"/{identity}".rstrip("/")
    )
    allow(opensearch_2, None)


def allow(engine: Engine, trusted: Any, private: Any = None) -> None:
    """Sets what connectors may call; None as it was."""
    engine.request(
        "PUT", "/_cluster/settings", {"persistent": {TRUSTED: trusted, PRIVATE: private or (trusted and True)}}
    )


@pytest.mark.parametrize(
    ("trusted", "private", "left", "remark"),
    [
        (None, None, {}, "all as a new cluster has it"),
        (
            ["^https://mine/.*$"],
            None,
            {TRUSTED: ["^https://mine/.*$"], PRIVATE: "true"},
            "one may need what was allowed",
        ),
        ("^https://mine/.*$", True, {TRUSTED: ["^https://mine/.*$"], PRIVATE: "true"}, "set as one text"),
        (
            "^https://a/.*$,^https://b/.*$",
            True,
            {TRUSTED: ["^https://a/.*$", "^https://b/.*$"], PRIVATE: "true"},
            "two",
        ),
    ],
)
def test_other_addresses_stay_trusted(
    opensearch: Engine, cluster: Make, trusted: Any, private: Any, left: dict[str, Any], remark: str
) -> None:
    there = cluster(opensearch, "trust")
    opensearch.request("PUT", "/_cluster/settings", {"persistent": {TRUSTED: trusted, PRIVATE: private}})
    try:
        assert there.apply()["cluster_setting ml_commons"] == "updated"
        flat = "/_cluster/settings?flat_settings=true"
        given = opensearch.request("GET", flat)["persistent"]
        mine = left.get(TRUSTED, [])
        assert [
            item for item in given[TRUSTED] if item in mine
        ] == mine and f"^{SIDECAR.replace('.', chr(92) + '.')}/.*$" in given[TRUSTED]
        assert all(len(item) > 3 for item in given[TRUSTED])
        assert given[PRIVATE] == "true"
        assert there.remove()["cluster_setting ml_commons"] == "updated"
        assert opensearch.request("GET", flat)["persistent"] == left
    finally:
        allow(opensearch, None)


def test_two_prefixes_of_one_sidecar(opensearch: Engine, cluster: Make) -> None:
    one, two = cluster(opensearch, "one"), cluster(opensearch, "two")
    one.apply()
    assert two.apply()["cluster_setting ml_commons"] == "unchanged"
    settings = one.state()["settings"]
    kept = "kept the connector two-rerank calls the sidecar, too"
    assert one.remove(dry=True)["cluster_setting ml_commons"] == kept
    assert one.remove()["cluster_setting ml_commons"] == kept
    assert one.state()["settings"] == settings
    assert two.remove()["cluster_setting ml_commons"] == "updated"
