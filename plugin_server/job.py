"""A request on its way: until when its answer is of use, and whether anybody still waits for it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from plugin_server.errors import BodyTooSlow, CallerGone, DeadlinePassed

Result = TypeVar("Result")


class Job:
    """Work for a caller; it can be given up from any thread, and is over at its deadline.

    Args:
        deadline: of `time.monotonic`, seconds; without one it never ends by itself.

    Example:
        >>> job = Job()
        >>> job.check()
        >>> job.give_up()
        >>> job.check()
        Traceback (most recent call last):
        plugin_server.errors.CallerGone: the caller is gone
    """

    __slots__ = ("deadline", "gone")

    def __init__(self, deadline: float = math.inf) -> None:
        self.deadline = deadline
        self.gone = False

    @classmethod
    def within(cls, seconds: float) -> Job:
        """A job that is over in so many seconds."""
        return cls(time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds to the deadline, at least 0; infinite without one."""
        return max(0.0, self.deadline - time.monotonic())

    @property
    def patience(self) -> float | None:
        """Seconds to the deadline as `asyncio.timeout` takes them: None without one."""
        return None if self.deadline == math.inf else self.remaining

    def give_up(self) -> None:
        """Nothing; what has not been computed yet never is."""
        self.gone = True

    def check(self) -> None:
        """Nothing, while the answer is of use.

        Raises:
            CallerGone: it was given up.
            DeadlinePassed: it is too late.
        """
        if self.gone:
            raise CallerGone
        if self.deadline != math.inf and time.monotonic() >= self.deadline:
            raise DeadlinePassed


#: For callers that bring none, such as programs that use `Reranker`.
ENDLESS = Job()
_CURRENT: ContextVar[Job] = ContextVar("job", default=ENDLESS)


def current() -> Job:
    """The job that is being worked on here."""
    return _CURRENT.get()


@contextmanager
def working(job: Job) -> Iterator[Job]:
    """The job, which is `current` within the block."""
    token = _CURRENT.set(job)
    try:
        yield job
    finally:
        _CURRENT.reset(token)


async def arrived(body: Awaitable[Result]) -> Result:
    """The body of the request that is being worked on.

    Raises:
        BodyTooSlow: it did not come within the deadline.
    """
    try:
        async with asyncio.timeout(current().patience):
            return await body
    except TimeoutError:
        raise BodyTooSlow from None
