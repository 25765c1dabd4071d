"""A real `simgate serve` at half and at twice its capacity, and at half of it again, by a tool of the ecosystem.

``python -m benchmarks.load --tool own|ghz|hey|k6 --minutes M --below B`` first measures capacity: requests a second
from as many callers as the server computes at a time. Then it prints, for gRPC and for HTTP where the tool speaks them,
a row for each load: requests begun a second and in all, answered ones a second with their median and 99th percentile,
the share that was shed (RESOURCE_EXHAUSTED, 429), other answers by code, those that the tool could not begin in time,
and the server's own memory (mapped files apart) at the beginning, at most and at the end; under it that memory over
time. Which tools are open loops says `benchmarks.tools`. Tool and server share the machine's cores, so a heavy tool
lowers what the server can do.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import shapes
from benchmarks.caller import OK, Outcome, Task, called
from benchmarks.process import MIB, Sampler, Served, simgate
from benchmarks.shapes import Shape
from benchmarks.tools import TOOLS, Load
from plugin_server import Reranker, Settings
from plugin_server.server_settings import ServerSettings

SHARES = (0.5, 2.0, 0.5)
SHED = ("RESOURCE_EXHAUSTED", "429")
#: Samples of memory that are shown of a load.
SHOWN = 12
HEAD = (
    "load",
    "begun/s",
    "requests",
    "answered/s",
    "p50 ms",
    "p99 ms",
    "shed",
    "other answers",
    "not begun",
    "memory, MiB",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A load and what became of it.

    Attributes:
        memory: of the server, as `Sampler.samples`.
    """

    name: str
    rate: float
    outcome: Outcome
    memory: Sequence[tuple[float, int]]

    def row(self) -> str:
        """A row of the table."""
        told = self.outcome
        p50, p99 = 1000 * np.percentile(told.times or [float("nan")], (50, 99))
        shed = sum(told.codes.get(code, 0) for code in SHED)
        others = {code: count for code, count in told.codes.items() if code not in (*OK, *SHED)}
        held = [size / MIB for _, size in self.memory]
        cells = [self.name, f"{self.rate:.1f}", str(told.sent), f"{told.rate:.1f}", f"{p50:.0f}", f"{p99:.0f}"]
        cells += [f"{shed / max(1, told.sent):.1%}", ", ".join(f"{code} {count}" for code, count in others.items())]
        cells += [str(told.missed), f"{held[0]:.0f}, {max(held):.0f}, {held[-1]:.0f}"]
        return f"| {' | '.join(cells)} |"

    def series(self) -> str:
        """Memory over time, at most `SHOWN` samples."""
        chosen = self.memory[:: max(1, -(-len(self.memory) // SHOWN))]
        return f"{self.name}: " + ", ".join(f"{size / MIB:.0f} MiB at {second:.0f} s" for second, size in chosen)


def capacity(address: str, shape: Shape, http: bool, seconds: float, callers: int) -> float:
    """Requests answered a second, each caller waiting for its answer."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(shape.body if http else shape.message.SerializeToString())
        call = shape.path if http else shape.method
        return called(Task(address, call, [file.name], http, callers=callers, seconds=seconds)).rate


def loads(
    served: Served,
    tool: str,
    shape: Shape,
    http: bool,
    seconds: float,
    below: float,
    timeout: float,
    warm: float,
) -> Iterator[Measured]:
    """What became of each load.

    Args:
        seconds, below: of the load above capacity, and of those below it.
    """
    address, door = (served.http, "HTTP") if http else (served.address, "gRPC")
    most = capacity(address, shape, http, warm, ServerSettings.read(os.environ).bounds.concurrent)
    for share in SHARES:
        load = Load(address, shape, http, share * most, seconds if share > 1 else below, share > 1, timeout)
        with tempfile.TemporaryDirectory() as folder, Sampler(served.pid) as sampler:
            outcome = TOOLS[tool][0](load, Path(folder))
        yield Measured(f"{door}, {share:g} of {most:.1f}/s", load.rate, outcome, sampler.samples)


def report(found: Sequence[Measured]) -> str:
    """The table, and memory over time."""
    lines = [f"| {' | '.join(HEAD)} |", "|" + "---|" * len(HEAD), *(item.row() for item in found)]
    return "\n".join([*lines, "", *(f"{item.series()}\n" for item in found)]).rstrip()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", choices=TOOLS, default="own")
    parser.add_argument("--minutes", type=float, default=1.0, help="of the load above capacity")
    parser.add_argument("--below", type=float, default=0.0, help="minutes of the loads below it; as many if left out")
    parser.add_argument("--over", nargs="+", choices=["grpc", "http"], default=["grpc", "http"])
    parser.add_argument("--shape", default="100 blobs", help="`one pair`, or a number of blobs: `100 blobs`")
    parser.add_argument("--timeout", type=float, default=20.0, help="seconds that a request may take")
    parser.add_argument("--warm", type=float, default=6.0, help="seconds in which capacity is measured")
    parser.add_argument("--bundle", default="", help="folder of the bundle; the one in the package if left out")
    given = parser.parse_args(arguments)
    _, *speaks = TOOLS[given.tool]
    doors = [http for http in (False, True) if speaks[http] and ("http" if http else "grpc") in given.over]
    if not doors:
        parser.error(f"{given.tool} speaks {'HTTP' if speaks[True] else 'gRPC'} alone")
    before = os.getloadavg()[0]
    shape = shapes.shape(given.shape, reranker := Reranker.load(Settings(bundle=given.bundle, cache_bytes=0)))
    rest = (given.tool, shape)
    try:
        with simgate("--bundle", str(reranker.bundle.folder)) as served:
            times = (60 * given.minutes, 60 * (given.below or given.minutes), given.timeout, given.warm)
            found = [item for http in doors for item in loads(served, *rest, http, *times)]
    except RuntimeError as error:
        parser.exit(1, f"{error}\n")
    print(f"{given.tool}, {given.shape}, load of the machine before {before:.1f}:\n\n{report(found)}")


if __name__ == "__main__":
    main()
