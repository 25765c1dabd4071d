"""Connectors that OpenSearch takes for one another: it compares their ids as texts, whose words end at hyphens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from nodes.engine import Engine, Refused
from templating import Cluster

Make = Callable[[Engine, str], Cluster]
ML = "/_plugins/_ml"
CONNECTORS = "/.plugins-ml-connector/_doc"


@contextmanager
def lookalike(there: Cluster, name: str, *deployed: bool) -> Iterator[list[str]]:
    """The ids of somebody else's models, deployed or not; their connector's id holds that of simgate's connector."""
    engine, mine = there.engine, there.one("connectors", name)["id"]
    other = f"other-{mine}"
    # an id as unlucky as this cannot be asked for, and takes some hundred connectors to come by chance
    source = engine.request("GET", f"{CONNECTORS}/{mine}")["_source"]
    engine.request("PUT", f"{CONNECTORS}/{other}?refresh=true", source | {"name": "other", "description": "mine"})
    group = engine.request("POST", f"{ML}/model_groups/_register", {"name": "other"})["model_group_id"]
    models: list[str] = []
    try:
        for at, deploy in enumerate(deployed):
            body = {"function_name": "remote", "description": "mine", "model_group_id": group, "connector_id": other}
            path = f"{ML}/models/_register?deploy={str(deploy).lower()}"
            models.append(engine.request("POST", path, body | {"name": f"other-{at}"})["model_id"])
            awaited(there, models[-1], "DEPLOYED" if deploy else "REGISTERED")
        yield models
    finally:
        for model in models:
            undeployed(there, model)
            engine.request("DELETE", f"{ML}/models/{model}")
        assert not set(models) & set(states(there))
        engine.request("DELETE", f"{ML}/model_groups/{group}")
        engine.request("DELETE", f"{CONNECTORS}/{other}?refresh=true")


def states(there: Cluster) -> dict[str, Any]:
    """The state of every model by its id."""
    return {hit["_id"]: hit["_source"]["model_state"] for hit in there.learnt("models")}


def awaited(there: Cluster, model: str, state: str) -> None:
    """Returns once the model is in this state."""
    end = time.monotonic() + 30
    while states(there).get(model) != state:
        assert time.monotonic() < end, f"{model} is {states(there).get(model)}"
        time.sleep(0.05)


def undeployed(there: Cluster, model: str) -> None:
    """Returns once the model is not deployed."""
    there.engine.request("POST", f"{ML}/models/{model}/_undeploy", {})
    awaited(there, model, "UNDEPLOYED")


def test_a_connector_whose_id_reads_like_anothers(opensearch: Engine, cluster: Make) -> None:
    there = cluster(opensearch, "alike")
    there.apply()
    connector, model = (there.one(kind, "verify")["id"] for kind in ("connectors", "models"))
    with lookalike(there, "verify", True, False) as (used, unused):
        undeployed(there, model)
        with pytest.raises(Refused, match=f"still using this connector.*{used}"):
            opensearch.request("PUT", f"{ML}/connectors/{connector}", {"description": "none of its own is deployed"})
        own = set(states(there)) - {used, unused}
        told = there.apply(profile="pairs")
        assert told["connector verify"] == "updated v1 to v1"
        assert there.one("connectors", "verify")["parameters"]["profile"] == "pairs"
        # all are as they were: simgate's own in use, of somebody else's only that which was
        assert states(there) == dict.fromkeys(own, "DEPLOYED") | {used: "DEPLOYED", unused: "REGISTERED"}


def test_a_connector_that_another_model_is_said_to_use_stays(opensearch: Engine, cluster: Make) -> None:
    there = cluster(opensearch, "held")
    there.apply()
    with lookalike(there, "verify", True) as (used,):
        told = there.remove()
        assert told.pop("connector verify") == f"kept OpenSearch says that the model {used} uses it"
        assert told.pop("cluster_setting ml_commons").startswith("kept the connector ")
        assert set(told.values()) == {"removed v1"}
        assert states(there) == {used: "DEPLOYED"}
    assert there.remove() == {"connector verify": "removed v1", "cluster_setting ml_commons": "updated"}
