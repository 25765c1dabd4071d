"""The Helm chart as a cluster would get it: rendered by helm, taken apart, and checked by kubectl-validate."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).parent.parent / "helm"
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
MODES = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").iterdir())
#: libyaml, where there is one, reads the dashboard many times faster.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: What the chart is rendered for where nothing else is said; the newest that `oci` and all others work on.
VERSION = "1.33.0"
RELEASE, NAMESPACE = "shop", "search"
NAME = f"{RELEASE}-simgate"
Object = dict[str, Any]


class Refused(Exception):
    """What helm said when it rendered nothing."""


def tool(name: str) -> str:
    """The path of a tool; without it the test is skipped, unless ``SIMGATE_CHART=required``."""
    found = shutil.which(name)
    if not found and os.environ.get("SIMGATE_CHART") != "required":
        pytest.skip(f"needs {name}")
    assert found, f"{name} is not in PATH"
    return found


def values_of(mode: str) -> Object:
    """The values of an example, ``default`` for none."""
    found: Object = yaml.safe_load((CHART / "ci" / f"{mode}-values.yaml").read_text(encoding="utf-8"))
    return found


def nested(path: str, value: Any) -> Object:
    """Values with one value at a dotted path.

    Example:
        >>> nested("image.tag", "2")
        {'image': {'tag': '2'}}
    """
    for name in reversed(path.split(".")):
        value = {name: value}
    return dict(value)


def leaves(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Every value by its dotted path; lists, and maps that the schema leaves open, are values."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{before}{name}"
        if isinstance(value, dict) and "additionalProperties" in (part := schema_at(path)) and part.get("properties"):
            found |= leaves(value, f"{path}.")
        else:
            found[path] = value
    return found


def schema_at(path: str) -> Object:
    """The schema of the value at a dotted path; KeyError if it has none."""
    part = SCHEMA
    for name in path.split("."):
        part = part["properties"][name]
        if "$ref" in part:
            part = SCHEMA["$defs"][part["$ref"].rpartition("/")[2]]
    return part


def render(
    *values: Mapping[str, Any], chart: Path = CHART, version: str = VERSION, release: str = RELEASE
) -> list[Object]:
    """The objects that a cluster would get, from values of which the later go before the earlier.

    Raises:
        Refused: helm renders nothing; the message is its own.
    """
    return list(yaml.load_all(rendered(*values, chart=chart, version=version, release=release), LOADER))


def rendered(*values: Mapping[str, Any], chart: Path = CHART, version: str = VERSION, release: str = RELEASE) -> str:
    """As `render`, as text."""
    return _template(json.dumps(values), chart, version, release)


@cache
def _template(values: str, chart: Path, version: str, release: str) -> str:
    command = [
        tool("helm"),
        "template",
        release,
        str(chart),
        "--namespace",
        NAMESPACE,
        "--kube-version",
        version,
    ]
    with tempfile.TemporaryDirectory() as folder:
        for number, one in enumerate(json.loads(values)):
            file = Path(folder) / f"{number}.yaml"
            file.write_text(json.dumps(one))
            command += ["--values", str(file)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Refused(done.stderr)
    return done.stdout


def of_kind(objects: Sequence[Object], kind: str) -> Object | None:
    """The object of a kind, or of ``Kind/suffix`` the one whose name ends so; the shortest name of several."""
    kind, _, suffix = kind.partition("/")
    found = [item for item in objects if item["kind"] == kind and item["metadata"]["name"].endswith(suffix)]
    return min(found, key=lambda item: len(item["metadata"]["name"]), default=None)


def seen(objects: Sequence[Object], where: str) -> Any:
    """What stands at a place such as ``Deployment spec template spec containers simgate image``; None for nothing.

    Items of lists are found by number, name or topology key.
    """
    kind, *steps = where.split()
    part: Any = of_kind(objects, kind)
    for step in steps:
        if isinstance(part, list):
            named = [
                item for item in part if isinstance(item, dict) and step in (item.get("name"), item.get("topologyKey"))
            ]
            part = named[0] if named else part[int(step)] if step.isdigit() and int(step) < len(part) else None
        elif isinstance(part, dict):
            part = part.get(step)
        else:
            return None
    return part


def pods(objects: Sequence[Object]) -> dict[str, Object]:
    """The specification of every Pod, by kind and name of what makes it, and by role for Ray's."""
    found: dict[str, Object] = {}
    for item in objects:
        where, spec = f"{item['kind']}/{item['metadata']['name']}", item.get("spec", {})
        if item["kind"] == "Pod":
            found[where] = spec
        elif item["kind"] == "CronJob":
            found[where] = spec["jobTemplate"]["spec"]["template"]["spec"]
        elif item["kind"] == "RayJob":
            cluster = spec["rayClusterSpec"]
            found[f"{where}/head"] = cluster["headGroupSpec"]["template"]["spec"]
            found[f"{where}/worker"] = cluster["workerGroupSpecs"][0]["template"]["spec"]
        elif "template" in spec:
            found[where] = spec["template"]["spec"]
    return found


def environment(objects: Sequence[Object], container: Object) -> dict[str, str]:
    """What a container's process gets from ConfigMaps and plain values; secrets and fields by reference as JSON."""
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        config = of_kind(objects, f"ConfigMap/{source['configMapRef']['name']}")
        assert config
        found |= config["data"]
    for item in container.get("env", []):
        found[item["name"]] = item["value"] if "value" in item else json.dumps(item["valueFrom"])
    return found


def module(name: str, version: str) -> Path:
    """The folder of a Go module, out of the cache or downloaded."""
    command = [tool("go"), "mod", "download", "-json", f"{name}@{version}"]
    with tempfile.TemporaryDirectory() as folder:  # in a module's folder go would heed that module
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(json.loads(done.stdout)["Dir"])
