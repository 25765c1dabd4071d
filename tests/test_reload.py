import gc
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Run

from plugin_server import Bundle, Reranker, Settings
from plugin_server.backend import Source
from plugin_server.bundle import VERIFIER
from plugin_server.client import Client
from plugin_server.errors import BundleAltered, BundleError, IndexOfOtherBundle
from plugin_server.index import Index
from plugin_server.server import Server

PAIR = [("the dog bit the man", "the man was bitten by the dog")]


class Slow(Reranker):
    """Waits for leave before it verifies."""

    begun: threading.Event
    leave: threading.Event

    def verify_pairs(self, *arguments: Any, **options: Any) -> Any:
        self.begun.set()
        assert self.leave.wait(60)
        return super().verify_pairs(*arguments, **options)


@pytest.fixture
def slow(reranker: Reranker) -> Slow:
    made = Slow(reranker.bundle)
    made.begun, made.leave = threading.Event(), threading.Event()
    return made


def test_requests_in_flight_finish_on_the_old_bundle(slow: Slow, tiny: Bundle, run: Run) -> None:
    server = run(Server.start(slow, "127.0.0.1:0"))
    try:
        with Client(server.address, timeout=60) as client:
            found: list[Any] = []
            caller = threading.Thread(target=lambda: found.append(client.verify(PAIR)))
            caller.start()
            assert slow.begun.wait(60)
            run(server.reload(lambda: Reranker(tiny, Settings(threads=1))))
            assert client.info().fingerprint == tiny.manifest.fingerprint
            new = client.verify(PAIR)[0].probability
            slow.leave.set()
            caller.join(60)
            old = Reranker(slow.bundle).verify(*PAIR[0]).probability
            assert found[0][0].probability == pytest.approx(old, abs=1e-5)
            assert new != pytest.approx(old, abs=1e-5)
    finally:
        slow.leave.set()
        run(server.stop(1))


def test_the_old_bundle_is_let_go(tiny: Bundle, run: Run) -> None:
    first = Reranker(tiny, Settings(threads=1))
    gone = weakref.ref(first.verifier)
    server = run(Server.start(first, "127.0.0.1:0"))
    del first
    with Client(server.address, timeout=60) as client:
        client.verify(PAIR)
        run(server.reload(lambda: Reranker(tiny, Settings(threads=1))))
        client.verify(PAIR)
    end = time.monotonic() + 30  # the thread that computed may still be on its way out of its last call
    while gone() is not None and time.monotonic() < end:
        time.sleep(0.05)
        gc.collect()
    assert gone() is None, gc.get_referrers(gone())
    run(server.stop(1))


BROKEN: list[tuple[Callable[[Path], Any], str]] = [
    (lambda folder: (folder / VERIFIER).write_bytes((folder / VERIFIER).read_bytes()[:1000]), "a truncated graph"),
    (lambda folder: (folder / "bundle.json").write_text("{"), "a manifest that is cut off"),
    (lambda folder: (folder / "tokenizer.json").unlink(), "a file is missing"),
    (lambda folder: shutil.rmtree(folder), "no folder"),
]


@pytest.mark.parametrize(("harm", "remark"), BROKEN)
def test_a_broken_bundle_is_refused(
    reranker: Reranker, tiny: Bundle, run: Run, tmp_path: Path, harm: Callable[[Path], Any], remark: str
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(tiny.folder, folder)
    harm(folder)
    server = run(Server.start(reranker, "127.0.0.1:0"))
    with Client(server.address, timeout=60) as client:
        with pytest.raises(BundleError):
            run(server.reload(lambda: Reranker.load(Settings(bundle=str(folder)))))
        assert client.info().fingerprint == reranker.manifest.fingerprint
        assert client.verify(PAIR)[0].accepted
    run(server.stop(1))


def test_a_bundle_that_did_not_make_the_index_is_refused(
    reranker: Reranker, tiny: Bundle, server_index: Index, run: Run
) -> None:
    server = run(Server.start(reranker, "127.0.0.1:0", Source(server_index)))
    with pytest.raises(IndexOfOtherBundle):
        run(server.reload(lambda: Reranker(tiny)))
    run(server.reload(lambda: Reranker(reranker.bundle)))
    run(server.stop(1))


@pytest.fixture
def process(tiny: Bundle, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """``simgate serve`` over a link to a bundle, its address, and the link."""
    link = tmp_path / "current"
    link.symlink_to(tiny.folder)
    command = [sys.executable, "-m", "plugin_server", "serve", "--no-http", "--no-index", "--address", "127.0.0.1:0"]
    made = subprocess.Popen(
        [*command, "--bundle", str(link)], stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    )
    assert made.stderr
    line = made.stderr.readline()
    yield made, line.split()[2].rstrip(","), link
    made.send_signal(signal.SIGTERM)
    assert made.wait(30) == 0
    made.stderr.close()


def test_sighup_follows_a_link_and_survives_a_broken_bundle(
    process: tuple[subprocess.Popen[str], str, Path], reranker: Reranker, tiny: Bundle, tmp_path: Path
) -> None:
    server, address, link = process
    broken = tmp_path / "broken"
    shutil.copytree(tiny.folder, broken)
    (broken / VERIFIER).write_bytes(b"")
    with pytest.raises(BundleAltered):
        Bundle.open(str(broken))
    with Client(address, timeout=60) as client:
        for target, expected in ((broken, tiny), (reranker.bundle.folder, reranker.bundle), (broken, reranker.bundle)):
            link.unlink()
            link.symlink_to(target)
            server.send_signal(signal.SIGHUP)
            if target == broken:
                assert server.stderr
                said = next(line for line in server.stderr if "not loaded" in line)
                assert "not loaded, the old bundle stays: verifier.onnx" in said
            deadline = time.monotonic() + 30
            while client.info().fingerprint != expected.manifest.fingerprint and time.monotonic() < deadline:
                time.sleep(0.05)
            assert client.info().fingerprint == expected.manifest.fingerprint
            assert client.verify(PAIR)[0].probability is not None
