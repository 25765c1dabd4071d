"""Requests that run, that wait, and that are sent away."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from plugin_server.admission import LATEST, SOONEST, Admission, Bounds
from plugin_server.errors import CallerGone, DeadlinePassed, Overloaded
from plugin_server.job import Job, current, working
from plugin_server.pressure import PERIOD


class Watched:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.causes: list[str] = []

    def waited(self, seconds: float) -> None:
        self.waits.append(seconds)

    def shed(self, cause: str) -> None:
        self.causes.append(cause)


class Held:
    """Work that goes on until it is let go, and notes the order in which it began."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun: list[Any] = []

    def work(self, name: Any) -> Any:
        self.begun.append(name)
        assert self.gate.wait(30)
        return name


def on_a_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), 60))  # type: ignore[arg-type]

    run.__name__ = test.__name__  # type: ignore[attr-defined]
    return run


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


@on_a_loop
async def test_so_many_at_a_time_and_the_rest_in_the_order_of_arrival() -> None:
    held, admission = Held(), Admission(Bounds(concurrent=1, queue=8, wait=30))
    tasks = [asyncio.create_task(admission.run(held.work, number)) for number in range(5)]
    await until(lambda: admission.waiting == 4)
    assert (admission.running, held.begun) == (1, [0])
    held.gate.set()
    assert await asyncio.gather(*tasks) == [0, 1, 2, 3, 4] == held.begun
    await until(lambda: admission.running == 0)


@on_a_loop
async def test_one_more_than_fits_is_sent_away_at_once() -> None:
    held, watch = Held(), Watched()
    admission = Admission(Bounds(concurrent=2, queue=1, wait=30), watch)
    tasks = [asyncio.create_task(admission.run(held.work, number)) for number in range(3)]
    await until(lambda: admission.waiting == 1)
    with pytest.raises(Overloaded, match="1 requests wait: send it again in") as caught:
        await admission.run(held.work, 3)
    assert SOONEST <= caught.value.retry_after <= LATEST
    assert watch.causes == ["queue_full"]
    held.gate.set()
    await asyncio.gather(*tasks)
    assert len(watch.waits) == 3 and held.begun == [0, 1, 2]


@on_a_loop
async def test_without_a_queue_nobody_waits() -> None:
    held, admission = Held(), Admission(Bounds(concurrent=1, queue=0))
    task = asyncio.create_task(admission.run(held.work, 0))
    await until(lambda: admission.running == 1)
    with pytest.raises(Overloaded):
        await admission.run(held.work, 1)
    held.gate.set()
    await task


@on_a_loop
async def test_whoever_waits_too_long_is_sent_away_and_leaves_the_queue() -> None:
    held, watch = Held(), Watched()
    admission = Admission(Bounds(concurrent=1, queue=8, wait=0.05), watch)
    task = asyncio.create_task(admission.run(held.work, 0))
    await until(lambda: admission.running == 1)
    with pytest.raises(Overloaded):
        await admission.run(held.work, 1)
    assert watch.causes == ["queue_wait"] and admission.waiting == 0
    held.gate.set()
    await task
    assert await admission.run(held.work, 2) == 2 and held.begun == [0, 2]


@on_a_loop
async def test_a_deadline_in_the_queue_and_while_it_runs() -> None:
    held, admission = Held(), Admission(Bounds(concurrent=1, queue=8, wait=30))
    for _ in ("running", "waiting"):
        with working(Job.within(0.05)), pytest.raises(DeadlinePassed):
            await admission.run(held.work, "late")
    assert held.begun == ["late"], "the second never began"
    assert admission.waiting == 0 and admission.running == 1
    held.gate.set()
    await until(lambda: admission.running == 0)


@on_a_loop
async def test_a_job_that_is_over_is_not_begun() -> None:
    held, admission = Held(), Admission()
    with working(Job.within(0)), pytest.raises(DeadlinePassed):
        await admission.run(held.work, 0)
    assert not held.begun and admission.running == 0


@on_a_loop
async def test_a_caller_that_goes_gives_its_job_up_and_its_place_in_the_queue() -> None:
    seen: list[Job] = []
    gate, admission = threading.Event(), Admission(Bounds(concurrent=1, queue=8, wait=30))

    def work() -> None:
        seen.append(current())
        assert gate.wait(30)

    running, waiting = (asyncio.create_task(admission.run(work)) for _ in range(2))
    await until(lambda: admission.waiting == 1 and len(seen) == 1)
    seen[0].check()
    waiting.cancel()
    running.cancel()
    assert [type(item) for item in await asyncio.gather(running, waiting, return_exceptions=True)] == [
        asyncio.CancelledError
    ] * 2
    with pytest.raises(CallerGone):
        seen[0].check()
    assert admission.waiting == 0 and admission.running == 1, "its thread works until it looks at the job"
    gate.set()
    await until(lambda: admission.running == 0)
    assert len(seen) == 1


@on_a_loop
async def test_what_was_admitted_before_goes_first_and_is_never_sent_away() -> None:
    held, admission = Held(), Admission(Bounds(concurrent=1, queue=1, wait=0.2))
    tasks = [asyncio.create_task(admission.run(held.work, number)) for number in range(2)]
    await until(lambda: admission.waiting == 1)
    resumed = asyncio.create_task(admission.resume(held.work, "resumed"))
    await until(lambda: admission.waiting == 2)
    await asyncio.sleep(0.3)
    with pytest.raises(Overloaded):
        await tasks[1]
    held.gate.set()
    assert await resumed == "resumed" and held.begun == [0, "resumed"]


@on_a_loop
async def test_an_error_of_the_work_is_the_callers_and_frees_the_thread() -> None:
    admission = Admission(Bounds(concurrent=1))
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await admission.run(lambda: 1 // 0)
    assert await admission.run(lambda: 7) == 7


@on_a_loop
async def test_a_thousand_callers_of_whom_many_go_leave_nothing_behind() -> None:
    admission = Admission(Bounds(concurrent=3, queue=2000, wait=30))

    async def call(number: int) -> int:
        with working(Job.within(0.02 if number % 3 == 0 else 30)):
            return await admission.run(lambda: time.sleep(0.0002) or number)

    tasks = [asyncio.create_task(call(number)) for number in range(1000)]
    await asyncio.sleep(0.01)
    for task in tasks[::7]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for number, result in enumerate(results):
        assert result == number or isinstance(result, asyncio.CancelledError | DeadlinePassed)
        assert result == number or number % 7 == 0 or number % 3 == 0
    await until(lambda: admission.running == 0)
    assert admission.waiting == 0 and await admission.run(lambda: 1) == 1


@on_a_loop
async def test_where_more_comes_than_can_be_done_hardly_any_wait() -> None:
    """Thirty callers that ask again and again where one is served at a time."""
    watch = Watched()
    admission = Admission(Bounds(concurrent=1, queue=20, wait=30), watch)
    end, served, queues = time.monotonic() + 1.0, 0, set[int]()

    async def caller() -> None:
        nonlocal served
        while time.monotonic() < end:
            try:
                await admission.run(lambda: time.sleep(0.01))
                served += 1
                if served > 21:
                    queues.update({admission.waiting} - {0})
            except Overloaded:
                await asyncio.sleep(0.001)

    await asyncio.gather(*(caller() for _ in range(30)))
    assert {"queue_full", "overload"} == set(watch.causes) and served > 20
    assert not queues, "beyond the first, who waited already, nobody waits"


@on_a_loop
async def test_a_burst_after_pressure_waits_as_long_as_it_may() -> None:
    held, admission = Held(), Admission(Bounds(concurrent=1, queue=8, wait=60))
    tasks = [asyncio.create_task(admission.run(held.work, number)) for number in range(9)]
    await until(lambda: admission.waiting == 8)
    with pytest.raises(Overloaded):
        await admission.run(held.work, 9)
    held.gate.set()
    await asyncio.gather(*tasks)
    await asyncio.sleep(PERIOD)
    held.gate.clear()
    tasks = [asyncio.create_task(admission.run(held.work, number)) for number in range(9)]
    await until(lambda: admission.waiting == 8)
    await asyncio.sleep(0.2)
    held.gate.set()
    assert await asyncio.gather(*tasks) == list(range(9))


@on_a_loop
async def test_fewer_are_computed_at_a_time_where_more_comes_than_can_be_done() -> None:
    held, admission = Held(), Admission(Bounds(concurrent=4, queue=1, wait=30, pressed=2))
    first = [asyncio.create_task(admission.run(held.work, number)) for number in range(5)]
    await until(lambda: admission.waiting == 1 and len(held.begun) == 4)
    with pytest.raises(Overloaded):
        await admission.run(held.work, 5)
    held.gate.set()
    await asyncio.gather(*first)
    await until(lambda: admission.running == 0)
    held.gate.clear()
    second = [asyncio.create_task(admission.run(held.work, number)) for number in (6, 7)]
    await until(lambda: admission.running == 2)
    with pytest.raises(Overloaded):
        await admission.run(held.work, 8)
    held.gate.set()
    await asyncio.gather(*second)
