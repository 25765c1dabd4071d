"""What every Pod of the chart has in common: who it runs as, what it may write, and that all it names is there."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
import yaml
from chart import (
    CHART,
    MODES,
    NAME,
    SCHEMA,
    VALUES,
    Object,
    environment,
    of_kind,
    pods,
    render,
    rendered,
    seen,
    values_of,
)

HARDENED = {
    "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
}  # fmt: skip
#: Folders that containers may write to.
WRITABLE = {"/tmp", "/var/lib/simgate", "/state", "/output", "/dev/shm"}
BOX = "Deployment spec template spec containers simgate"


def containers(pod: Object) -> list[Object]:
    """The containers of a Pod, those of its start too."""
    return [*pod.get("initContainers", []), *pod["containers"]]


@pytest.mark.parametrize("mode", MODES)
def test_every_container_is_shut_in(mode: str) -> None:
    for pod in pods(render(values_of(mode))).values():
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False, "a Service named simgate would set SIMGATE_PORT"
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        for container in containers(pod):
            assert container["securityContext"] == HARDENED
            assert {"cpu", "memory", "ephemeral-storage"} <= set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("mode", MODES)
def test_every_mount_has_its_volume_and_every_volume_a_mount(mode: str) -> None:
    for where, pod in pods(render(values_of(mode))).items():
        names = [volume["name"] for volume in pod["volumes"]]
        mounts = [mount for container in containers(pod) for mount in container["volumeMounts"]]
        assert len(names) == len(set(names)), where
        assert {mount["name"] for mount in mounts} == set(names), where
        for volume in pod["volumes"]:
            assert volume.get("emptyDir", {"sizeLimit": "given"})["sizeLimit"], where
        for mount in mounts:
            fetched = mount["name"].startswith("simgate-bundle") and "readOnly" not in mount
            assert mount.get("readOnly") or mount["mountPath"] in WRITABLE or fetched, where
            assert "subPath" not in mount or mount["name"] == "profile", "would never be updated"


@pytest.mark.parametrize("mode", MODES)
def test_every_file_that_a_setting_names_lies_in_a_mount(mode: str) -> None:
    objects = render(values_of(mode))
    for pod in pods(objects).values():
        server = next((item for item in pod["containers"] if item["name"] == "simgate"), None)
        if server is None:
            continue
        folders = [mount["mountPath"] for mount in server["volumeMounts"]] + ["/opt/simgate/bundle"]
        for name, value in environment(objects, server).items():
            if value.startswith("/"):
                assert any(value == folder or value.startswith(f"{folder}/") for folder in folders), name


@pytest.mark.parametrize("mode", MODES)
def test_no_object_holds_a_secret(mode: str) -> None:
    objects = render(values_of(mode))
    assert "Secret" not in {item["kind"] for item in objects}
    for item in objects:
        if item["kind"] == "ConfigMap":
            assert not {name for name in item["data"] if name.endswith(("PASSWORD", "API_KEY", "USER"))}


@pytest.mark.parametrize("mode", MODES)
def test_names_fit_whatever_the_release_is_called(mode: str) -> None:
    long = {"fullnameOverride": "a" * 40}
    for item in render(values_of(mode), long):
        assert len(item["metadata"]["name"]) <= 63
        assert len(item["metadata"]["name"]) <= 52 or item["kind"] != "CronJob", "its Jobs have eleven more"
        assert len(item["metadata"]["name"]) <= 47 or item["kind"] != "RayJob", "KubeRay takes no longer one"


def digits(values: Any, part: Object) -> Any:
    """The values with 12 for every name and key of an object that is given."""
    part = SCHEMA["$defs"][part["$ref"].rpartition("/")[2]] | {"of": part["$ref"]} if "$ref" in part else part
    if part.get("of", "").rpartition("/")[2] in ("name", "givenName", "key") and values:
        return "12"
    if isinstance(values, list):
        return [digits(item, part.get("items", {})) for item in values]
    if isinstance(values, dict):
        return {name: digits(item, part.get("properties", {}).get(name, {})) for name, item in values.items()}
    return values


#: Beside what the examples name.
NAMED = {
    "imagePullSecrets": ["12"], "priorityClassName": "12", "topologySpread": {"keys": ["12"]},
    "templates": {"prefix": "12", "pattern": "12", "vectors": "12"}, "bundle": {"oci": {"reference": "12"}},
    "keda": {"prometheus": {"authentication": "12"}}, "tls": {"certManager": {"dnsNames": ["12"]}},
    "fullnameOverride": "true", "nameOverride": "null",
}  # fmt: skip
#: Fields that hold names.
NAMES = {"name", "key", "claimName", "secretName", "serviceAccountName", "runtimeClassName", "priorityClassName",
         "topologyKey", "path", "reference", "image", "args", "dnsNames"}  # fmt: skip
#: Maps of which every value is a text.
OPEN = {"labels", "annotations", "matchLabels", "selector", "data"}


def texts(part: Any, field: str = "") -> list[Any]:
    """What stands in fields that hold names, in labels and annotations, and in the arguments of containers."""
    if isinstance(part, list):
        return [found for item in part for found in texts(item, field)]
    if isinstance(part, dict):
        inside = field in OPEN
        return [found for name, item in part.items() for found in texts(item, field if inside else name)]
    return [part] if field in NAMES | OPEN else []


@pytest.mark.parametrize("mode", MODES)
def test_a_name_may_look_like_a_number(mode: str) -> None:
    values = digits(values_of(mode), SCHEMA)
    objects = render(digits(VALUES, SCHEMA), values, NAMED, release="12")
    found = texts(objects)
    assert {"12", "true", "null"} <= set(found)
    assert [item for item in found if not isinstance(item, str)] == []


@pytest.mark.parametrize("mode", ["engine", "encode", "encode-nightly", "encode-ray"])
def test_the_priority_is_of_the_servers_pods(mode: str) -> None:
    for where, pod in pods(render(values_of(mode), {"priorityClassName": "high"})).items():
        assert (pod.get("priorityClassName") == "high") is where.startswith("Deployment"), where


THREADS = [
    (
        {"resources": {"limits": {"cpu": "2"}}},
        {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1"}},
        "a limit",
    ),
    ({"resources": {"limits": {"cpu": None}}}, "0", "none: the cores of the node's affinity"),
]


@pytest.mark.parametrize(("values", "expected", "remark"), THREADS)
def test_threads_follow_the_limit(values: dict[str, Any], expected: Any, remark: str) -> None:
    threads = seen(render(values), f"{BOX} env SIMGATE_THREADS")
    assert threads.get("valueFrom", threads.get("value")) == expected, remark


GRPC, TCP = {"port": 50051, "service": "simgate.v1.Simgate"}, {"port": 50051}
READY = {"path": "/readyz", "port": 8080, "scheme": "HTTP"}
LIVE = READY | {"path": "/livez"}
PROBES = [
    ("default", "grpc", GRPC, "httpGet", READY, LIVE, "without TLS: gRPC's door at the start, HTTP's then"),
    ("tls", "httpGet", READY | {"scheme": "HTTPS"}, "httpGet", READY | {"scheme": "HTTPS"}, LIVE | {"scheme": "HTTPS"},
     "the kubelet's gRPC probe speaks no TLS"),
    ("mtls", "tcpSocket", TCP, "tcpSocket", TCP, TCP, "the kubelet has no certificate"),
    ("grpc", "grpc", GRPC, "grpc", GRPC, GRPC, "no HTTP"),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "how", "startup", "then", "readiness", "liveness", "remark"), PROBES)
def test_the_probes(
    mode: str, how: str, startup: Object, then: str, readiness: Object, liveness: Object, remark: str
) -> None:
    server = seen(render(values_of(mode)), BOX)
    assert server["startupProbe"][how] == startup, remark
    assert server["readinessProbe"][then] == readiness, remark
    assert server["livenessProbe"][then] == liveness, remark


GRACES = [
    ({}, 40, "5 before SIGTERM, 5 of notice, 25 of grace, 5 to end"),
    ({"preStopSeconds": 0}, 35, "no preStop"),
    ({"settings": {"grace": 60.5}}, 76, "parts of seconds count whole"),
    ({"settings": {"drainDelay": 0, "grace": 0}}, 10, "a drain of nothing"),
]


@pytest.mark.parametrize(("values", "seconds", "remark"), GRACES)
def test_the_grace_period_holds_the_drain(values: dict[str, Any], seconds: int, remark: str) -> None:
    objects = render(values)
    assert seen(objects, "Deployment spec template spec terminationGracePeriodSeconds") == seconds, remark
    config = seen(objects, "ConfigMap data")
    stop = seen(objects, f"{BOX} lifecycle preStop exec command 1") or 0
    assert seconds > int(stop) + math.ceil(float(config["SIMGATE_DRAIN_DELAY"])) + float(config["SIMGATE_GRACE"])
    assert seen(objects, f"{BOX} lifecycle preStop exec command 0") in ("sleep", None)


def test_a_changed_setting_replaces_the_pods() -> None:
    where = "Deployment spec template metadata annotations simgate/settings"
    first = seen(render(), where)
    assert first and first != seen(render({"settings": {"maxQueue": 3}}), where)
    assert first == seen(render({"replicas": 7}), where)


def test_replicas_are_left_to_who_scales() -> None:
    assert "replicas" not in seen(render(values_of("engine")), "Deployment spec")
    assert "replicas" not in seen(render(values_of("keda")), "Deployment spec")


def test_the_services_find_the_pods_and_their_ports() -> None:
    objects = render()
    labels = seen(objects, "Deployment spec template metadata labels")
    ports = {port["containerPort"] for port in seen(objects, f"{BOX} ports")}
    assert seen(objects, "Service/headless spec clusterIP") == "None"
    for suffix in (NAME, "headless"):
        assert seen(objects, f"Service/{suffix} spec selector").items() <= labels.items()
        assert {port["port"] for port in seen(objects, f"Service/{suffix} spec ports")} == ports
    assert seen(objects, "PodDisruptionBudget spec selector matchLabels").items() <= labels.items()
    spread = seen(
        objects, "Deployment spec template spec topologySpreadConstraints kubernetes.io/hostname labelSelector"
    )
    assert spread["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "sidecar"])
def test_only_the_server_is_selected_and_every_pod_but_rays_is_bounded(mode: str) -> None:
    objects = render(values_of(mode))
    selector = seen(objects, "Service spec selector").items()
    bounded = seen(objects, "NetworkPolicy spec podSelector matchLabels").items()
    for item in objects:
        template = item["spec"].get("jobTemplate", item)["spec"] if item["kind"] == "CronJob" else item.get("spec", {})
        metadata = item["metadata"] if item["kind"] == "Pod" else template.get("template", {}).get("metadata")
        if metadata:
            assert bounded <= metadata["labels"].items(), item["kind"]
            assert (selector <= metadata["labels"].items()) == (item["kind"] == "Deployment"), item["kind"]


PORTS = [
    ("https://search.data.svc:9201", 9201, "named"), ("https://search", 443, "of the scheme"),
    ("http://search/base", 80, "of the scheme, with a path"), ("http://[::1]:9200", 9200, "behind an address of IPv6"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "port", "remark"), PORTS)
def test_the_policy_lets_out_to_the_engine_alone(url: str, port: int, remark: str) -> None:
    objects = render({"engine": {"type": "opensearch", "url": url}})
    assert seen(objects, "NetworkPolicy spec egress 2") == {"ports": [{"port": port}]}, remark
    assert len(seen(objects, "NetworkPolicy spec egress")) == 3
    assert len(seen(render(), "NetworkPolicy spec egress")) == 2, "names, and the release's own Pods"


def test_a_gpu_is_a_limit_and_the_pod_goes_where_they_are() -> None:
    objects = render(
        values_of("gpu"), {"nodeSelector": {"zone": "a"}, "tolerations": [{"key": "b", "operator": "Exists"}]}
    )
    assert seen(objects, f"{BOX} resources limits nvidia.com/gpu") == 1
    assert seen(objects, "Deployment spec template spec nodeSelector") == {"zone": "a", "accelerator": "nvidia"}
    assert [item["key"] for item in seen(objects, "Deployment spec template spec tolerations")] == [
        "b",
        "nvidia.com/gpu",
    ]
    assert seen(objects, "Deployment spec template spec runtimeClassName") == "nvidia"
    assert "nvidia.com/gpu" not in rendered()


GPUS = [({}, "cpu", None, "a Job without one"), ({"nvidia.com/gpu": 1}, "cuda", "nvidia", "a Job with one")]


@pytest.mark.parametrize(("limit", "provider", "runtime", "remark"), GPUS)
def test_a_job_computes_on_a_gpu_only_if_it_has_one(
    limit: Object, provider: str, runtime: str | None, remark: str
) -> None:
    objects = render(values_of("gpu"), values_of("encode"), {"encode": {"resources": {"limits": limit}}})
    pod = seen(objects, "Job spec template spec")
    assert seen(objects, "Job spec template spec containers encode env SIMGATE_PROVIDER value") == provider, remark
    assert pod.get("runtimeClassName") == runtime
    assert ("nodeSelector" in pod) is (runtime is not None)


def test_the_query_of_keda_is_of_this_release_alone() -> None:
    query = seen(render(values_of("keda")), "ScaledObject spec triggers 0 metadata query")
    assert query.count('{namespace="search", job="shop-simgate"') == 2
    causes = re.findall(r'cause=~"(.*?)"', query)
    known = ["queue_full", "queue_wait", "overload", "rate_limited", "unauthenticated"]
    assert [name for name in known if re.fullmatch(*causes, name)] == known[:3], "more Pods help against those"
    promql_parser = pytest.importorskip("promql_parser")
    promql_parser.parse(query)


def test_the_certificate_has_the_names_that_clients_use() -> None:
    objects = render(values_of("tls"))
    names = seen(objects, "Certificate spec dnsNames")
    assert {NAME, f"{NAME}.search.svc", f"{NAME}-headless.search.svc.cluster.local", "simgate.example"} <= set(names)
    asked = seen(objects, "Pod spec containers ping args")
    assert asked[1:4] == [f"{NAME}.search.svc:50051", "--http", f"https://{NAME}.search.svc:8080"]
    assert seen(objects, "ServiceMonitor spec endpoints 0 tlsConfig serverName") == f"{NAME}.search.svc"
    assert seen(objects, "Certificate spec ipAddresses") is None
    assert seen(objects, "Deployment spec template spec volumes simgate-tls secret secretName") == seen(
        objects, "Certificate spec secretName"
    )


def test_the_certificate_of_a_sidecar_has_the_names_of_its_pod() -> None:
    objects = render(values_of("tls"), {"mode": "sidecar"})
    names = seen(objects, "Certificate spec dnsNames")
    assert {"localhost", f"{NAME}-headless.search.svc", "simgate.example"} <= set(names)
    assert seen(objects, "Certificate spec ipAddresses") == ["127.0.0.1"]
    assert not [name for name in names if name.startswith((f"{NAME}.", NAME)) and "headless" not in name]
    assert seen(objects, "ServiceMonitor spec endpoints 0 tlsConfig serverName") in names


def test_alerts_and_dashboard_are_those_of_the_repository() -> None:
    objects = render(values_of("engine"))
    alerts = yaml.safe_load((CHART / "alerts" / "simgate.yaml").read_text(encoding="utf-8"))
    assert seen(objects, "PrometheusRule spec") == alerts
    board = of_kind(objects, "ConfigMap/dashboard")
    assert board and json.loads(board["data"][f"{NAME}.json"]) == json.loads(
        (CHART / "dashboards" / "simgate.json").read_text(encoding="utf-8")
    )
