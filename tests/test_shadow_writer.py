"""The writer of shadow mode on real files: rotation, full and unwritable disks, and what is lost meanwhile."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plugin_server.shadow import writer
from plugin_server.shadow.record import KEY
from plugin_server.shadow.writer import MOST_BYTES, MOST_LINES, Writer

LARGE = 2**40


def line(number: int, width: int = 0) -> bytes:
    return json.dumps({KEY: 1, "number": number, "more": "x" * width}).encode() + b"\n"


def numbers(path: Path) -> list[int]:
    return [json.loads(row)["number"] for row in path.read_bytes().splitlines()]


def until(condition: Callable[[], Any]) -> None:
    """Returns once the condition holds."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


class Fates(Counter[str]):
    """What became of requests, as a writer tells it."""

    def told(self, fate: str) -> None:
        self[fate] += 1


def test_lines_are_appended_for_the_owner_alone(tmp_path: Path) -> None:
    path, fates = tmp_path / "shadow.jsonl", Fates()
    for first in (0, 3):
        made = Writer(path, LARGE, fates.told)
        for number in range(first, first + 3):
            made.offer(line(number))
        made.close()
    assert numbers(path) == list(range(6))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert fates == {"recorded": 6}


def test_a_file_that_is_full_begins_anew_and_the_one_before_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "shadow.jsonl"
    made = Writer(path, 10 * len(line(10)))
    for number in range(10, 45):
        made.offer(line(number))
    made.close()
    assert (numbers(tmp_path / "shadow.jsonl.1"), numbers(path)) == (list(range(30, 40)), list(range(40, 45)))
    assert sorted(os.listdir(tmp_path)) == ["shadow.jsonl", "shadow.jsonl.1"]
    assert stat.S_IMODE((tmp_path / "shadow.jsonl.1").stat().st_mode) == 0o600


def test_a_line_longer_than_the_file_may_be_is_written_alone(tmp_path: Path) -> None:
    path = tmp_path / "shadow.jsonl"
    made = Writer(path, 100)
    for number, width in ((1, 0), (2, 1000), (3, 0)):
        made.offer(line(number, width))
    made.close()
    assert (numbers(tmp_path / "shadow.jsonl.1"), numbers(path)) == ([2], [3])


def test_half_a_line_of_a_process_that_was_killed_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "shadow.jsonl"
    path.write_bytes(line(1) + line(2)[:9])
    made = Writer(path, LARGE)
    made.offer(line(3))
    made.close()
    assert path.read_bytes() == line(1) + line(2)[:9] + b"\n" + line(3)


def test_a_file_that_is_moved_away_is_made_again(tmp_path: Path) -> None:
    path, fates = tmp_path / "shadow.jsonl", Fates()
    made = Writer(path, LARGE, fates.told)
    made.offer(line(1))
    until(lambda: fates["recorded"] == 1)
    path.rename(tmp_path / "elsewhere")
    made.offer(line(2))
    made.close()
    assert (numbers(tmp_path / "elsewhere"), numbers(path)) == ([1], [2])


UNWRITABLE = [
    ("/dev/full", "No space left on device", "a full disk"),
    ("/no/such/folder/shadow.jsonl", "No such file or directory", "no folder"),
    ("/proc/version", "Permission denied|Operation not permitted|Read-only|Input/output error", "not writable"),
    ("/tmp", "Is a directory", "a folder"),
]


@pytest.mark.parametrize(("place", "fault", "remark"), UNWRITABLE, ids=[case[2] for case in UNWRITABLE])
def test_what_cannot_be_written_is_counted_and_logged_once(
    place: str, fault: str, remark: str, caplog: pytest.LogCaptureFixture
) -> None:
    fates = Fates()
    made = Writer(Path(place), LARGE, fates.told, pause=0.001)
    for number in range(MOST_LINES + 5):
        made.offer(line(number))
    assert fates == {"disk": 5}
    until(lambda: caplog.records)
    time.sleep(0.05)  # many attempts
    made.close()
    assert fates == {"disk": MOST_LINES + 5}
    failures = [record.getMessage() for record in caplog.records if "cannot be written" in record.getMessage()]
    assert len(failures) == 1
    assert any(words in failures[0] for words in fault.split("|"))
    assert [record.getMessage() for record in caplog.records if "is not recorded (disk)" in record.getMessage()]


def test_writing_goes_on_and_tells_what_was_lost_once_the_disk_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, fates = tmp_path / "later" / "shadow.jsonl", Fates()
    made = Writer(path, LARGE, fates.told, pause=0.01)
    for number in range(MOST_LINES + 3):
        made.offer(line(number))
    made.lose("busy")
    path.parent.mkdir()
    until(lambda: fates["recorded"] == MOST_LINES)
    made.offer(line(0))
    made.close()
    first, *rest = (json.loads(row) for row in path.read_bytes().splitlines())
    assert first["lost"] == {"disk": 3, "busy": 1}
    assert [row["number"] for row in rest] == [*range(MOST_LINES), 0], "told once, and nothing else is lost"
    assert caplog.records[-1].getMessage().endswith("is written again")


def test_losses_alone_are_told_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "shadow.jsonl"
    made = Writer(path, LARGE)
    for _ in range(3):
        made.lose("busy")
    made.close()
    assert json.loads(path.read_bytes())["lost"] == {"busy": 3}


def test_a_reader_that_does_not_read_delays_nobody(tmp_path: Path) -> None:
    path, fates = tmp_path / "pipe", Fates()
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        made = Writer(path, LARGE, fates.told)
        offering = threading.Thread(target=lambda: [made.offer(line(number, 2**20)) for number in range(100)])
        offering.start()
        offering.join(60)
        assert not offering.is_alive()
        assert fates["disk"] >= 100 - MOST_BYTES // 2**20
        made.close(0.01)  # does not wait for the pipe either
    finally:
        os.set_blocking(reader, True)
        while os.read(reader, 2**20) and made._thread.is_alive():
            pass
        os.close(reader)


LIMITED = f"""
import signal, sys, time
from pathlib import Path
sys.path.insert(0, {os.path.dirname(__file__)!r})
from test_shadow_writer import Fates, line
from plugin_server.shadow.writer import Writer
fates = Fates()
made = Writer(Path(sys.argv[1]), 2**40, fates.told, pause=0.01)
for number in range(1000):
    made.offer(line(number, 100))
made.close()
print(dict(fates))
"""


def test_a_disk_that_fills_up_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "shadow.jsonl"
    limit = 10_000
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        cwd=Path(writer.__file__).parents[2],
        timeout=120,
    )
    rows = path.read_bytes().split(b"\n")
    whole = limit // len(line(100, 100)) + 1
    assert [json.loads(row)["number"] for row in rows[:-1]] == list(range(len(rows) - 1))
    assert len(rows) - 1 in (whole - 1, whole)
    assert ended.stdout == f"{ {'recorded': len(rows) - 1, 'disk': 1001 - len(rows)} }\n"
    assert "File too large" in ended.stderr or not ended.stderr
