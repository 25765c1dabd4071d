"""A system that `benchmarks.peers` measures, and the process that it runs in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.process import Served


@dataclass(frozen=True, slots=True)
class Peer:
    """A system that is measured.

    Attributes:
        system: its name in `benchmarks.contender`.
        stored: bytes that it reads of a document in the index.
        python: whose environment has it.
        server: starts what is asked; None if the system ranks by itself.
        missing: why it cannot be measured; empty if it can.
    """

    name: str
    system: str = ""
    task: dict[str, Any] = field(default_factory=dict)
    stored: str = ""
    python: str = sys.executable
    server: Callable[[], AbstractContextManager[Served]] | None = None
    missing: str = ""


class Contender:
    """A running peer; a context manager that ends it.

    Raises:
        RuntimeError: it does not start.
    """

    def __init__(self, peer: Peer) -> None:
        self._stack = ExitStack()
        try:
            served = self._stack.enter_context(peer.server()) if peer.server else None
            self._process = self._started(peer, served)
            self.pid = served.pid if served else self._process.pid
            self._answer()
        except BaseException:
            self.close()
            raise

    def turn(self, callers: int, seconds: float) -> dict[str, Any]:
        """Seconds of requests that so many callers made, and all in all."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"callers": callers, "seconds": seconds}).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """Nothing; the processes have ended."""
        self._stack.close()

    def _started(self, peer: Peer, served: Served | None) -> subprocess.Popen[bytes]:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        task = peer.task | ({"address": served.http} if served else {})
        (folder / "task").write_text(json.dumps(task))
        self._log = self._stack.enter_context((folder / "log").open("w+b"))
        # a Python of its own gets this folder's package alone, simgate's also simgate's
        command = [peer.python, "-m", "benchmarks.contender", peer.system, str(folder / "task")]
        tests = Path(__file__).parents[1]
        path = [str(tests), *([str(tests.parent)] if peer.python == sys.executable else [])]
        environment = offline() | {"PYTHONPATH": os.pathsep.join(path)}
        pipe = subprocess.PIPE
        made = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=self._log)
        return self._stack.enter_context(_ended(made))

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(b"{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        self._log.seek(0)
        told = self._log.read().decode(errors="replace").strip().splitlines() or ["it printed nothing"]
        raise RuntimeError(told[-1])


@contextmanager
def _ended(running: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """The process, which ends when it has no more orders."""
    with running:
        try:
            yield running
        finally:
            running.terminate()


def offline() -> dict[str, str]:
    """The environment without this Python's path, in which nothing is asked of a model hub."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**kept, "HF_HUB_OFFLINE": "1"}
