"""A target: what makes its inputs, and what checks each of them."""

from __future__ import annotations

import resource
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import hypothesis
from hypothesis import strategies as st

from fuzz.tally import Tally

#: What is done with one input: see `Tally.take`.
Check = Callable[[Any], str | None]
#: Runs inputs: the seed, how many, and where they are counted.
Step = Callable[[int, int, Tally], None]


@dataclass(frozen=True)
class Target:
    """A row of the table.

    Attributes:
        name, tool: for the table.
        inputs: of a full run.
        quick: of a run within the test suite.
        opened: makes the step and takes down what it needs.
        expected: errors that an input may be refused with.
        memory: bytes that the process may grow by, so that an input that asks for gigabytes fails; None for any number.
    """

    name: str
    tool: str
    inputs: int
    quick: int
    opened: Callable[[], AbstractContextManager[Step]]
    expected: tuple[type[Exception], ...] = ()
    memory: int | None = None

    def limited(self) -> AbstractContextManager[None]:
        """Nothing; memory is limited meanwhile."""
        return nullcontext() if self.memory is None else _at_most(self.memory)


def mutations(make: Callable[[Random], Any], check: Check) -> Step:
    """A step over inputs made by a function of a seeded generator: the fastest tool."""

    def step(seed: int, count: int, tally: Tally) -> None:
        random = Random(seed)
        for _ in range(count):
            tally.take(make(random), check)

    return step


def properties(strategy: st.SearchStrategy[Any], check: Check) -> Step:
    """A step over a strategy of Hypothesis, each block a run of its own, so that what it remembers is let go."""

    def step(seed: int, count: int, tally: Tally) -> None:
        done, again = tally.inputs, 0
        while (left := done + count - tally.inputs) > 0 and again < 20:
            _run(strategy, check, tally, seed * 1000 + again, left)
            again += 1

    return step


def _run(strategy: st.SearchStrategy[Any], check: Check, tally: Tally, seed: int, count: int) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def run(given: Any) -> None:
        tally.take(given, check)

    with warnings.catch_warnings():  # of strategies, which are not what is tested
        warnings.simplefilter("ignore")
        run()


def coverage(name: str) -> Callable[[], AbstractContextManager[Step]]:
    """A step over bytes that Atheris makes to reach new code, in a process of its own; see `fuzz.guided`."""
    from fuzz.guided import run_guided

    return lambda: nullcontext(partial(run_guided, name))


def at_once(step: Step) -> Callable[[], AbstractContextManager[Step]]:
    """A step that needs nothing to be set up."""
    return lambda: nullcontext(step)


@contextmanager
def _at_most(more: int) -> Iterator[None]:
    if sys.platform != "linux":
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
