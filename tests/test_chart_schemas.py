"""Every object of every mode is one that Kubernetes and the operators take, by their own schemas."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from chart import CHART, MODES, module, rendered, tool, values_of

#: Kubernetes' own schemas that kubectl-validate carries; and the newest, out of Kubernetes' module.
CARRIED = ["1.28", "1.29", "1.30"]
NEWEST = ("k8s.io/kubernetes", "v1.37.0")
#: Where operators publish the schemas of their resources.
RESOURCES = {
    ("github.com/cert-manager/cert-manager", "v1.21.2"): ["deploy/crds/cert-manager.io_certificates.yaml"],
    ("github.com/kedacore/keda/v2", "v2.21.0"): ["config/crd/bases/keda.sh_scaledobjects.yaml"],
    ("github.com/prometheus-operator/prometheus-operator", "v0.85.0"): [
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ],
    ("github.com/ray-project/kuberay/ray-operator", "v1.4.2"): ["config/crd/bases/ray.io_rayjobs.yaml"],
}


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the definitions of all custom resources that the chart may render."""
    folder = tmp_path_factory.mktemp("resources")
    for (name, version), files in RESOURCES.items():
        for file in files:
            shutil.copyfile(module(name, version) / file, folder / Path(file).name)
    return folder


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the schemas of the newest Kubernetes, as kubectl-validate wants them: ``apis/apps/v1.json``."""
    folder = tmp_path_factory.mktemp("schemas")
    for file in (module(*NEWEST) / "api" / "openapi-spec" / "v3").glob("api*__v*_openapi.json"):
        target = folder.joinpath(*file.name.removesuffix("_openapi.json").split("__"))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target.with_name(target.name + ".json"))
    return folder


def faults(text: str, folder: Path, *options: str | Path) -> str:
    """What kubectl-validate finds in objects; empty for nothing."""
    file = folder / "objects.yaml"
    file.write_text(text, encoding="utf-8")
    alone = os.environ | {"KUBECONFIG": str(folder / "none"), "HOME": str(folder)}  # it would ask a cluster first
    done = subprocess.run([tool("kubectl-validate"), *options, file], capture_output=True, text=True, env=alone)
    assert done.returncode == 0 or done.stderr.strip()
    return done.stderr.strip() if done.returncode else ""


@pytest.mark.parametrize("version", CARRIED)
@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "oci"])
def test_kubernetes_takes_every_object(mode: str, version: str, resources: Path, tmp_path: Path) -> None:
    text = rendered(values_of(mode), version=f"{version}.0")
    assert not faults(text, tmp_path, "--version", version, "--local-crds", resources)


@pytest.mark.parametrize("mode", MODES)
def test_the_newest_kubernetes_takes_every_object(mode: str, newest: Path, resources: Path, tmp_path: Path) -> None:
    text = rendered(values_of(mode), version=NEWEST[1][1:])
    assert not faults(text, tmp_path, "--local-schemas", newest, "--local-crds", resources)


BROKEN = [
    ("default", "replicas: 2", "replicas: two", "replicas", "a type of Kubernetes'"),
    ("default", "readOnlyRootFilesystem:", "readonlyRootFilesystem:", "unknown field", "a misspelt field"),
    ("keda", "maxReplicaCount:", "maxReplicas:", "unknown field", "of a ScaledObject"),
    ("tls", "rotationPolicy: Always", "rotationPolicy: Sometimes", "rotationPolicy", "of a Certificate"),
    ("engine", "expr: |", "expression: |", "expr", "of a PrometheusRule"),
    ("engine", "scrapeTimeout:", "timeout:", "unknown field", "of a ServiceMonitor"),
    ("encode-ray", "rayStartParams:", "startParams:", "unknown field", "of a RayJob"),
]


@pytest.mark.parametrize(("mode", "good", "bad", "told", "remark"), BROKEN)
def test_a_fault_would_be_seen(
    mode: str, good: str, bad: str, told: str, remark: str, resources: Path, tmp_path: Path
) -> None:
    text = rendered(values_of(mode))
    assert good in text
    found = faults(text.replace(good, bad), tmp_path, "--version", CARRIED[-1], "--local-crds", resources)
    assert told in found, remark


@pytest.mark.parametrize("mode", MODES)
def test_helm_lints_every_mode(mode: str) -> None:
    command = [tool("helm"), "lint", "--strict", "--kube-version", "1.33.0", CHART]
    done = subprocess.run([*command, "--values", CHART / "ci" / f"{mode}-values.yaml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout


def test_the_package_holds_what_it_needs_and_no_more(tmp_path: Path) -> None:
    subprocess.run([tool("helm"), "package", CHART, "--destination", tmp_path], check=True, capture_output=True)
    shutil.unpack_archive(tmp_path / "simgate-0.1.0.tgz", tmp_path)
    found = {path.name for path in (tmp_path / "simgate").iterdir()}
    wanted = {
        "Chart.yaml",
        "values.yaml",
        "values.schema.json",
        "templates",
        "alerts",
        "dashboards",
        ".helmignore",
        "README.md",
    }
    assert found == wanted
