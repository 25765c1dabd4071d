"""Work of several callers run together: one queue by shape, and a few threads that never wait for more to come."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import Generic, TypeVar

from plugin_server.job import Job, current

Shape = TypeVar("Shape", bound=Hashable)
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class Unit(Generic[Item, Result]):
    """Some items of one caller and one shape.

    Attributes:
        order: units with a lower one go first: the unit's number among those of its caller, then its arrival. So the
            first of a small request does not wait for the last of a large one that came before.
        done: gets the results.
    """

    items: Sequence[Item]
    order: tuple[int, int]
    job: Job
    since: float = field(default_factory=time.monotonic)
    done: Future[Sequence[Result]] = field(default_factory=Future)


class Batcher(Generic[Shape, Item, Result]):
    """Runs items of one shape together, whoever they are from, as many as fit.

    A thread that is free takes at once what waits, and leaves something for others that are free. So batches grow by
    themselves when there is much to do, and nobody waits for company when there is little.

    Args:
        run: the results of items of one shape, in their order; called from several threads.
        most: how many items of a shape fit.
        threads: that run.
        watch: is told how many items were run together, and the seconds that the first of them had waited.
    """

    def __init__(
        self,
        run: Callable[[Shape, Sequence[Item]], Sequence[Result]],
        most: Callable[[Shape], int],
        threads: int,
        watch: Callable[[int, float], None] | None = None,
    ) -> None:
        self.watch = watch
        self._run = run
        self._most = most
        self._waiting: dict[Shape, deque[Unit[Item, Result]]] = defaultdict(deque)
        self._arrivals = count()
        self._lock = Lock()
        self._threads = threads
        self._running = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="batch")

    def results(self, shapes: Sequence[Shape], items: Sequence[Item]) -> list[Result]:
        """The results of the items, in their order.

        Args:
            shapes: one for each item.

        Raises:
            CallerGone, DeadlinePassed: the job that is worked on was over before they were run.
        """
        parts = self._parts(shapes)
        with self._lock:
            units = [self._queued(shapes[part[0]], [items[n] for n in part], k) for k, part in enumerate(parts)]
        for _ in range(min(len(units), self._threads)):
            self._pool.submit(self._work)
        found: dict[int, Result] = {}
        for part, unit in zip(parts, units, strict=True):
            found.update(zip(part, unit.done.result(), strict=True))
        return [found[number] for number in range(len(items))]

    def _parts(self, shapes: Sequence[Shape]) -> list[list[int]]:
        """Numbers of items of one shape, so many that they fit and that every thread has something to do; most first.

        Started in this order, threads that take one after another end together.
        """
        members: dict[Shape, list[int]] = defaultdict(list)
        for number, shape in enumerate(shapes):
            members[shape].append(number)
        share, parts = -(-len(shapes) // self._threads), []
        for shape, numbers in members.items():
            pieces = -(-len(numbers) // max(1, min(share, self._most(shape))))
            step = -(-len(numbers) // pieces)
            parts += [numbers[start : start + step] for start in range(0, len(numbers), step)]
        return sorted(parts, key=len, reverse=True)

    def _queued(self, shape: Shape, items: Sequence[Item], number: int) -> Unit[Item, Result]:
        """A unit in the queue; the lock is held."""
        unit: Unit[Item, Result] = Unit(items, (number, next(self._arrivals)), current())
        queue = self._waiting[shape]
        place = len(queue)
        while place and queue[place - 1].order > unit.order:
            place -= 1
        queue.insert(place, unit)
        return unit

    def _work(self) -> None:
        """Nothing, once nothing waits any more."""
        while taken := self._take():
            shape, units = taken
            items = [item for unit in units for item in unit.items]
            if self.watch:
                self.watch(len(items), time.monotonic() - min(unit.since for unit in units))
            try:
                results = iter(self._run(shape, items))
            except BaseException as error:  # whatever it is, callers wait for it
                for unit in units:
                    unit.done.set_exception(error)
            else:
                for unit in units:
                    unit.done.set_result([next(results) for _ in unit.items])
            with self._lock:
                self._running -= 1

    def _take(self) -> tuple[Shape, list[Unit[Item, Result]]] | None:
        """A shape and the units of it that are run next, together; None if nothing waits."""
        with self._lock:
            while self._waiting:
                shape = min(self._waiting, key=lambda key: self._waiting[key][0].order)
                if units := self._fitting(shape):
                    self._running += 1
                    return shape, units
        return None

    def _fitting(self, shape: Shape) -> list[Unit[Item, Result]]:
        """The first units of a shape that fit together; the lock is held."""
        queue, room, free = self._waiting[shape], self._most(shape), self._threads - self._running - 1
        units: list[Unit[Item, Result]] = []
        while queue and (not units or (len(queue[0].items) <= room and sum(map(len, self._waiting.values())) > free)):
            unit = queue.popleft()
            if not self._given_up(unit):
                units.append(unit)
                room -= len(unit.items)
        if not queue:
            del self._waiting[shape]
        return units

    def _given_up(self, unit: Unit[Item, Result]) -> bool:
        """Whether nobody needs the results any more; then the caller is told."""
        try:
            unit.job.check()
        except Exception as error:
            unit.done.set_exception(error)
            return True
        return False
