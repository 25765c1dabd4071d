"""Templates on real engines: applied, applied again, changed, taken away, and what stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conftest import Run
from nodes.engine import Engine
from nodes.proxy import Proxy, Rule
from templating import PRIVATE, SIDECAR, TRUSTED, Cluster

from index_templates.resource import Resource, names
from index_templates.store import TemplateError
from plugin_server import Reranker
from plugin_server.errors import EngineRefused

Make = Callable[[Engine, str], Cluster]
NO_INFERENCE = "skipped this cluster has no inference endpoints"


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
    models = {hit["_id"] for hit in there.learnt("models")}
    told = expected(there, "unchanged v1") | dict.fromkeys(updated, "updated v1 to v1") | skipped(there)
    assert there.apply(dry=True, **given) == told == there.apply(**given)
    assert there.apply(**given) == expected(there, "unchanged v1")
    # a connector that changes is no new one, and its model is deployed as it was
    states = {hit["_id"]: hit["_source"]["model_state"] for hit in there.learnt("models")}
    assert states == dict.fromkeys(models, "DEPLOYED")


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
    "model_group": ("POST", "/_plugins/_ml/model_groups/_register", {"description": "mine"}),
    "connector": ("POST", "/_plugins/_ml/connectors/_create", {
        "description": "mine", "version": "1", "protocol": "http", "credential": {"key": "none"}, "parameters": {},
        "actions": [
            {"action_type": "predict", "method": "POST", "url": f"{SIDECAR}/mine", "request_body": "{}"},
        ],
    }),
}  # fmt: skip
MODELS = {f"model {name}" for name in ("rerank", "verify", "search")}
PIPELINES = {f"search_pipeline {name}" for name in ("rerank", "verdicts", "filter")}


@pytest.mark.parametrize(
    ("kind", "name", "left_out", "remark"),
    [
        ("component_template", "mine-blobs", {"index_template documents"}, "documents would have no blobs"),
        ("index_template", "mine-documents", set(), "nothing names it"),
        ("search_pipeline", "mine-filter", set(), "nothing names it"),
        ("connector", "mine-verify", {"model verify", "search_pipeline verdicts"}, "it calls somebody else"),
        ("model_group", "mine", MODELS | PIPELINES, "access to it is not ours to give"),
    ],
)
def test_somebody_elses_is_kept(
    opensearch_2: Engine, cluster: Make, kind: str, name: str, left_out: set[str], remark: str
) -> None:
    there, own = cluster(opensearch_2, "mine"), f"{kind} {name.removeprefix('mine').lstrip('-')}".strip()
    allow(opensearch_2, [f"^{SIDECAR}/.*$"])
    method, path, body = MINE[kind]
    learnt = path.startswith("/_plugins")
    answer = opensearch_2.request(method, path.format(name), body | ({"name": name} if learnt else {}))
    mine = there.state()
    told = there.apply()
    assert told[own] == "kept was not made by simgate: delete it, or choose another prefix"
    needs = f"skipped needs the {kind} {name}, which was not made by simgate"
    assert {item for item, word in told.items() if word == needs} == left_out
    assert there.apply(dry=True) == {
        item: word.replace("created", "unchanged").replace("updated", "unchanged") for item, word in told.items()
    }
    removed = there.remove()
    assert removed[own] == "kept was not made by simgate"
    trust = "kept the connector mine-verify calls the sidecar, too" if kind == "connector" else "updated"
    assert removed["cluster_setting ml_commons"] == trust
    after = there.state()
    assert {part: after[part] for part in after if part != "settings"} == {
        part: mine[part] for part in mine if part != "settings"
    }
    there_is = f"{path.rpartition('/')[0]}/{answer[f'{kind}_id']}" if learnt else path.format(name)
    opensearch_2.request("DELETE", there_is)
    allow(opensearch_2, None)


def allow(engine: Engine, trusted: Any, private: Any = None) -> None:
    """Sets what connectors may call; None as it was."""
    engine.request("PUT", "/_cluster/settings", {"persistent": {TRUSTED: trusted, PRIVATE: private}})


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
    allow(opensearch, trusted, private)
    try:
        assert there.apply()["cluster_setting ml_commons"] == "updated"
        flat = "/_cluster/settings?flat_settings=true"
        given = opensearch.request("GET", flat)["persistent"]
        assert given[TRUSTED][-1] == there.options().values["trusted"]
        assert given[TRUSTED][:-1] == left[TRUSTED] if left else len(given[TRUSTED]) > 5
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


def test_a_transient_setting_is_not_overruled(opensearch: Engine, cluster: Make) -> None:
    there = cluster(opensearch, "transient")
    opensearch.request("PUT", "/_cluster/settings", {"transient": {TRUSTED: ["^https://elsewhere/.*$"]}})
    try:
        before = there.state()
        with pytest.raises(TemplateError, match="a transient setting goes before"):
            there.apply()
        assert there.state() == before
        assert "created v1" in there.apply(sidecar="https://elsewhere").values()
        there.remove(sidecar="https://elsewhere")
    finally:
        opensearch.request("PUT", "/_cluster/settings", {"transient": {TRUSTED: None}, "persistent": {PRIVATE: None}})


def test_a_connector_that_is_refused_leaves_its_model_deployed(
    opensearch: Engine, cluster: Make, proxied: Callable[..., Proxy], reranker: Reranker, run: Run
) -> None:
    there, proxy = cluster(opensearch, "refused"), proxied(opensearch)
    there.apply()
    models = {hit["_id"] for hit in there.learnt("models")}
    path = f"/_plugins/_ml/connectors/{there.one('connectors', 'verify')['id']}"
    proxy.rules += [Rule(path, times=1), Rule(path, status=400, times=1)]  # read, but not written
    behind = Cluster(Engine(proxy.url, opensearch.kind, opensearch.version), reranker, run, "refused")
    with pytest.raises(EngineRefused, match="400"):
        behind.apply(profile="pairs")
    assert [seen.method for seen in proxy.seen if seen.path == path] == ["GET", "PUT"]
    states = {hit["_id"]: hit["_source"]["model_state"] for hit in there.learnt("models")}
    assert states == dict.fromkeys(models, "DEPLOYED")
    told = there.apply(profile="pairs")  # what was done before need not be done again
    assert (told["connector rerank"], told["connector verify"]) == ("unchanged v1", "updated v1 to v1")
