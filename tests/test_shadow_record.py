"""A record as a line, and read again."""

from __future__ import annotations

import json

import pytest

from plugin_server.shadow.record import Judged, Record

WHOLE = Record(
    "2026-01-02T03:04:05.678Z", "r1", "/_search", "a", "passages", "filter", "shop", "f", 1.5, "d",
    "a red\u2028car", "", (
        Judged("x", 0, 0.0, "accepted", 0.0, 0.0, 0, text=""),
        Judged("", 1, None, "rejected", 0.25, 0.5, None, True, text="a text", digest="e", query="another"),
        Judged("z", 2, -1.5, "unverified", None, 0.5, 1, cause="empty"),
    ),
)  # fmt: skip
BARE = Record("2026-01-02T03:04:05.678Z", "", "", "", "pairs", "", "", "f", 0, "")


@pytest.mark.parametrize("record", [WHOLE, BARE], ids=["whole", "bare"])
def test_a_line_is_read_as_it_was_written(record: Record) -> None:
    line = record.line()
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    found = Record.read(json.loads(line))
    assert found.line() == line
    assert (found.candidates[1:], found.query, found.error) == (record.candidates[1:], record.query, record.error)


def test_nothing_is_left_out_that_tells() -> None:
    first, second, third = json.loads(WHOLE.line())["candidates"]
    assert first == {
        "id": "x", "position": 0, "score": 0.0, "outcome": "accepted", "probability": 0.0, "threshold": 0.0, "new": 0,
    }  # fmt: skip
    assert (second["dropped"], "new" in second, "id" in second) == (True, False, False)
    assert (third["cause"], "probability" in third) == ("empty", False)
