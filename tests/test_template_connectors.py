"""Connectors that OpenSearch takes for one another: it compares their ids as texts, whose words end at hyphens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from nodes.engine import Engine, Refused
from templating import Cluster

from index_templates.store import TemplateError

Make = Callable[[Engine, str], Cluster]
ML = "/_plugins/_ml"
CONNECTORS = "/.plugins-ml-connector/_doc"


@contextmanager
def lookalike(there: Cluster, name: str, *deployed: bool, description: str = "mine") -> Iterator[list[str]]:
    """The ids of other models, deployed or not; their connector's id holds that of simgate's connector."""
    engine, mine = there.engine, there.one("connectors", name)["id"]
    other = f"other-{mine}"
    # an id as unlucky as this cannot be asked for, and takes some hundred connectors to come by chance
    source = engine.request("GET", f"{CONNECTORS}/{mine}")["_source"]
    engine.request("PUT", f"{CONNECTORS}/{other}?refresh=true", source | {"name": "other", "description": "mine"})
    group = engine.request("POST", f"{ML}/model_groups/_register", {"name": "other"})["model_group_id"]
    models: list[str] = []
    try:
        for at, deploy in enumerate(deployed):
            body = {"function_name": "remote", "model_group_id": group, "connector_id": other}
            path = f"{ML}/models/_register?deploy={str(deploy).lower()}"
            models.append(
                engine.request("POST", path, body | {"name": f"other-{at}", "description": description})["model_id"]
            )
            awaited(there, models[-1], "DEPLOYED" if deploy else "REGISTERED")
        yield models
    finally:
        for model in models:
            deleted(there, model)
        engine.request("DELETE", f"{ML}/model_groups/{group}")
        engine.request("DELETE", f"{CONNECTORS}/{other}?refresh=true")


def states(there: Cluster) -> dict[str, Any]:
    """The state of every model by its id."""
    return {hit["_id"]: hit["_source"]["model_state"] for hit in there.learnt("models")}


def until(reached: Callable[[], bool], there: Cluster) -> None:
    """Returns once it is so: ML Commons writes the state of a model once more by itself, a moment later."""
    end = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < end, states(there)
        time.sleep(0.05)


def awaited(there: Cluster, model: str, state: str) -> None:
    """Returns once the model is in this state."""
    until(lambda: bool(states(there).get(model) == state), there)


def undeployed(there: Cluster, model: str) -> None:
    """Returns once the model is not deployed."""

    def reached() -> bool:
        there.engine.request("POST", f"{ML}/models/{model}/_undeploy", {})
        return bool(states(there)[model] == "UNDEPLOYED")

    until(reached, there)


def deleted(there: Cluster, model: str) -> None:
    """Returns once the model is gone."""

    def reached() -> bool:
        with suppress(Refused):  # it is deployed after all, or is gone
            there.engine.request("POST", f"{ML}/models/{model}/_undeploy", {})
            there.engine.request("DELETE", f"{ML}/models/{model}")
        return model not in states(there)

    until(reached, there)


def test_a_connector_whose_id_reads_like_anothers(opensearch: Engine, cluster: Make) -> None:
    there = cluster(opensearch, "alike")
    there.apply()
    connector, model = (there.one(kind, "verify") for kind in ("connectors", "models"))
    # models of simgate's, under another prefix
    with lookalike(there, "verify", True, False, description=model["description"]) as (used, unused):
        undeployed(there, model["id"])
        with pytest.raises(Refused, match=f"still using this connector.*{used}"):
            opensearch.request(
                "PUT", f"{ML}/connectors/{connector['id']}", {"description": "none of its own is deployed"}
            )
        own = set(states(there)) - {used, unused}
        told = there.apply(profile="pairs")
        assert told["connector verify"] == "updated v1 to v1"
        assert there.one("connectors", "verify")["parameters"]["profile"] == "pairs"
        # all are as they were: those of this prefix in use, of the other only that which was
        until(lambda: states(there) == dict.fromkeys(own, "DEPLOYED") | {used: "DEPLOYED", unused: "REGISTERED"}, there)


def test_somebody_elses_model_is_not_stopped(opensearch: Engine, cluster: Make) -> None:
    there = cluster(opensearch, "strange")
    there.apply()
    with lookalike(there, "verify", True) as (used,):
        before = states(there)
        with pytest.raises(TemplateError, match=rf"connector: .* other-0 \({used}\) .*: undeploy it, apply again"):
            there.apply(profile="pairs")
        until(lambda: states(there) == before, there)
        undeployed(there, used)
        assert there.apply(profile="pairs")["connector verify"] == "updated v1 to v1"


def test_a_connector_that_another_model_is_said_to_use_stays(opensearch: Engine, cluster: Make) -> None:
    there = cluster(opensearch, "held")
    there.apply()
    with lookalike(there, "verify", True) as (used,):
        foretold = there.remove(dry=True)
        told = there.remove()
        assert told == foretold
        assert told.pop("connector verify") == f"kept OpenSearch says that the model {used} uses it"
        assert told.pop("cluster_setting ml_commons").startswith("kept the connector ")
        assert set(told.values()) == {"removed v1"}
        until(lambda: states(there) == {used: "DEPLOYED"}, there)
    assert there.remove() == {"connector verify": "removed v1", "cluster_setting ml_commons": "updated"}
