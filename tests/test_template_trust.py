"""The cluster settings that let connectors call the sidecar, on real nodes: added to what is there, and taken away."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from conftest import Run
from nodes.engine import Engine
from templating import PRIVATE, TRUSTED, Cluster, where

from index_templates.cluster import Trust
from index_templates.store import TemplateError
from plugin_server.commands.templates import requester
from plugin_server.engines.connection import Engine as Connection

OURS = r"^http://127\.0\.0\.1:1/.*$"
Work = Callable[[Trust], Coroutine[Any, Any, str]]


@pytest.fixture
def settings(opensearch: Engine, run: Run) -> Iterator[Callable[..., Any]]:
    """Gives the persistent settings, after some were set, or after something was done with the trust."""

    def ask(work: Work | None = None, kind: str = "persistent", **given: Any) -> Any:
        if given:
            wanted = {TRUSTED: given["trusted"], PRIVATE: given["private"]}
            opensearch.request("PUT", "/_cluster/settings", {kind: wanted})
        if work is None:
            return opensearch.request("GET", "/_cluster/settings?flat_settings=true")["persistent"]

        async def done() -> str:
            async with Connection(where(opensearch)) as connection:
                return await work(Trust(requester(connection), {TRUSTED: [OURS], PRIVATE: True}))

        return run(done())

    yield ask
    for kind in ("persistent", "transient"):
        ask(kind=kind, trusted=None, private=None)


@pytest.mark.parametrize(
    ("trusted", "private", "left", "remark"),
    [
        (None, None, None, "all as a new cluster has it"),
        (["^https://mine/.*$"], None, ["^https://mine/.*$"], "one may need what was allowed"),
        (["^https://mine/.*$"], True, ["^https://mine/.*$"], "private addresses were allowed before"),
        ("^https://mine/.*$", True, ["^https://mine/.*$"], "set as one text"),
        ("^https://a/.*$,^https://b/.*$", True, ["^https://a/.*$", "^https://b/.*$"], "as one text of two"),
    ],
)
def test_other_addresses_stay_trusted(
    settings: Callable[..., Any], trusted: Any, private: Any, left: list[str] | None, remark: str
) -> None:
    before = settings(trusted=trusted, private=private)
    assert settings(lambda trust: trust.give(True)) == "updated"
    assert settings() == before
    assert settings(lambda trust: trust.give(False)) == "updated"
    given = settings()
    assert given[TRUSTED][-1] == OURS and given[PRIVATE] == "true"
    assert given[TRUSTED][:-1] == left if left else len(given[TRUSTED]) > 5  # the engine's own
    assert settings(lambda trust: trust.give(False)) == "unchanged"
    assert settings(lambda trust: trust.take(True)) == "updated"
    assert settings() == given
    assert settings(lambda trust: trust.take(False)) == "updated"
    assert settings() == ({TRUSTED: left, PRIVATE: "true"} if left else {})
    assert settings(lambda trust: trust.take(False)) == "unchanged"


def test_a_transient_setting_is_not_overruled(settings: Callable[..., Any]) -> None:
    settings(kind="transient", trusted=["^https://elsewhere/.*$"], private=None)
    with pytest.raises(TemplateError, match="a transient setting goes before"):
        settings(lambda trust: trust.give(False))
    assert settings() == {}
    settings(kind="transient", trusted=["^https://elsewhere/.*$", OURS], private=True)
    assert settings(lambda trust: trust.give(False)) == "unchanged"


def test_two_prefixes_of_one_sidecar(opensearch_2: Engine, cluster: Callable[[Engine, str], Cluster]) -> None:
    one, two = cluster(opensearch_2, "one"), cluster(opensearch_2, "two")
    one.apply()
    assert two.apply()["cluster_setting ml_commons"] == "unchanged"
    trusted = one.state()["settings"]
    kept = "kept the connector two-rerank calls the sidecar, too"
    assert one.remove(dry=True)["cluster_setting ml_commons"] == kept
    assert one.remove()["cluster_setting ml_commons"] == kept
    assert one.state()["settings"] == trusted
    assert two.remove()["cluster_setting ml_commons"] == "updated"
