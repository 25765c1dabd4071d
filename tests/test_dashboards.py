"""The dashboard and the alerts: every query is PromQL over what a real server exports."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

HELM = Path(__file__).parent.parent / "helm"
RULES = HELM / "alerts" / "simgate.yaml"
DASHBOARD = json.loads((HELM / "dashboards" / "simgate.json").read_text(encoding="utf-8"))
ALERTS = [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
#: Exported only by a server with TLS.
ELSEWHERE = {"simgate_certificate_expiry_seconds": {"__name__"}}
#: Labels that Prometheus adds to every series it scrapes.
SCRAPED = {"job", "instance", "namespace"}
ROWS = ["Traffic", "Latency", "Errors", "Overload", "Verdicts", "Unverified", "Cache", "Batches", "Process"]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def queries() -> Iterator[tuple[str, str]]:
    """Every query of the dashboard, its variables filled in, and of the alerts; first where it stands."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m")
    for rule in ALERTS:
        yield rule["alert"], rule["expr"]


@pytest.fixture(scope="module")
def exported(http_url: str) -> dict[str, set[str]]:
    """The labels of every metric that a server exports, by name, after a request."""
    body = {"query": "a red car", "documents": ["a car that is red"]}
    assert httpx.post(f"{http_url}/v2/rerank", json=body, timeout=60).status_code == 200
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(httpx.get(f"{http_url}/metrics").text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found | ELSEWHERE


def parts(expression: Any) -> Iterator[Any]:
    """An expression and all in it."""
    import promql_parser

    yield expression
    for name in ("expr", "lhs", "rhs", "param", "vector_selector", "args"):
        inner = getattr(expression, name, None)
        for item in inner if isinstance(inner, list) else [inner]:
            if isinstance(item, promql_parser.Expr):
                yield from parts(item)


@pytest.mark.parametrize(("place", "query"), list(queries()))
def test_every_metric_and_label_is_exported(place: str, query: str, exported: dict[str, set[str]]) -> None:
    promql_parser = pytest.importorskip("promql_parser")
    selected = list(parts(promql_parser.parse(query)))
    selectors = [part for part in selected if isinstance(part, promql_parser.VectorSelector)]
    assert selectors, place
    known = set(SCRAPED)
    for selector in selectors:
        assert selector.name in exported, place
        known |= exported[selector.name]
        assert {matcher.name for matcher in selector.matchers.matchers} <= exported[selector.name] | SCRAPED, place
    for part in selected:
        if isinstance(part, promql_parser.AggregateExpr) and part.modifier:
            assert set(part.modifier.labels) <= known, place


def test_the_dashboard() -> None:
    assert DASHBOARD["schemaVersion"] >= 38, "of Grafana 10"
    assert [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"] == ROWS
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    variables = {item["name"]: item["type"] for item in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource": "datasource", "job": "query", "instance": "query"}
    for panel in PANELS:
        assert panel["description"].endswith("."), panel["title"]
        assert {json.dumps(item["datasource"]) for item in (panel, *panel["targets"])} == {
            '{"type": "prometheus", "uid": "${datasource}"}'
        }
        assert all('job=~"$job", instance=~"$instance"' in target["expr"] for target in panel["targets"])
    cells = [cell for panel in DASHBOARD["panels"] for cell in covered(panel["gridPos"])]
    assert len(set(cells)) == len(cells), "no panel lies on another"
    assert max(column for column, _ in cells) < 24


def covered(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    """The cells of the grid that a panel takes."""
    for column in range(place["x"], place["x"] + place["w"]):
        for line in range(place["y"], place["y"] + place["h"]):
            yield column, line


@pytest.mark.parametrize("rule", ALERTS, ids=[rule["alert"] for rule in ALERTS])
def test_every_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["annotations"].keys() == {"summary", "description", "runbook"}
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert re.fullmatch(r"\d+[mh]", rule["for"])
    named = re.findall(r"Simgate\w+", rule["annotations"]["runbook"])
    assert {*named} <= {other["alert"] for other in ALERTS}


@pytest.mark.parametrize("command", [("check", "rules", RULES), ("test", "rules", "alerts.yaml")])
def test_prometheus_itself_takes_the_alerts(command: tuple[str | Path, ...]) -> None:
    tool = shutil.which("promtool")
    if not tool and os.environ.get("SIMGATE_PROMTOOL") != "required":
        pytest.skip("needs promtool")
    assert tool
    done = subprocess.run([tool, *command], cwd=Path(__file__).parent / "data", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
