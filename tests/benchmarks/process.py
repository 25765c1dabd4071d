"""Servers as processes of their own, and the memory of processes, read from Linux's ``/proc``."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

Value = TypeVar("Value")
LISTENING = re.compile(r"Serving on (\S+) and http://(\S+),")
#: Seconds that a server may take to answer for the first time, and to end.
PATIENCE, END = 120.0, 60.0
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers.

    Attributes:
        address, http: host and port for gRPC, empty for none, and for HTTP.
        seconds: from the start of the process to the first answer.
    """

    pid: int
    address: str
    http: str
    seconds: float


@dataclass(slots=True)
class Sampler:
    """The memory of a process and its children while a block runs, mapped files apart, twice a second.

    Attributes:
        samples: seconds since the beginning, and bytes.
    """

    pid: int
    every: float = 0.5
    samples: list[tuple[float, int]] = field(default_factory=list)
    _done: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Sampler:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        assert self._thread
        self._thread.join()

    def _run(self) -> None:
        start = time.perf_counter()
        while True:
            self.samples.append((time.perf_counter() - start, own(self.pid)))
            if self._done.wait(self.every):
                return


#: What Ray calls the process of a worker of `simgate encode`.
RAY_WORKER = b"ray::MapWorker(Map(_Actor))"
#: Settings under which nobody is sent away for having waited.
PATIENT = {"SIMGATE_MAX_WAIT": "60"}


@contextmanager
def simgate(*options: str, cache_bytes: int = 0, patient: bool = False) -> Iterator[Served]:
    """``simgate serve`` on free ports, without an index; ended after the block.

    Args:
        options: more of the command's.
        cache_bytes: of encoded texts; without a cache the same query costs each time what another one would.
        patient: requests wait until they are computed, as jobs would have it; else as long as the settings say.
    """
    environment = {**os.environ, "SIMGATE_CACHE_BYTES": str(cache_bytes)} | (PATIENT if patient else {})
    command = [sys.executable, "-m", "plugin_server", "serve", "--address", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    with started([*command, "--no-index", *options], environment) as (process, log, start):
        address, http = until(lambda: _addresses(log), process, log)
        with grpc.insecure_channel(address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            health.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE, wait_for_ready=True)
        yield Served(process.pid, address, http, time.perf_counter() - start)


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], Path, float]]:
    """A process, the file that has what it prints, and when it was started; ended after the block."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        start = time.perf_counter()
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        try:
            yield process, log, start
        finally:
            process.terminate()
            try:
                process.wait(END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def until(
    found: Callable[[], Value | None], process: subprocess.Popen[bytes], log: Path, seconds: float = PATIENCE
) -> Value:
    """What `found` gives as soon as it gives anything.

    Raises:
        RuntimeError: the process ended first, or the time is over; the message is the end of what it printed.
    """
    end = time.perf_counter() + seconds
    while time.perf_counter() < end and process.poll() is None:
        value = found()
        if value is not None:
            return value
        time.sleep(0.01)
    told = log.read_text(errors="replace").strip().splitlines() or ["it printed nothing"]
    raise RuntimeError(f"the server does not answer: {told[-1]}")


def resident(pid: int) -> int:
    """Bytes of memory that a process and its children hold now."""
    return sum(_status(number, "VmRSS") for number in family(pid))


def own(pid: int) -> int:
    """As `resident`, without the pages of mapped files, which the kernel takes away when it likes."""
    return sum(_status(number, "RssAnon") for number in family(pid))


def peak(pid: int) -> int:
    """The most bytes of memory that a process, and each of its children, ever held."""
    return sum(_status(number, "VmHWM") for number in family(pid))


def family(pid: int) -> list[int]:
    """A process and those that it started, and so on."""
    found = [pid]
    for number in found:
        with contextlib.suppress(OSError):
            for tasks in Path(f"/proc/{number}/task").iterdir():
                found += map(int, (tasks / "children").read_text().split())
    return found


def named(command: bytes) -> list[int]:
    """The processes whose command lines begin so."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # it has just ended
            if entry.name.isdecimal() and (entry / "cmdline").read_bytes().startswith(command):
                found.append(int(entry.name))
    return found


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        return int(made.getsockname()[1])


def _status(pid: int, name: str) -> int:
    """A size in a process's status; 0 if the process has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    return 0


def _addresses(log: Path) -> tuple[str, str] | None:
    found = LISTENING.search(log.read_text(errors="replace"))
    return (found[1], found[2]) if found else None


def answering(port: int, start: float) -> float | None:
    """Seconds since the start if HTTP's ``/health`` is answered on that port of this machine, else None."""
    with contextlib.suppress(OSError):
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/health")
        return time.perf_counter() - start if connection.getresponse().status == 200 else None
    return None
