"""What runs beside the server: the sidecar in another chart, Jobs and their commands, and upgrades."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from chart import CHART, MODES, NAME, RELEASE, Object, nested, of_kind, pods, render, seen, tool, values_of

from plugin_server.cli import main

JOB = "Job spec template spec containers encode args"
#: TLS from a Secret that holds the authority, too.
TLS: Object = {"tls": {"enabled": True, "existingSecret": "a", "ca": {"existingSecret": "a"}}}
#: Of an image that has Ray.
RAY = {"enabled": True, "image": {"tag": "ray"}}


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example of a parent chart, its dependency in place."""
    folder = tmp_path_factory.mktemp("parent") / "helm"
    shutil.copytree(CHART, folder)
    parent = folder / "examples" / "sidecar"
    subprocess.run([tool("helm"), "dependency", "build", parent], check=True, capture_output=True)
    subprocess.run(
        [tool("helm"), "lint", "--strict", "--kube-version", "1.33.0", parent], check=True, capture_output=True
    )
    return parent


def test_a_parent_chart_has_the_container_beside_its_own(example: Path) -> None:
    objects = render(chart=example)
    assert {item["kind"] for item in objects} == {"ConfigMap", "Service", "Deployment"}
    deployment = of_kind(objects, "Deployment")
    assert deployment and deployment["metadata"]["name"] == RELEASE
    ours = seen(objects, "Deployment spec template spec containers simgate")
    same = {"resources": {"requests": {"cpu": "500m"}, "limits": {"cpu": "1"}}}
    alone = seen(render(same), "Deployment spec template spec containers simgate")
    for name in ("image", "securityContext", "resources", "volumeMounts", "livenessProbe", "lifecycle"):
        assert ours[name] == alone[name]
    assert ours["args"] == ["serve", "--address", "127.0.0.1:50051", "--http", "0.0.0.0:8080"]
    assert ours["startupProbe"]["httpGet"]["path"] == "/readyz", "the kubelet does not reach the Pod's loopback"
    assert seen(objects, "Deployment spec template spec terminationGracePeriodSeconds") == 40


def test_the_sidecars_are_scraped_and_found(example: Path) -> None:
    objects = render(nested("simgate.serviceMonitor.enabled", True), chart=example)
    service = of_kind(objects, "Service")
    assert service and [port["name"] for port in service["spec"]["ports"]] == ["http"]
    labels = seen(objects, "Deployment spec template metadata labels")
    assert service["spec"]["selector"].items() <= labels.items()
    assert seen(objects, "ServiceMonitor spec selector matchLabels").items() <= service["metadata"]["labels"].items()
    mine = seen(objects, "Deployment spec selector matchLabels")
    assert not set(mine) & set(service["spec"]["selector"]), "the parent's own Service selects by its own labels"


def test_a_parent_charts_values_reach_the_sidecar(example: Path) -> None:
    bundle = {"source": "fetch", "fetch": {"url": "https://a.example/b", "sha256": "0" * 64}}
    objects = render({"simgate": {"bundle": bundle}, "global": {"of": "others"}}, chart=example)
    pod = seen(objects, "Deployment spec template spec")
    assert [item["name"] for item in pod["initContainers"]] == ["simgate-bundle-current"]
    assert {item["name"] for item in pod["volumes"]} == {"simgate-tmp", "simgate-bundle-current"}
    where = "Deployment spec template metadata annotations simgate/settings"
    assert seen(objects, where) != seen(render(chart=example), where)


def commands(mode: str) -> dict[str, list[str]]:
    """The arguments of every container that runs simgate, and those of a RayJob."""
    objects = render(values_of(mode))
    found = {
        f"{where} {container['name']}": container["args"]
        for where, pod in pods(objects).items()
        for container in [*pod.get("initContainers", []), *pod["containers"]]
        if "args" in container
    }
    if entry := seen(objects, "RayJob spec entrypoint"):
        found["RayJob"] = shlex.split(entry)[1:]
    return found


@pytest.mark.parametrize("mode", MODES)
def test_every_command_is_one_and_has_those_options(mode: str) -> None:
    found = commands(mode)
    assert found or mode == "sidecar"
    for where, arguments in found.items():
        command: click.Command | None = main
        name: str | None = "simgate"
        context = None
        while isinstance(command, click.Group):
            context = command.make_context(name, list(arguments), parent=context)
            name, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])
        assert command, where
        assert command.make_context(name, list(arguments), parent=context).params, where


TASKS: list[tuple[str, Object, list[str], str]] = [
    ("encode", {}, ["index", "--update-existing", "--index", "articles"], "blobs for an index that is there"),
    ("encode", {"task": "index", "corpus": {"claimName": "c", "paths": ["/a b.jsonl"]}},
     ["index", "/corpus/a b.jsonl", "--index", "articles"], "a corpus of a claim"),
    ("encode", {"task": "files", "corpus": {"paths": ["s3://b/c"]}, "output": {"path": "s3://b/d"}},
     ["encode", "s3://b/c", "--output", "s3://b/d"], "without claims"),
    ("encode", {"args": ["--text-field", "it's"]},
     ["index", "--update-existing", "--index", "articles", "--text-field", "it's"], "arguments as they are"),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "encode", "expected", "remark"), TASKS)
def test_what_is_encoded(mode: str, encode: Object, expected: list[str], remark: str) -> None:
    assert seen(render(values_of(mode), {"encode": encode}), JOB) == expected, remark
    entry = seen(render(values_of(mode), {"encode": encode | {"ray": RAY}}), "RayJob spec entrypoint")
    ray = ["--runner", "ray", "--address", "auto", "--workers", "0"]
    more = len(encode.get("args", []))
    shared = expected[: len(expected) - more] + ray + expected[len(expected) - more :]
    shell = subprocess.run(
        ["sh", "-c", entry.replace("/opt/simgate/venv/bin/simgate", "printf '%s\\n'")], capture_output=True, text=True
    )
    assert shell.stdout.splitlines() == shared, "as a shell takes it"


def test_rays_pods_have_what_the_job_has_and_are_not_bounded() -> None:
    objects = render(values_of("encode-ray"))
    head, worker = (pod for where, pod in pods(objects).items() if where.startswith("RayJob"))
    for pod in (head, worker):
        mounts = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        assert {"/corpus", "/output", "/tmp", "/dev/shm"} <= mounts
        assert pod["containers"][0]["readinessProbe"]["httpGet"]["path"] == "/api/local_raylet_healthz"
    bounded = seen(objects, "NetworkPolicy spec podSelector matchLabels")
    labels = seen(objects, "RayJob spec rayClusterSpec headGroupSpec template metadata labels")
    assert not bounded.items() <= labels.items()


def test_checkpoints_outlive_the_container() -> None:
    objects = render(values_of("encode"))
    box = seen(objects, "Job spec template spec containers encode")
    state = next(item["value"] for item in box["env"] if item["name"] == "XDG_STATE_HOME")
    assert state in {mount["mountPath"] for mount in box["volumeMounts"]}
    assert seen(objects, "Job spec template spec restartPolicy") == "OnFailure"
    assert seen(objects, "Job spec template spec volumes state persistentVolumeClaim claimName") == "encode-state"


def test_a_hook_takes_the_earlier_ones_place() -> None:
    annotations = seen(render(values_of("engine")), "Job metadata annotations")
    assert annotations == {
        "helm.sh/hook": "post-install,post-upgrade",
        "helm.sh/hook-delete-policy": "before-hook-creation",
    }
    plain = render(values_of("engine"), nested("templates.hook", False))
    assert "annotations" not in seen(plain, "Job metadata")


SIDECAR = [
    ({}, "http://shop-simgate.search.svc:8080", "the ordinary Service"),
    (TLS, "https://shop-simgate.search.svc:8080", "with TLS"),
    ({"http": {"port": 9}}, "http://shop-simgate.search.svc:9", "another port"),
    (nested("templates.sidecar", "none"), None, "the engine does not call"),
]


@pytest.mark.parametrize(("values", "expected", "remark"), SIDECAR)
def test_where_the_engine_finds_the_sidecar(values: Object, expected: str | None, remark: str) -> None:
    arguments = seen(render(values_of("engine"), values), "Job spec template spec containers templates args")
    found = arguments[arguments.index("--sidecar") + 1] if "--sidecar" in arguments else None
    assert found == expected, remark


EARLIER = Path(__file__).parent / "data" / "chart-0.1.0"
#: Fields that Kubernetes does not let be changed.
FIXED = [
    "Deployment metadata name", "Deployment spec selector", "Service metadata name", "Service/headless spec clusterIP",
    "PodDisruptionBudget metadata name", "Job/templates metadata name", "CronJob metadata name", "Job metadata name",
]  # fmt: skip


@pytest.mark.parametrize("path", sorted(EARLIER.iterdir()), ids=lambda path: path.stem)
def test_values_of_an_earlier_version_go_on_working(path: Path) -> None:
    earlier: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    objects = render(earlier["values"], version="1.33.0")
    assert {where: seen(objects, where) for where in FIXED} == {where: earlier["fixed"].get(where) for where in FIXED}


CHANGES = [
    {"image": {"tag": "9"}}, {"settings": {"maxQueue": 3}, "replicas": 9}, {"podLabels": {"a": "b"}},
    {"bundle": {"source": "pvc", "pvc": {"claimName": "a"}}}, {"http": {"enabled": False}},
    TLS, {"serviceAccount": {"create": False}},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("mode", ["default", "encode", "encode-nightly"])
def test_what_cannot_be_changed_does_not_follow_values(mode: str, change: Object) -> None:
    before, after = render(values_of(mode)), render(values_of(mode), change)
    assert {where: seen(before, where) for where in FIXED} == {where: seen(after, where) for where in FIXED}


def test_a_job_that_is_no_hook_is_a_new_one_in_each_revision() -> None:
    assert of_kind(render(values_of("encode")), f"Job/{NAME}-encode-1"), "the first revision"
    assert "{{ (index . 0).Release.Revision }}" in (CHART / "templates" / "_job.tpl").read_text(encoding="utf-8")


#: A corpus in a store, on its way into an index.
STORE: Object = {
    "engine": {"type": "opensearch", "url": "https://s:9200"},
    "encode": {"enabled": True, "task": "index", "index": "a", "corpus": {"paths": ["s3://bucket/corpus"]}},
}
KEDA: Object = values_of("keda") | nested("serviceMonitor.enabled", False)
NOTES = [
    ({}, "INSECURE: traffic is not encrypted", True), ({}, "INSECURE: who reaches a port is let in", True),
    ({}, "dns:///shop-simgate-headless.search.svc:50051", True), ({}, "helm test shop --namespace search", True),
    ({}, "No NetworkPolicy bounds", False), (nested("networkPolicy.enabled", False), "No NetworkPolicy bounds", True),
    (nested("settings.logTexts", True), "INSECURE: queries and documents may be logged", True),
    ({"engine": {"type": "opensearch", "url": "http://s:9200"}}, "INSECURE: traffic to the engine", True),
    ({"engine": {"type": "opensearch", "url": "https://s:9200"}}, "INSECURE: traffic to the engine", False),
    (nested("shadow.enabled", True), "no verdict is applied", True),
    (nested("mode", "sidecar"), "simgate.podLabels", True), (values_of("tls"), "INSECURE:", False),
    (nested("service.type", "LoadBalancer"), "lets in networkPolicy.from alone", True),
    ({}, "lets in networkPolicy.from alone", False),
    ({"service": {"type": "NodePort"}, "networkPolicy": {"enabled": False}}, "networkPolicy.from alone", False),
    (values_of("keda"), "KEDA's query finds nothing", False),
    (KEDA, "KEDA's query finds nothing unless Prometheus scrapes the Service shop-simgate", True),
    (KEDA | {"keda": KEDA["keda"] | {"prometheus": {"serverAddress": "http://p", "query": "sum(up)"}}},
     "KEDA's query finds nothing", False),
    (STORE, "keeps encoding from the store", True), (values_of("encode"), "keeps encoding", False),
    (STORE | {"networkPolicy": {"enabled": False}}, "keeps encoding", False),
    (STORE | {"networkPolicy": {"extraEgress": [{"ports": [{"port": 443}]}]}}, "keeps encoding", False),
    (STORE | {"encode": STORE["encode"] | {"ray": RAY}}, "keeps encoding", False),
]  # fmt: skip


@pytest.fixture(scope="module")
def noted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart with its notes as an object, since `helm template` does not print them."""
    folder = tmp_path_factory.mktemp("noted") / "simgate"
    shutil.copytree(CHART, folder)
    text = (folder / "templates" / "NOTES.txt").read_text(encoding="utf-8")
    (folder / "templates" / "_notes.tpl").write_text('{{- define "notes" -}}\n' + text + "\n{{- end -}}\n")
    (folder / "templates" / "notes.yaml").write_text(
        'kind: Notes\nmetadata: {name: notes}\ntext: |\n  {{- include "notes" . | nindent 2 }}\n'
    )
    return folder


@pytest.mark.parametrize(("values", "words", "there"), NOTES)
def test_the_notes_say_how_to_reach_it_and_what_is_insecure(
    values: Object, words: str, there: bool, noted: Path
) -> None:
    assert (words in seen(render(values, chart=noted), "Notes text")) is there
