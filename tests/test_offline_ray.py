"""The same parts on Ray: the same output to the last byte, also when workers or the driver are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from benchmarks.process import RAY_WORKER, named
from indices import corpus_file
from test_encode import content, encode, rows

from plugin_server import Bundle
from plugin_server.corpus import Document

DOCUMENTS = [Document(f"d{n}", f"the bus number {n} leaves at ten " * 20) for n in range(3000)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [*DOCUMENTS[:1000], {"id": "bad"}, *DOCUMENTS[1000:]]
    return corpus_file(tmp_path_factory.mktemp("corpus") / "corpus.jsonl", lines)


@pytest.fixture(scope="module")
def local(corpus: Path, tiny: Bundle) -> dict[str, bytes]:
    """What one process makes of the corpus."""
    encode(corpus, corpus.parent / "local", tiny)
    return content(corpus.parent / "local")


def on_ray(corpus: Path, output: Path, bundle: Bundle, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "plugin_server", "encode", str(corpus), "-o", str(output), "--part-rows", "50"]
    command += ["--bundle", str(bundle.folder), "--runner", "ray", "--workers", "2", "--json", *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def reached(output: Path, parts: int, process: subprocess.Popen[bytes]) -> None:
    """Nothing, once so many parts are done and both workers are there."""
    while len(list((output / "_accounts").glob("part-*"))) < parts or len(named(RAY_WORKER)) < 2:
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.02)


def killed_worker(process: subprocess.Popen[bytes]) -> None:
    """Nothing; a worker is gone without a word."""
    os.kill(named(RAY_WORKER)[0], signal.SIGKILL)


def stopped_worker(process: subprocess.Popen[bytes]) -> None:
    """Nothing; a worker is told to end."""
    os.kill(named(RAY_WORKER)[-1], signal.SIGTERM)


FAULTS: list[tuple[Callable[[subprocess.Popen[bytes]], None], str]] = [
    (killed_worker, "a worker is killed"),
    (stopped_worker, "a worker is told to end"),
]


@pytest.mark.parametrize(("fault", "remark"), FAULTS, ids=[case[1] for case in FAULTS])
def test_nothing_is_lost_or_doubled_when_a_worker_goes(
    fault: Callable[[subprocess.Popen[bytes]], None],
    remark: str,
    tmp_path: Path,
    corpus: Path,
    local: dict[str, bytes],
    tiny: Bundle,
) -> None:
    process = on_ray(corpus, tmp_path / "out", tiny)
    reached(tmp_path / "out", 4, process)
    before = set(named(RAY_WORKER))
    fault(process)
    out, said = process.communicate()
    assert process.returncode == 1, said.decode()
    assert len(before) == 2
    account = json.loads(out)
    assert (account["read"], account["written"], account["rejected"], account["failed"]) == (3001, 3000, 1, {})
    assert content(tmp_path / "out") == local, remark
    assert f"{corpus}:1001: text: is missing" in said.decode()


def test_another_driver_goes_on_where_one_was_killed(
    tmp_path: Path, corpus: Path, local: dict[str, bytes], tiny: Bundle
) -> None:
    process = on_ray(corpus, tmp_path / "out", tiny)
    reached(tmp_path / "out", 4, process)
    process.kill()
    process.communicate()
    out, said = on_ray(corpus, tmp_path / "out", tiny).communicate()
    account = json.loads(out)
    assert 4 <= account["earlier"] < account["parts"] == 61, said.decode()
    found = content(tmp_path / "out")
    assert {name: raw for name, raw in found.items() if name != "_account.json"} == {
        name: raw for name, raw in local.items() if name != "_account.json"
    }
    assert len(rows(tmp_path / "out")) == 3000


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a cluster of its own, with a token, which outlives the jobs."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "7" * 64)
    ray = [sys.executable, "-m", "ray.scripts.scripts"]
    port = "26379"
    subprocess.run(
        [*ray, "start", "--head", "--port", port, "--num-cpus", "1", "--include-dashboard", "false",
         "--disable-usage-stats", "--ray-client-server-port", "26380"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield f"127.0.0.1:{port}"
    finally:
        subprocess.run([*ray, "stop", "--force"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_on_a_cluster_that_is_there(
    tmp_path: Path, corpus: Path, local: dict[str, bytes], tiny: Bundle, cluster: str
) -> None:
    _, said = on_ray(corpus, tmp_path / "out", tiny, "--address", cluster).communicate()
    assert content(tmp_path / "out") == local, said.decode()


REFUSED: list[tuple[list[str], str, str]] = [
    (["--address", "127.0.0.1:1"], "address: 127.0.0.1:1: no Ray cluster answers there", "nobody listens"),
    (["--address", "ray://127.0.0.1:10001"], "needs a driver within the cluster", "a client's address"),
    (["--address", "nonsense"], "address: nonsense: no Ray cluster answers there", "no address"),
    (["--cpus-per-worker", "1000"], "workers: one needs 1000 cores and 0 GPUs, the cluster has", "too few cores"),
]


@pytest.mark.parametrize(("given", "message", "remark"), REFUSED, ids=[case[2] for case in REFUSED])
def test_what_ray_cannot_do_is_told(
    given: list[str], message: str, remark: str, tmp_path: Path, corpus: Path, tiny: Bundle
) -> None:
    process = on_ray(corpus, tmp_path / "out", tiny, *given)
    _, said = process.communicate()
    assert process.returncode == 1, remark
    assert message in said.decode()
    assert "Traceback" not in said.decode()


def test_without_ray(tmp_path: Path, corpus: Path, tiny: Bundle) -> None:
    hidden = "import sys; sys.modules['ray'] = None; from plugin_server.cli import main; main()"
    given = ["encode", str(corpus), "-o", str(tmp_path / "out"), "--bundle", str(tiny.folder), "--runner", "ray"]
    made = subprocess.run([sys.executable, "-c", hidden, *given], capture_output=True, text=True)
    assert (made.returncode, made.stderr.splitlines()[-1]) == (
        1, "simgate: runner: ray is not installed: pip install 'simgate[ray]'",
    )  # fmt: skip


@pytest.mark.parametrize("command", ["serve", "index", "rerank"])
def test_serving_needs_neither(command: str) -> None:
    hidden = (
        "import sys; sys.modules['ray'] = sys.modules['pyarrow'] = None; from plugin_server.cli import main; main()"
    )
    subprocess.run([sys.executable, "-c", hidden, command, "--help"], check=True, capture_output=True)
