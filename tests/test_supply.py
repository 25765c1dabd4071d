"""What is shipped: the bill of materials is whole, and the audit never takes silence for a clean bill."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
FAULT = {
    "id": "PYSEC-2026-7",
    "modified": "2026-01-31T00:00:00Z",
    "affected": [{"package": {"name": "x", "ecosystem": "PyPI"}, "ranges": [], "versions": []}],
}


def ours(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(ROOT / ".ci" / name), *options], capture_output=True, text=True)


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The bill of materials of the environment that runs the tests."""
    place = tmp_path_factory.mktemp("sbom") / "new" / "sbom.json"
    made = ours("sbom.py", str(place))
    assert made.returncode == 0, made.stderr
    found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return found


def names(bill: dict[str, Any]) -> set[str]:
    return {canonicalize_name(item["name"]) for item in bill["components"]}


def test_the_bill_names_every_runtime_dependency(bill: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    assert len(needed) >= 15 and needed <= names(bill)
    root = bill["metadata"]["component"]
    assert (bill["bomFormat"], root["name"], root["version"]) == ("CycloneDX", project["name"], project["version"])
    (edges,) = (set(item["dependsOn"]) for item in bill["dependencies"] if item["ref"] == root["bom-ref"])
    assert {canonicalize_name(ref.partition("==")[0]) for ref in edges} >= needed


def test_the_bill_names_what_those_require_and_nothing_else(bill: dict[str, Any]) -> None:
    found = names(bill)
    assert {"starlette", "h11", "yarl", "pydantic-core", "huggingface-hub"} <= found, "of fastapi, uvicorn, aiohttp, …"
    assert not {"torch", "pytest", "transformers", "simgate", "pip-audit"} & found
    assert all(item["version"] and item["purl"].startswith("pkg:pypi/") for item in bill["components"])
    assert {ref for item in bill["dependencies"] for ref in item.get("dependsOn", ())} <= {
        item["bom-ref"] for item in bill["components"]
    }


@contextmanager
def advisories(answer: Callable[[str], tuple[int, Any]]) -> Iterator[list[str]]:
    """Options for an audit by a service of advisories, in OSV's form, that gives these answers by package."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, given = answer(asked["package"]["name"])
            raw = json.dumps(given).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield ["-s", "osv", "--osv-url", f"http://127.0.0.1:{server.server_port}/v1/query"]
        finally:
            server.shutdown()
            thread.join()


def faulty(*packages: str) -> Callable[[str], tuple[int, Any]]:
    return lambda name: (200, {"vulns": [FAULT]} if name in packages else {})


def failing(*packages: str) -> Callable[[str], tuple[int, Any]]:
    return lambda name: (500 if name in packages else 200, {})


AUDITS = [
    (faulty(), 0, ["no known vulnerability in", "(serving)"], "nothing is known"),
    (faulty("uvicorn"), 1, ["VULNERABLE (serving): uvicorn ", "PYSEC-2026-7"], "what serves is vulnerable"),
    (faulty("torch"), 0, ["VULNERABLE (training, tests, tools): torch "], "something else is: it is told"),
    (failing("uvicorn"), 2, ["NOT AUDITED (serving): "], "the service fails midway, and all is required"),
]


@pytest.mark.parametrize(("answer", "code", "words", "remark"), AUDITS, ids=[row[3] for row in AUDITS])
def test_audit(answer: Callable[[str], tuple[int, Any]], code: int, words: list[str], remark: str) -> None:
    with advisories(answer) as options:
        made = ours("audit.py", *options, *(["--required"] if code == 2 else []))
    assert (made.returncode, made.stderr) == (code, ""), made.stdout
    assert all(word in made.stdout for word in words), made.stdout
    if code == 2:
        assert "(serving)" not in made.stdout.replace(words[0], ""), "nor is it called clean"


@pytest.mark.parametrize(("option", "code"), [([], 0), (["--required"], 2)])
def test_audit_without_network(option: list[str], code: int) -> None:
    made = ours("audit.py", "-s", "osv", "--osv-url", "http://127.0.0.1:1/v1/query", "--timeout", "1", *option)
    assert made.returncode == code
    assert made.stdout.startswith("NOT AUDITED: the service of advisories cannot be asked")
    assert len(made.stdout.splitlines()) == 1
