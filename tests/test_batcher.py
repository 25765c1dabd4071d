"""Units of several callers in one queue."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from plugin_server import Reranker
from plugin_server.batcher import Batcher
from plugin_server.errors import CallerGone, DeadlinePassed
from plugin_server.job import Job, working

Items = Sequence[int]


class Runner:
    """Doubles numbers when it is let, and notes what was run together."""

    def __init__(self, most: int = 4, threads: int = 1) -> None:
        self.batches: list[tuple[str, list[int]]] = []
        self.gate, self.entered = threading.Event(), threading.Event()
        self.told: list[tuple[int, float]] = []
        self.batcher: Batcher[str, int, int] = Batcher(
            self.run, lambda shape: most, threads, lambda pairs, waited: self.told.append((pairs, waited))
        )

    def run(self, shape: str, items: Items) -> list[int]:
        self.batches.append((shape, list(items)))
        self.entered.set()
        assert self.gate.wait(30)
        if 13 in items:
            raise ValueError("thirteen")
        return [2 * item for item in items]

    def ask(self, items: Items, shape: str = "a", job: Job | None = None) -> list[int]:
        with working(job or Job()):
            return self.batcher.results([shape] * len(items), items)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as made:
        yield made


def waiting(runner: Runner, units: int) -> None:
    """Nothing, once so many units wait."""
    while sum(map(len, runner.batcher._waiting.values())) < units:
        time.sleep(0.002)


def test_one_caller_gets_its_results_in_its_order() -> None:
    runner = Runner()
    runner.gate.set()
    shapes, items = list("abababa"), list(range(7))
    assert runner.batcher.results(shapes, items) == [0, 2, 4, 6, 8, 10, 12]
    assert sorted(map(sorted, (items for _, items in runner.batches))) == [[0, 2, 4, 6], [1, 3, 5]]
    assert runner.batcher.results([], []) == []


def test_callers_of_one_shape_are_run_together_while_threads_are_busy(pool: ThreadPoolExecutor) -> None:
    runner = Runner(most=4)
    first = pool.submit(runner.ask, [0])
    assert runner.entered.wait(30)
    later = []
    for place, (shape, item) in enumerate([("a", 1), ("b", 2), ("a", 3), ("a", 4), ("a", 5), ("b", 6), ("a", 7)], 1):
        later.append(pool.submit(runner.ask, [item], shape))
        waiting(runner, place)
    runner.gate.set()
    assert first.result(30) == [0]
    assert [found.result(30) for found in later] == [[2], [4], [6], [8], [10], [12], [14]]
    assert runner.batches == [("a", [0]), ("a", [1, 3, 4, 5]), ("b", [2, 6]), ("a", [7])]
    assert [pairs for pairs, _ in runner.told] == [1, 4, 2, 1] and all(waited >= 0 for _, waited in runner.told)


def test_a_small_request_does_not_wait_for_the_end_of_a_large_one(pool: ThreadPoolExecutor) -> None:
    runner = Runner(most=4)
    large = pool.submit(runner.ask, list(range(20, 40)))
    assert runner.entered.wait(30)
    waiting(runner, 4)
    small = pool.submit(runner.ask, [1])
    waiting(runner, 5)
    runner.gate.set()
    assert small.result(30) == [2] and large.result(30) == [2 * item for item in range(20, 40)]
    assert runner.batches[1] == ("a", [1]), "it goes before the second part of the large one"


def test_a_lone_request_is_spread_over_threads(pool: ThreadPoolExecutor) -> None:
    runner = Runner(most=100, threads=2)
    asked = pool.submit(runner.ask, list(range(10)))
    while len(runner.batches) < 2:
        time.sleep(0.002)
    runner.gate.set()
    assert asked.result(30) == list(range(0, 20, 2))
    assert sorted(len(items) for _, items in runner.batches) == [5, 5]


@pytest.mark.parametrize("error", [CallerGone, DeadlinePassed])
def test_what_nobody_needs_any_more_is_not_run(pool: ThreadPoolExecutor, error: type[Exception]) -> None:
    runner = Runner(most=4)
    first = pool.submit(runner.ask, [0])
    assert runner.entered.wait(30)
    job = Job() if error is CallerGone else Job.within(0.05)
    over, stays = pool.submit(runner.ask, [1], "a", job), pool.submit(runner.ask, [2])
    waiting(runner, 2)
    if error is CallerGone:
        job.give_up()
    time.sleep(0.1)
    runner.gate.set()
    with pytest.raises(error):
        over.result(30)
    assert first.result(30) == [0] and stays.result(30) == [4]
    assert all(1 not in items for _, items in runner.batches)


def test_an_error_reaches_everybody_in_the_batch_and_nobody_else(pool: ThreadPoolExecutor) -> None:
    runner = Runner(most=4)
    first = pool.submit(runner.ask, [0])
    assert runner.entered.wait(30)
    together = [pool.submit(runner.ask, [13]), pool.submit(runner.ask, [1])]
    waiting(runner, 2)
    runner.gate.set()
    for failed in together:
        with pytest.raises(ValueError, match="thirteen"):
            failed.result(30)
    assert first.result(30) == [0] and runner.ask([5]) == [10]


def test_readings_are_the_same_under_load(reranker: Reranker, pool: ThreadPoolExecutor) -> None:
    """32 callers at a time, pairs of every length: the numbers of each are those of the pair read alone."""
    generator = np.random.default_rng(3)
    width = reranker.manifest.token_dimension

    def matrix(rows: int) -> np.ndarray:
        return generator.integers(1, 8, (rows, width), np.int8) * generator.choice(np.array([-1, 1], np.int8), width)

    requests = [
        [(matrix(int(generator.integers(3, 24))), matrix(int(generator.integers(3, 150)))) for _ in range(size)]
        for size in generator.integers(1, 12, 96)
    ]
    sizes: list[int] = []
    reranker.verifier.batcher.watch = lambda pairs, waited: sizes.append(pairs)
    try:
        together = list(pool.map(reranker.verifier.read, requests))
    finally:
        reranker.verifier.batcher.watch = None
    for request, readings in zip(requests, together, strict=True):
        for pair, reading in zip(request, readings, strict=True):
            alone = reranker.verifier.read([pair])[0]
            assert reading.logits == pytest.approx(alone.logits, abs=1e-5)
            assert reading.best == pytest.approx(alone.best, abs=1e-5)
    assert sum(sizes) == sum(map(len, requests)) and len(sizes) < sum(sizes), "some were read together"
