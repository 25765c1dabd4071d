"""Who is computed now, who waits, and who is sent away at once."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from time import monotonic
from typing import ParamSpec, Protocol, TypeVar

from plugin_server.errors import CallerGone, DeadlinePassed, Overloaded
from plugin_server.job import Job, current, working
from plugin_server.pressure import Pressure
from plugin_server.spans import span

Params = ParamSpec("Params")
Result = TypeVar("Result")
#: Weight of the last request in the mean of computing times, which makes the hint when to try again.
SMOOTHING = 0.1
#: Bounds of that hint, seconds.
SOONEST, LATEST = 0.05, 10.0


class Watch(Protocol):
    """What is told of every request; metrics are one."""

    def waited(self, seconds: float) -> None:
        """Nothing; a request began after so many seconds in the queue."""

    def shed(self, cause: str) -> None:
        """Nothing; a request was sent away.

        Args:
            cause: ``queue_full``, ``queue_wait``, ``overload``, ``rate_limited`` or ``unauthenticated``.
        """


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is taken on.

    Attributes:
        concurrent: requests computed at a time.
        pressed: the same under pressure, at most `concurrent`.
        queue: requests that wait; one more is sent away at once.
        wait: seconds that a request waits at most.
    """

    concurrent: int = 4
    queue: int = 64
    wait: float = 1.0
    pressed: int = 1024


class Admission:
    """Threads behind a bounded queue; lives on one event loop.

    What waits is served in the order of arrival. The queue takes bursts up, and is kept short where more comes than can
    be done (`plugin_server.pressure`; the idea is that of Maurer 2015, "Fail at Scale", ACM Queue 13/8, after CoDel,
    RFC 8289). Fewer are computed at a time then too: each alone leaves cores idle for moments, and more side by side
    use them better, but every one of them takes longer. A request that was admitted and has more to compute, as a
    search after the engine's answer, goes before those that begin.

    Args:
        bounds: of what is taken on.
        watch: is told of it.

    Attributes:
        running, waiting: requests, now.
    """

    def __init__(self, bounds: Bounds | None = None, watch: Watch | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.running = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._mean = 0.0
        self._pressure = Pressure(min(self.bounds.pressed, self.bounds.concurrent))
        self._watch = watch
        self._threads = ThreadPoolExecutor(self.bounds.concurrent, thread_name_prefix="simgate")

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._queue)

    def check(self) -> None:
        """Nothing, if a request that comes now would be computed or may wait.

        Raises:
            Overloaded: the queue is full, or as long as it may be under pressure.
        """
        if self.running >= self._most():
            if len(self._queue) >= self.bounds.queue:
                raise self._shed("queue_full")
            if len(self._queue) >= self._pressure.room(monotonic()):
                raise self._shed("overload")

    async def run(self, work: Callable[Params, Result], *args: Params.args, **options: Params.kwargs) -> Result:
        """What the work returns, done on a thread within the deadline of `plugin_server.job.current`.

        When the caller is cancelled, what is left of the work is dropped.

        Raises:
            Overloaded: the queue is full, or the request waited in it for too long.
            DeadlinePassed: the request's time is over.
        """
        return await self._run(False, lambda: work(*args, **options))

    async def resume(self, work: Callable[Params, Result], *args: Params.args, **options: Params.kwargs) -> Result:
        """As `run`, for a request that was admitted before: it is never sent away, and goes before others."""
        return await self._run(True, lambda: work(*args, **options))

    def close(self) -> None:
        """Nothing; threads end with what they do now."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, resumed: bool, work: Callable[[], Result]) -> Result:
        job, loop = Job(current().deadline), asyncio.get_running_loop()
        job.check()
        began = loop.time()
        with span("simgate.queue"):
            await self._turn(job, resumed)
        if self._watch:
            self._watch.waited(loop.time() - began)
        with working(job):  # a job of its own: giving up one part of a request is not giving up the request
            began, context = loop.time(), copy_context()
        future = self._threads.submit(context.run, work)
        future.add_done_callback(lambda _: _later(loop, self._done, loop.time() - began))
        try:
            async with asyncio.timeout(job.patience):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise DeadlinePassed from None
        except CallerGone:
            raise asyncio.CancelledError from None
        finally:
            job.give_up()

    async def _turn(self, job: Job, resumed: bool) -> None:
        """Nothing, once a thread is free; it is taken."""
        if self.running < self._most() and not self._queue:
            self.running += 1
            return
        if not resumed:
            self.check()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._queue.appendleft if resumed else self._queue.append)(turn)
        patience = job.remaining if resumed else min(job.remaining, self.bounds.wait)
        try:
            async with asyncio.timeout(None if patience == math.inf else patience):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():  # the turn came while the caller was leaving
                self._next()
            elif turn in self._queue:
                self._queue.remove(turn)
            if not isinstance(error, TimeoutError):
                raise
            job.check()
            raise self._shed("queue_wait") from None

    def _done(self, seconds: float) -> None:
        """Nothing; a thread is free for the next in the queue."""
        self._mean += SMOOTHING * (seconds - self._mean) if self._mean else seconds
        self._pressure.done(seconds)
        self._next()

    def _next(self) -> None:
        """Nothing; the place of one that is done goes to the next that still waits."""
        self.running -= 1
        while self._queue and self.running < self._most():
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                self.running += 1

    def _most(self) -> int:
        """Requests that are computed at a time now."""
        calm = self._pressure.room(monotonic()) == math.inf
        return self.bounds.concurrent if calm else self._pressure.threads

    def _shed(self, cause: str) -> Overloaded:
        """The error for a request that is sent away, with a hint when the queue will have moved on."""
        self._pressure.sent_away(monotonic())
        if self._watch:
            self._watch.shed(cause)
        ahead = (len(self._queue) + self.running) * self._mean / self.bounds.concurrent
        return Overloaded(len(self._queue), min(LATEST, max(SOONEST, ahead)))


def _later(loop: asyncio.AbstractEventLoop, done: Callable[[float], None], seconds: float) -> None:
    """Nothing; the loop calls it, unless it has ended."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(done, seconds)
