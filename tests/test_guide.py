"""The operations guide: its commands run as they stand, and print what it says; its values render."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import guide
import pytest
import yaml
from calibrating import lines, write_lines
from chart import CHART, VERSION, tool
from indices import other_bits
from nodes.engine import Engine as Node
from sidecar import Sidecar

from plugin_server import Bundle
from plugin_server.demo import CORPUS

STEPS = guide.steps(guide.GUIDE.read_text(encoding="utf-8"))
#: Where the guide says that the server is.
GRPC, HTTP, ENGINE = "127.0.0.1:50051", "http://127.0.0.1:8080", "http://127.0.0.1:9200"


class Round:
    """The guide's commands, run one after another in a folder of their own."""

    def __init__(self, folder: Path, node: Node) -> None:
        self.folder, self.node = folder, node
        self.sidecar: Sidecar | None = None
        self.printed: dict[str, list[str]] = {}
        shutil.copyfile(CORPUS, folder / "corpus.jsonl")
        write_lines(folder / "pairs.jsonl", lines())
        old = Bundle.open("")
        shutil.copytree(old.folder, folder / "old")
        other_bits(old, folder / "new")

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("SIMGATE_")}
        engine = {"SIMGATE_ENGINE": "opensearch", "SIMGATE_ENGINE_URL": self.node.url}
        return own | engine | {"COLUMNS": "100", "XDG_STATE_HOME": str(self.folder / "state")}

    def serve(self, settings: str) -> None:
        """Nothing; a server with these settings takes the other's place."""
        self.end()
        given = dict(item.split("=") for item in settings.split())
        paths = {name: str(self.folder / value) for name, value in given.items()}
        environment = {"SIMGATE_ENGINE": "opensearch", "SIMGATE_ENGINE_URL": self.node.url}
        self.sidecar = Sidecar("--index", "guide-docs", environment=environment | paths)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """What the command printed, on both streams, with the guide's own addresses."""
        assert self.sidecar
        places = {GRPC: self.sidecar.address, HTTP: self.sidecar.url, ENGINE: self.node.url}
        for told, real in places.items():
            command = command.replace(told, real)
        command = re.sub(r"^simgate ", f"{shlex.quote(sys.executable)} -m plugin_server ", command)
        made = subprocess.run(
            command, shell=True, cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        for told, real in places.items():
            made.stdout = guide.lasting(made.stdout.replace(real, told))
        return made

    def end(self) -> None:
        """Nothing; the server is gone."""
        if self.sidecar:
            self.sidecar.process.terminate()
            self.sidecar.process.wait()


@pytest.fixture
def round_(tmp_path: Path, opensearch_3: Node) -> Iterator[Round]:
    made = Round(tmp_path, opensearch_3)
    yield made
    made.end()
    opensearch_3.request("DELETE", "/guide-docs?ignore_unavailable=true")


def test_every_command_prints_what_the_guide_says(round_: Round) -> None:
    """In one go, as each goes on from the one before. With SIMGATE_GUIDE=write the guide is written anew."""
    writing = os.environ.get("SIMGATE_GUIDE") == "write"
    wrong: list[tuple[str, list[str], list[str]]] = []
    for step in STEPS:
        if step.kind == "serve":
            round_.serve(step.text)
        if step.kind != "console":
            continue
        made = round_.run(step.text)
        round_.printed.setdefault(step.text, []).append(made.stdout)
        expected = (
            1 if "check" in step.text and "to encode again\n" in step.printed and " 0 to" not in step.printed else 0
        )
        assert made.returncode == expected or writing, (step.text, made.stdout)
        if guide.same(made.stdout) != guide.same(step.printed):
            wrong.append((step.text, guide.same(step.printed), guide.same(made.stdout)))
    if writing:
        text = guide.GUIDE.read_text(encoding="utf-8")
        guide.GUIDE.write_text(guide.rewritten(text, round_.printed), encoding="utf-8")
    else:
        assert not wrong


SHELL = [line for step in STEPS if step.kind == "sh" for line in step.text.replace("\\\n", " ").splitlines()]
RENDERED = [line for line in SHELL if line.startswith(("helm install", "helm upgrade"))]


@pytest.mark.parametrize("command", RENDERED)
def test_the_values_of_the_guide_render(command: str, tmp_path: Path) -> None:
    (values,) = [step.text for step in STEPS if step.kind == "yaml"]
    (tmp_path / "values.yaml").write_text(values)
    words = ["template", "--kube-version", VERSION, *shlex.split(command)[2:]]
    words = [str(CHART) if word == "./helm" else word for word in words]
    made = subprocess.run([tool("helm"), *words], cwd=tmp_path, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    kinds = {item["kind"] for item in yaml.safe_load_all(made.stdout) if item}
    assert {"Deployment", "Service", "ServiceMonitor", "PrometheusRule", "Job", "Pod"} <= kinds


def test_every_alert_is_in_the_guide() -> None:
    rules = yaml.safe_load((CHART / "alerts" / "simgate.yaml").read_text())["groups"][0]["rules"]
    table = guide.GUIDE.read_text(encoding="utf-8")
    assert [rule["alert"] for rule in rules if not re.search(rf"\b{rule['alert']}\b", table)] == []


def test_every_file_it_links_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", guide.GUIDE.read_text(encoding="utf-8"))
    assert [link for link in links if not (guide.GUIDE.parent / link).exists()] == []
