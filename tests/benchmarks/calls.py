"""What a call of a real `simgate serve` costs, how many it answers, how soon it is there, and what memory it keeps.

``python -m benchmarks.calls`` prints four tables:

1. A Rerank call's median milliseconds in process (`Reranker.rerank`), over gRPC (the generated stub with its request
   ready; `plugin_server.client.Client`, from and to Python's objects) and over HTTP (JSON written and read), in turns.
2. Requests a second over gRPC from 1 and from 32 callers (a process of their own on the same cores), by shape, their
   ratio, and the share that was answered otherwise than OK.
3. Seconds from the start of the process to the first health check answered, and memory at rest, medians of the starts.
4. Memory of its own (mapped files apart, which the kernel takes and gives) while requests go on: pairs of short texts,
   no two of them the same, and for a quarter 10 blobs. The first requests always add some; what counts is the second
   half. The cache of encoded texts is small, so that it is soon full; everywhere else it is off.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from benchmarks import figures, shapes
from benchmarks.caller import NO_LIMIT, OK, Task, called
from benchmarks.cost import in_turns
from benchmarks.process import MIB, Served, own, resident, simgate
from benchmarks.shapes import Shape
from plugin_server import Candidate, Reranker, Settings
from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server.client import Client

CALLERS = (1, 32)
#: Parts of the run of requests after each of which memory is read, callers, and bytes of the cache meanwhile.
PARTS, AT_ONCE, CACHE = 10, 4, 2**20


def overhead(reranker: Reranker, served: Served, count: int, repetitions: int) -> dict[str, float]:
    """Median milliseconds of one Rerank of so many blobs by way."""
    shape = shapes.shape(f"{count} blobs", reranker)
    asked = json.loads(shape.body)
    query, blobs = asked["query"], asked["documents"]
    candidates = [Candidate(blob=blob) for blob in blobs]
    with ExitStack() as stack:
        stub = pb_grpc.SimgateStub(stack.enter_context(grpc.insecure_channel(served.address, NO_LIMIT)))
        client = stack.enter_context(Client(served.address))
        http = HTTPConnection(served.http)
        stack.callback(http.close)
        ways: dict[str, Callable[[], object]] = {
            "in process": lambda: reranker.rerank(query, candidates, policy="annotate"),
            "gRPC, stub": lambda: stub.Rerank(shape.message),
            "gRPC, Client": lambda: client.rerank(query, candidates, policy="annotate"),
            "HTTP /v2/rerank": lambda: _post(http, shape.path, asked),
        }
        return in_turns(ways, repetitions)


def _post(http: HTTPConnection, path: str, body: dict[str, Any]) -> dict[str, Any]:
    http.request("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    answer = http.getresponse()
    found: dict[str, Any] = json.loads(answer.read())
    if answer.status != 200:
        raise RuntimeError(f"status {answer.status}: {found}")
    return found


def throughput(served: Served, shape: Shape, seconds: float, rounds: int) -> dict[int, tuple[float, float]]:
    """Requests answered a second and the share that was not, by callers; the median of the rounds, in turns."""
    found: dict[int, list[tuple[float, float]]] = {callers: [] for callers in CALLERS}
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(shape.message.SerializeToString())
        for _ in range(rounds):
            for callers in CALLERS:
                told = called(Task(served.address, shape.method, [file.name], callers=callers, seconds=seconds))
                found[callers].append((told.rate, 1 - len(told.times) / told.sent))
    return {callers: tuple(np.median(values, axis=0).tolist()) for callers, values in found.items()}


def starts(times: int, *options: str) -> tuple[float, float]:
    """Seconds until a server answers, and the bytes it holds then, medians."""
    found = []
    for _ in range(times):
        with simgate(*options) as served:
            found.append((served.seconds, resident(served.pid)))
    seconds, memory = np.median(found, axis=0)
    return float(seconds), float(memory)


def growth(reranker: Reranker, served: Served, requests: int) -> list[tuple[int, int]]:
    """Bytes of its own that the server holds after so many requests, before the first one and after each part.

    Raises:
        RuntimeError: a request was not answered.
    """
    found = [(0, own(served.pid))]
    part, few = max(AT_ONCE, requests // PARTS), shapes.shape("10 blobs", reranker)
    pairs = part - part // 4
    for number in range(PARTS):
        with tempfile.TemporaryDirectory() as folder:
            texts = [shapes.pair(2 * place) for place in range(number * pairs, (number + 1) * pairs)]
            codes = _sent(served, texts, Path(folder)) + _sent(served, [few], Path(folder), part // 4)
        if set(codes) - {*OK}:
            raise RuntimeError(f"requests were not answered: {dict(codes)}")
        found.append((found[-1][0] + codes.total(), own(served.pid)))
    return found


def _sent(served: Served, asked: Sequence[Shape], folder: Path, times: int = 0) -> Counter[str]:
    """The codes of so many requests of one method, each of them once if no number is given."""
    files = [folder / f"{asked[0].name} {number}" for number in range(len(asked))]
    for file, shape in zip(files, asked, strict=True):
        file.write_bytes(shape.message.SerializeToString())
    names, total = [str(file) for file in files], times or len(asked)
    return Counter(called(Task(served.address, asked[0].method, names, callers=AT_ONCE, requests=total)).codes)


def grown(found: Sequence[tuple[int, int]]) -> str:
    """The growth of the second half in words."""
    (half, before), (end, after) = found[len(found) // 2], found[-1]
    return f"{(after - before) / MIB:+.1f} MiB in the last {end - half:,} requests"


def report(
    calls: dict[int, dict[str, float]],
    rates: dict[str, dict[int, tuple[float, float]]],
    start: tuple[float, float],
    memory: Sequence[tuple[int, int]],
) -> str:
    """The tables in Markdown."""
    lines = ["| one Rerank, median | ms | more than in process, ms |", "|---|---|---|"]
    for count, ways in calls.items():
        base, *_ = ways.values()
        lines += [f"| {count} blobs, {way} | {taken:.2f} | {taken - base:+.2f} |" for way, taken in ways.items()]
    lines += ["", "| requests/s over gRPC | 1 caller | 32 callers | ratio | not OK, of 32 |", "|---|---|---|---|---|"]
    for name, found in rates.items():
        (one, _), (many, refused) = (found[callers] for callers in CALLERS)
        lines.append(f"| {name} | {one:.1f} | {many:.1f} | {many / one:.2f} | {refused:.1%} |")
    lines += ["", "| start to first answer, s | memory at rest, MiB |", "|---|---|"]
    lines += [f"| {start[0]:.2f} | {start[1] / MIB:.0f} |", "", "| requests | memory of its own, MiB |", "|---|---|"]
    lines += [f"| {number:,} | {held / MIB:.1f} |" for number, held in memory]
    return "\n".join([*lines, "", grown(memory)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="", help="folder of the bundle; the one in the package if left out")
    parser.add_argument("--repetitions", type=int, default=50, help="calls of each way")
    parser.add_argument("--candidates", type=int, nargs="+", default=[100, 10])
    parser.add_argument("--seconds", type=float, default=4.0, help="of each throughput")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shapes", nargs="+", default=shapes.SHAPES)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--requests", type=int, default=2000, help="over which memory is watched")
    figures.add_option(parser)
    given = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    reranker = Reranker.load(Settings(bundle=given.bundle, cache_bytes=0))
    options = ["--bundle", str(reranker.bundle.folder)]
    start = starts(given.starts, *options)
    with simgate(*options, cache_bytes=CACHE) as served:
        memory = growth(reranker, served, given.requests)
    with simgate(*options, patient=True) as served:
        calls = {count: overhead(reranker, served, count, given.repetitions) for count in given.candidates}
        chosen = [shapes.shape(name, reranker) for name in given.shapes]
        rates = {shape.name: throughput(served, shape, given.seconds, given.rounds) for shape in chosen}
    print(f"load of the machine before {load:.1f}:\n\n{report(calls, rates, start, memory)}")
    asked = {name: {callers: rate for callers, (rate, _) in found.items()} for name, found in rates.items()}
    told = {"load_before": load, "start_s": start[0], "rest_bytes": start[1], "memory": memory}
    figures.write(given.json, told | {"milliseconds": calls, "requests_per_second": asked})


if __name__ == "__main__":
    main()
