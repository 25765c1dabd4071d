"""values.yaml is the chart's manual: every value is explained, in the schema, and does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart import CHART, SCHEMA, VALUES, Refused, leaves, nested, render, rendered, schema_at, seen, values_of

from plugin_server.settings import PREFIX

LEAVES = leaves(VALUES)
TABLE: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "data" / "chart-values.yaml").read_text(encoding="utf-8")
)


def commented(path: str) -> bool:
    """Whether the line above a value's own is a comment."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    node, line, lines = yaml.compose(text), 0, text.splitlines()
    for name in path.split("."):
        key, node = next(pair for pair in node.value if pair[0].value == name)
        line = key.start_mark.line
    above, own = lines[line - 1], lines[line]
    return above.strip().startswith("# ") and above.index("#") == len(own) - len(own.lstrip())


def mode_of(name: str) -> list[dict[str, Any]]:
    """The values of a mode of the table."""
    base, more = TABLE["modes"].get(name, (name, {}))
    return [values_of(base), more]


def place_of(text: str) -> str:
    """A place of the table in full."""
    for name, place in TABLE["places"].items():
        text = text.replace(name, place)
    return text


@pytest.mark.parametrize("path", LEAVES)
def test_every_value_is_explained_and_in_the_schema(path: str) -> None:
    assert commented(path)
    assert schema_at(path)


def test_the_schema_has_no_value_that_is_not_there() -> None:
    def walk(schema: dict[str, Any], values: Any, path: str) -> None:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        if "properties" not in schema:
            return
        names = set(schema["properties"]) - {"global"}
        assert names == set(values), path
        assert schema["additionalProperties"] is False, path
        for name in names:
            walk(schema["properties"][name], values[name], f"{path}.{name}")

    walk(SCHEMA, VALUES, "")


def test_every_value_is_in_the_table() -> None:
    assert {row[0] for row in TABLE["values"]} == set(LEAVES)


@pytest.mark.parametrize(
    ("path", "mode", "value", "place", "expected"), TABLE["values"], ids=[row[0] for row in TABLE["values"]]
)
def test_every_value_is_seen_where_it_counts(path: str, mode: str, value: Any, place: str, expected: Any) -> None:
    where = place_of(place)
    try:
        before = seen(render(*mode_of(mode)), where)
    except Refused:
        before = "nothing is rendered"
    assert before != expected, "the row would pass without the value"
    assert seen(render(*mode_of(mode), nested(path, value)), where) == expected


def test_a_typo_is_refused_wherever_it_is() -> None:
    """All at once, since helm names every one that it refuses."""
    with pytest.raises(Refused) as error:
        rendered(*(nested(f"{path}x", value) for path, value in LEAVES.items()))
    refused = {
        f"{place.strip('/').replace('/', '.')}.{name}".lstrip(".")
        for place, names in re.findall(r"at '(.*?)': additional properties (.*?) not allowed", str(error.value))
        for name in re.findall(r"'(.*?)'", names)
    }
    assert refused == {f"{path}x" for path in LEAVES}


WRONG = [
    ("replicas", "two", "/replicas", "a text for a number"),
    ("replicas", None, "missing property 'replicas'", "null takes a default away, and nothing is in its place"),
    ("mode", "daemonset", "must be one of 'deployment', 'sidecar'", "a mode that is none"),
    ("settings.maxQueue", -1, "minimum: got -1, want 0", "below the server's own range"),
    ("settings.maxWait", 7200, "maximum", "above the server's own range"),
    ("settings.onFailure", "ajar", "'open', 'closed'", "a choice that is none"),
    ("image.tag", "a tag", "does not match pattern", "a tag that is none"),
    ("bundle.fetch.url", "http://models.example/b.tar.gz", "does not match pattern", "without TLS"),
    ("bundle.fetch.sha256", "abc", "does not match pattern", "too short for a checksum"),
    ("bundle.pvc.path", "../other", "does not match pattern", "out of the claim"),
    ("engine.url", "https://ann:word@search:9200", "does not match pattern", "a secret in a value"),
    ("engine.login.password", "word", "additional properties", "a secret in a value"),
    ("apiKeys.keys", ["word"], "additional properties", "a secret in a value"),
    ("extraEnv", [{"name": "SIMGATE_THREADS", "value": "9"}], "'not' failed", "what the chart sets itself"),
    ("settings.threads", 4, "additional properties", "what the chart sets itself"),
    ("settings.insecure", True, "additional properties", "what the chart sets itself"),
    ("resources.limit", {"cpu": "1"}, "additional properties", "a typo below"),
    ("gpu.count", 0, "minimum", "a GPU that is none"),
    ("fullnameOverride", "a" * 41, "maxLength", "suffixes would not fit"),
    ("fullnameOverride", "7gate", "does not match pattern", "no name for a Service"),
    ("keda.minReplicas", 0, "minimum: got 0, want 1", "no Pod would tell what waits"),
]


@pytest.mark.parametrize(("path", "value", "told", "remark"), WRONG)
def test_a_wrong_value_is_refused(path: str, value: Any, told: str, remark: str) -> None:
    with pytest.raises(Refused) as error:
        rendered(nested(path, value))
    assert told in str(error.value), remark


ENGINE = nested("engine", {"type": "opensearch", "url": "http://search:9200", "index": "docs"})
CALLED = {"templates.enabled": True}
APART = [
    ({"autoscaling.enabled": True, "keda.enabled": True}, "autoscaling.enabled and keda.enabled exclude each other"),
    ({"autoscaling.enabled": True, "mode": "sidecar"}, "mode: sidecar has no Deployment to scale"),
    ({"autoscaling.enabled": True, "autoscaling.cpuUtilization": 0}, "cpuUtilization and requestsWaiting are both 0"),
    ({"autoscaling.enabled": True, "autoscaling.minReplicas": 20}, "autoscaling: minReplicas is above maxReplicas"),
    (
        {"autoscaling.enabled": True, "resources.requests.cpu": None, "resources.limits.cpu": None},
        "autoscaling.cpuUtilization is a share of resources.requests.cpu",
    ),
    ({"keda.enabled": True}, "keda.prometheus.serverAddress: is missing"),
    ({"serviceMonitor.enabled": True, "http.enabled": False}, "serviceMonitor.enabled needs http.enabled"),
    (
        {"keda.enabled": True, "keda.prometheus.serverAddress": "http://p:1", "http.enabled": False},
        "keda.enabled needs http.enabled",
    ),
    (
        {"autoscaling.enabled": True, "autoscaling.requestsWaiting": 4, "http.enabled": False},
        "autoscaling.requestsWaiting needs http.enabled",
    ),
    ({"mode": "sidecar", "http.enabled": False}, "sidecar.grpcAddress: 127.0.0.1 needs http.enabled"),
    ({"rollout.maxSurge": "0%"}, "nothing could be rolled out"),
    ({"bundle.source": "oci"}, "bundle.source: oci needs bundle.oci.reference"),
    ({"bundle.source": "fetch"}, "bundle.source: fetch needs bundle.fetch.url and bundle.fetch.sha256"),
    ({"previousBundle.source": "pvc"}, "previousBundle.source: pvc needs previousBundle.pvc.claimName"),
    ({"calibrations.existingConfigMap": "a", "calibrations.pvc.claimName": "b"}, "exclude each other"),
    ({"tls.existingSecret": "a"}, "tls.enabled is false"),
    ({"tls.clientCA.existingSecret": "a"}, "tls.enabled is false"),
    ({"tls.enabled": True}, "tls.enabled needs tls.existingSecret, or tls.certManager.enabled"),
    ({"tls.enabled": True, "tls.certManager.enabled": True}, "needs tls.certManager.issuerRef.name"),
    ({"tls.enabled": True, "tls.existingSecret": "a", "tls.certManager.enabled": True}, "exclude each other"),
    ({"apiKeys.existingSecret": "a"}, "client.apiKey.existingSecret"),
    (ENGINE | CALLED | {"apiKeys.existingSecret": "a", "test.enabled": False}, "the engine's connectors need a key"),
    (
        ENGINE
        | CALLED
        | {"tls.enabled": True, "tls.existingSecret": "a", "tls.clientCA.existingSecret": "b", "test.enabled": False},
        "an engine has no certificate to show",
    ),
    ({"tls.enabled": True, "tls.existingSecret": "a"}, "name the Secret with it in tls.ca.existingSecret"),
    (
        {"tls.enabled": True, "tls.existingSecret": "a", "test.enabled": False, "serviceMonitor.enabled": True},
        "name the Secret with it in tls.ca.existingSecret",
    ),
    ({"tls.enabled": True, "tls.existingSecret": "a", "tls.clientCA.existingSecret": "b"}, "client.certificate"),
    ({"http.port": 50051}, "grpc.port and http.port are the same"),
    ({"engine.type": "opensearch"}, "engine.type needs engine.url"),
    ({"engine.url": "http://search:9200"}, "engine.type is empty"),
    ({"templates.enabled": True}, "templates.enabled needs engine.type"),
    ({"encode.enabled": True}, "encode.task: update needs engine.type, engine.url and encode.index"),
    ({"encode.enabled": True, "encode.task": "files"}, "needs encode.corpus.paths"),
    ({"encode.enabled": True, "encode.task": "files", "encode.corpus.paths": ["b"]}, "b is no URI"),
    (
        {"encode.enabled": True, "encode.task": "files", "encode.corpus.paths": ["s3://bucket/b"]},
        "needs encode.output.claimName, or a URI",
    ),
    (
        ENGINE | {"encode.enabled": True, "encode.task": "index", "encode.corpus.paths": ["s3://a/b", "s3://a/c"]},
        "task index takes one file or folder",
    ),
    (
        ENGINE | {"encode.enabled": True, "encode.schedule": "0 3 * * *", "encode.ray.enabled": True},
        "encode.ray.enabled and encode.schedule exclude each other",
    ),
    (ENGINE | {"encode.enabled": True, "encode.ray.enabled": True}, "the server's image has no Ray: give"),
    (
        ENGINE | CALLED | {"encode.enabled": True, "encode.task": "index", "encode.corpus.paths": ["s3://a/b"]},
        "give templates.hook=false",
    ),
]


@pytest.mark.parametrize(("values", "told"), APART)
def test_what_cannot_work_together_is_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused) as error:
        rendered(*(nested(path, value) for path, value in values.items()))
    assert told in str(error.value)


TOGETHER = [
    ({"tls.enabled": True, "tls.existingSecret": "a", "test.enabled": False}, "nobody needs the authority"),
    (
        {"tls.enabled": True, "tls.existingSecret": "a", "tls.ca.existingSecret": "a"},
        "the certificate's Secret holds it, too",
    ),
    (ENGINE | CALLED | {"templates.sidecar": "none", "http.enabled": False}, "the engine does not call"),
    ({"autoscaling.enabled": True, "http.enabled": False}, "CPU is no metric of simgate's"),
    (
        ENGINE | CALLED
        | {"encode.enabled": True, "encode.task": "index", "encode.corpus.paths": ["s3://a/b"],
           "templates.hook": False},
        "both are plain Jobs",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("values", "remark"), TOGETHER)
def test_what_can_work_together_is_not_refused(values: dict[str, Any], remark: str) -> None:
    assert rendered(*(nested(path, value) for path, value in values.items())), remark


RELEASES = [("7", False, "a digit"), ("my.shop", False, "a dot"), ("7-simgate", False, "a digit"), ("s7", True, "both")]


@pytest.mark.parametrize(("release", "taken", "remark"), RELEASES)
def test_a_release_whose_name_no_service_can_have_needs_another(release: str, taken: bool, remark: str) -> None:
    if taken:
        assert rendered(release=release), remark
        return
    with pytest.raises(Refused, match="give fullnameOverride"):
        rendered(release=release)
    assert rendered({"fullnameOverride": "gate"}, release=release), remark


def test_an_image_volume_needs_a_kubernetes_that_has_it() -> None:
    with pytest.raises(Refused, match=r"needs Kubernetes 1\.31 or later.* this is v1\.30\.0"):
        rendered(values_of("oci"), version="1.30.0")


def test_every_setting_of_the_file_is_the_servers() -> None:
    assert all(name.startswith(PREFIX) for name in seen(render(values_of("engine")), "ConfigMap data"))
