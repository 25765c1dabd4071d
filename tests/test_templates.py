"""Templates on real engines: applied, applied again, changed, taken away, and what stays as it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Run
from nodes.engine import Engine
from nodes.proxy import Proxy, Rule
from templating import PRIVATE, SIDECAR, TRUSTED, Cluster

from index_templates.resource import Resource, names
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


CONNECTORS = {f"connector {name}" for name in ("rerank", "verify", "search")}
#: Options changed one after the other, what that updates, and why.
CHANGES: list[tuple[dict[str, str], set[str], str]] = [
    ({"text_field": "body"}, {"index_template documents", "search_pipeline rerank"}, "what reads the text"),
    ({"pattern": "other-*"}, {"index_template documents"}, "the indices"),
    ({"vectors": "lucene-byte"}, {"component_template vectors", "component_template blobs"}, "and the mapping's _meta"),
    ({"profile": "pairs"}, CONNECTORS, "what is asked for"),
    ({"api_key": "secret"}, CONNECTORS, "how to log in"),
]


def test_changed_options_update(opensearch_2: Engine, cluster: Make) -> None:
    there = cluster(opensearch_2, "options")
    there.apply()
    models = {hit["_id"] for hit in there.learnt("models")}
    chosen: dict[str, str] = {}
    for given, updated, remark in CHANGES:
        chosen |= given
        told = expected(there, "unchanged v1") | dict.fromkeys(updated, "updated v1 to v1")
        assert there.apply(dry=True, **chosen) == told == there.apply(**chosen), remark
        assert there.apply(**chosen) == expected(there, "unchanged v1"), remark
    # a connector that changes is no new one, and its model is deployed as it was
    states = {hit["_id"]: hit["_source"]["model_state"] for hit in there.learnt("models")}
    assert states == dict.fromkeys(models, "DEPLOYED")


def test_another_sidecar(opensearch_2: Engine, cluster: Make) -> None:
    there, address = cluster(opensearch_2, "moved"), "http://127.0.0.1:2"
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
    ("there_is", "left_out", "remark"),
    [
        (
            {"component_template": "mine-blobs", "search_pipeline": "mine-filter", "connector": "mine-verify"},
            {
                "component_template mine-blobs": {"index_template documents"},
                "connector mine-verify": {"model verify", "search_pipeline verdicts"},
            },
            "documents would have no blobs, and somebody else would be called",
        ),
        (
            {"index_template": "mine-documents", "model_group": "mine"},
            {"model_group mine": MODELS | PIPELINES},
            "access to the models would not be ours to give",
        ),
    ],
)
def test_somebody_elses_is_kept(
    opensearch_2: Engine, cluster: Make, there_is: dict[str, str], left_out: dict[str, set[str]], remark: str
) -> None:
    there = cluster(opensearch_2, "mine")
    opensearch_2.request("PUT", "/_cluster/settings", {"persistent": {TRUSTED: [f"^{SIDECAR}/mine$"]}})
    made = [made_by_hand(opensearch_2, kind, name) for kind, name in there_is.items()]
    mine = there.state()
    told = there.apply()
    own = [f"{kind} {name.removeprefix('mine').lstrip('-')}".strip() for kind, name in there_is.items()]
    kept = "kept was not made by simgate"
    assert {told[name] for name in own} == {f"{kept}: delete it, or choose another prefix"}
    needs = {item: word for item, word in told.items() if word.startswith("skipped needs")}
    assert needs == {
        item: f"skipped needs the {needed}, which was not made by simgate"
        for needed, items in left_out.items()
        for item in items
    }
    assert there.apply(dry=True) == {
        item: word.replace("created", "unchanged").replace("updated", "unchanged") for item, word in told.items()
    }
    removed = there.remove()
    assert {removed[name] for name in own} == {kept}
    called = "kept the connector mine-verify calls the sidecar, too" if "connector" in there_is else "updated"
    assert removed["cluster_setting ml_commons"] == called
    after = there.state()
    assert {part: after[part] for part in after if part != "settings"} == {
        part: mine[part] for part in mine if part != "settings"
    }
    for path in made:
        opensearch_2.request("DELETE", path)
    opensearch_2.request("PUT", "/_cluster/settings", {"persistent": {TRUSTED: None, PRIVATE: None}})


def made_by_hand(engine: Engine, kind: str, name: str) -> str:
    """The path of a resource of that name that simgate has not made."""
    method, path, body = MINE[kind]
    if not path.startswith("/_plugins"):
        engine.request(method, path.format(name), body)
        return path.format(name)
    answer = engine.request(method, path, body | {"name": name})
    return f"{path.rpartition('/')[0]}/{answer[f'{kind}_id']}"


def test_a_connector_that_is_refused_leaves_its_model_deployed(
    opensearch_2: Engine, cluster: Make, proxied: Callable[..., Proxy], reranker: Reranker, run: Run
) -> None:
    there, proxy = cluster(opensearch_2, "refused"), proxied(opensearch_2)
    there.apply()
    models = {hit["_id"] for hit in there.learnt("models")}
    path = f"/_plugins/_ml/connectors/{there.one('connectors', 'verify')['id']}"
    proxy.rules += [Rule(path, times=1), Rule(path, status=400, times=1)]  # read, but not written
    behind = Cluster(Engine(proxy.url, opensearch_2.kind, opensearch_2.version), reranker, run, "refused")
    with pytest.raises(EngineRefused, match="400"):
        behind.apply(profile="pairs")
    assert [seen.method for seen in proxy.seen if seen.path == path] == ["GET", "PUT"]
    states = {hit["_id"]: hit["_source"]["model_state"] for hit in there.learnt("models")}
    assert states == dict.fromkeys(models, "DEPLOYED")
    told = there.apply(profile="pairs")  # what was done before need not be done again
    assert (told["connector rerank"], told["connector verify"]) == ("unchanged v1", "updated v1 to v1")
