"""When a queue is kept short, how short, and when no more."""

import math

import pytest

from plugin_server.pressure import PERIOD, Pressure


def after(load: float, threads: int = 4, seconds: float = 0.1) -> float:
    """How many may wait after a period in which so many times as much came as can be done."""
    pressure = Pressure(threads)
    pressure.sent_away(0.0)
    came, most = round(load * threads * PERIOD / seconds), round(threads * PERIOD / seconds)
    for number in range(came - 1):
        pressure.done(seconds) if number < most else pressure.sent_away(1.0)
    return pressure.room(PERIOD)


def test_there_is_none_before_somebody_is_sent_away() -> None:
    pressure = Pressure(2)
    for _ in range(1000):
        pressure.done(60.0)
    assert pressure.room(0.0) == pressure.room(1e6) == math.inf


LOADS = [
    (0.1, math.inf, "hardly anything comes"),
    (0.85, math.inf, "less than can be done"),
    (1.0, 4, "as much as can be done"),
    (1.25, 2, "a quarter more"),
    (1.5, 0, "half as much again"),
    (2.0, 0, "twice as much"),
    (20.0, 0, "a flood"),
]


@pytest.mark.parametrize(("load", "room", "remark"), LOADS)
def test_the_more_comes_the_fewer_wait(load: float, room: float, remark: str) -> None:
    assert after(load) == room, remark


def test_it_does_not_depend_on_how_long_a_request_takes() -> None:
    assert [after(1.25, seconds=seconds) for seconds in (0.001, 0.01, 0.1, 1.0)] == [2] * 4


def test_it_lasts_as_long_as_too_much_comes_and_no_longer() -> None:
    pressure, second = Pressure(1), 0.0
    for _ in range(3):
        for _ in range(30):
            second += PERIOD / 30
            pressure.sent_away(second)
            pressure.done(PERIOD / 40)
        assert pressure.room(second) == 0
    for _ in range(10):
        pressure.done(PERIOD / 40)
    assert pressure.room(second + 0.1 * PERIOD) == 0
    assert pressure.room(second + 2 * PERIOD) == math.inf


def test_a_pause_ends_it() -> None:
    pressure = Pressure(1)
    for _ in range(100):
        pressure.sent_away(0.0)
        pressure.done(1.0)
    assert pressure.room(3600.0) == math.inf
