"""Shadow files in, records out; a line that cannot be read is counted, and the next one is read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from plugin_server.errors import InvalidField
from plugin_server.jsonlines import read_lines
from plugin_server.shadow.record import KEY, VERSION, Record

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Reading:
    """The records of some files, one after the other; the counts grow while they are read.

    Args:
        streams: opened for bytes, also of files that are being written.
        since: of the records; older ones are left out, as losses are. None for all.
        index: of the records; empty for all. Losses have none, and are all counted.

    Attributes:
        lost: requests that were not recorded, by cause.
        skipped: lines that are no record, as the last one of a file that is being written may be.
        newer: those of them that a newer version of simgate wrote.
    """

    def __init__(self, streams: Iterable[BinaryIO], since: datetime | None = None, index: str = "") -> None:
        self._streams, self._since, self._index = streams, since, index
        self.lost: Counter[str] = Counter()
        self.skipped = self.newer = 0

    def __iter__(self) -> Iterator[Record]:
        for stream in self._streams:
            for line in read_lines(stream):
                record = None if line.fault else self._read(line.value)
                self.skipped += bool(line.fault)
                if record and (not self._index or record.index == self._index):
                    yield record

    def _read(self, value: dict[str, Any]) -> Record | None:
        """The record of a line; None if it has none, or is too old."""
        try:
            if value.get(KEY) != VERSION:
                self.newer += isinstance(value.get(KEY), int)
                raise InvalidField(f"{KEY}: is not {VERSION}")
            old = self._since is not None and moment(value.get("time")) < self._since
            if "lost" in value:
                self.lost += Counter() if old else _losses(value["lost"])
                return None
            record = Record.read(value)
            moment(record.time)
            return None if old else record
        except InvalidField:
            self.skipped += 1
            return None


def moment(text: Any) -> datetime:
    """A time as it is recorded.

    Raises:
        InvalidField: it is none.

    Example:
        >>> moment("2026-01-02T03:04:05.678Z").isoformat()
        '2026-01-02T03:04:05.678000+00:00'
    """
    try:
        given = datetime.fromisoformat(text)
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise InvalidField(f"{text!r} is no time: give 2026-01-31, 2026-01-31T12:00 (UTC), 90m, 24h or 7d") from None


def since(text: str, now: datetime) -> datetime:
    """The time that a person gives: one of the calendar, or so long ago.

    Raises:
        InvalidField: it is neither.

    Example:
        >>> now = moment("2026-01-31T12:00")
        >>> since("36h", now).isoformat(), since("2026-01-31", now).isoformat()
        ('2026-01-30T00:00:00+00:00', '2026-01-31T00:00:00+00:00')
    """
    ago = re.fullmatch(r"(\d{1,6})([mhd])", text, re.ASCII)
    try:
        return now - timedelta(**{UNITS[ago[2]]: int(ago[1])}) if ago else moment(text)
    except OverflowError:
        raise InvalidField(f"{text!r} is too long ago") from None


def _losses(given: Any) -> Counter[str]:
    """The losses that a line tells of.

    Raises:
        InvalidField: they are none.
    """
    if not isinstance(given, dict) or not all(type(count) is int and count > 0 for count in given.values()):
        raise InvalidField("lost: is no object of numbers")
    return Counter(given)
