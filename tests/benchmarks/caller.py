"""Callers of a server in a process of their own, over gRPC or HTTP: as fast as they get answers, or at a constant rate.

``python -m benchmarks.caller FILE`` reads its task from the file (JSON) and prints, as JSON, what became of the
requests: ``times`` in seconds of those that were answered, ``codes`` by name, ``sent``, ``missed`` and ``seconds``.
With a ``rate`` requests begin at their times whatever became of those before (an open loop); ``missed`` counts those
that this process itself could not begin within 50 ms. Without one each of the ``callers`` sends again as soon as it has
its answer (a closed loop). It ends after ``seconds``, or after ``requests``.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp
import grpc

#: Sends the request of a number, and gives the code of the answer.
Send = Callable[[int], Awaitable[str]]
One = Callable[[int], Coroutine[Any, Any, None]]
LATE, OK = 0.05, ("OK", "200")
NO_LIMIT = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be sent.

    Attributes:
        address: host and port.
        call: gRPC's method with its service, or a path over HTTP.
        bodies: files whose contents are sent in turn.
        http: over HTTP.
        callers: that send one after another, if there is no rate.
        rate: requests a second; 0 for none.
        seconds, requests: after which it ends, whichever comes first; 0 for no limit of that kind.
        timeout: seconds that a request may take.
    """

    address: str
    call: str
    bodies: Sequence[str]
    http: bool = False
    callers: int = 1
    rate: float = 0.0
    seconds: float = 0.0
    requests: int = 0
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the requests."""

    times: list[float]
    codes: dict[str, int]
    sent: int
    missed: int
    seconds: float

    @property
    def rate(self) -> float:
        """Requests answered a second."""
        return len(self.times) / self.seconds


def called(task: Task) -> Outcome:
    """What became of a task that a process of its own did.

    Raises:
        RuntimeError: that process failed.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(asdict(task), file)
        file.flush()
        command = [sys.executable, "-m", "benchmarks.caller", file.name]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the callers failed: {done.stderr.strip().splitlines()[-1]}")
    return Outcome(**json.loads(done.stdout))


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Sends a task's requests over one connection (gRPC), or as many as are needed (HTTP)."""
    bodies = [Path(file).read_bytes() for file in task.bodies]
    if task.http:
        timeout = aiohttp.ClientTimeout(task.timeout)
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:

            async def post(number: int) -> str:
                headers = {"Content-Type": "application/json"}
                body, url = bodies[number % len(bodies)], f"http://{task.address}{task.call}"
                try:
                    async with session.post(url, data=body, headers=headers) as answer:
                        await answer.read()
                        return str(answer.status)
                except (aiohttp.ClientError, TimeoutError) as error:
                    return type(error).__name__

            yield post
        return
    async with grpc.aio.insecure_channel(task.address, NO_LIMIT) as channel:
        method = channel.unary_unary(task.call)  # bytes as they are

        async def call(number: int) -> str:
            try:
                await method(bodies[number % len(bodies)], timeout=task.timeout)
                return "OK"
            except grpc.aio.AioRpcError as error:
                return error.code().name

        yield call


async def run(task: Task) -> Outcome:
    """What became of the requests."""
    times: list[float] = []
    codes: Counter[str] = Counter()

    async with sender(task) as send:

        async def one(number: int) -> None:
            began = time.perf_counter()
            code = await send(number)
            codes[code] += 1
            if code in OK:
                times.append(time.perf_counter() - began)

        start = time.perf_counter()
        missed = await (_open(task, one, start) if task.rate else _closed(task, one, start))
        seconds = time.perf_counter() - start
    return Outcome(times, dict(codes), sum(codes.values()), missed, seconds)


async def _closed(task: Task, one: One, start: float) -> int:
    """Nothing is missed."""
    numbers = iter(range(task.requests)) if task.requests else itertools.count()

    async def caller() -> None:
        for number in numbers:
            await one(number)
            if task.seconds and time.perf_counter() - start >= task.seconds:
                return

    await asyncio.gather(*(caller() for _ in range(task.callers)))
    return 0


async def _open(task: Task, one: One, start: float) -> int:
    """How many requests began too late."""
    total = round(task.rate * task.seconds) if task.seconds else task.requests
    missed, running = 0, set[asyncio.Task[None]]()
    for number in range(total):
        due = start + number / task.rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        missed += time.perf_counter() - due > LATE
        running.add(made := asyncio.create_task(one(number)))
        made.add_done_callback(running.discard)
    await asyncio.gather(*running)
    return missed


def main() -> None:
    """Do the task and print its outcome."""
    task = Task(**json.loads(Path(sys.argv[1]).read_text()))
    print(json.dumps(asdict(asyncio.run(run(task)))))


if __name__ == "__main__":
    main()
