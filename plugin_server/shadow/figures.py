"""What would have changed: records in, figures out. Every figure is exact; none needs the records to be kept."""

from __future__ import annotations

import heapq
import math
import re
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from plugin_server.shadow.record import Judged, Record
from plugin_server.verdict import Outcome

#: Bounds between which probabilities are counted; thresholds are tried at those inside.
GRID = [number / 20 for number in range(21)]
#: Hits at the top that are compared.
TOP = 10
LATENCIES = (50, 95, 99)


@dataclass(slots=True)
class Tally:
    """Requests and candidates of one kind.

    Attributes:
        requests: that have verdicts.
        outcomes, causes: candidates by outcome; those that are unverified by cause.
        searches: requests that are ranked.
        first: those of them whose first hit would be another one, or none.
        top: whose first `TOP` hits would not be the same in the same order.
        reordered: of these, with the same hits in another order.
        emptied: that would have lost every hit.
        overlap: sum over searches of the share of the first `TOP` hits that would stay among them.
    """

    requests: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    searches: int = 0
    first: int = 0
    top: int = 0
    reordered: int = 0
    emptied: int = 0
    overlap: float = 0.0

    @property
    def candidates(self) -> int:
        """All of them."""
        return self.outcomes.total()

    def share(self, outcome: Outcome) -> float | None:
        """The share of candidates with that outcome."""
        return share(self.outcomes[outcome], self.candidates)

    def add(self, record: Record) -> None:
        """Nothing; the record, which has verdicts, is counted."""
        self.requests += 1
        self.outcomes.update(item.outcome for item in record.candidates)
        self.causes.update(item.cause for item in record.candidates if item.cause)
        if not record.policy:
            return
        before = [item.position for item in sorted(record.candidates, key=lambda item: item.position)][:TOP]
        kept = [item for item in record.candidates if item.new is not None]
        after = [item.position for item in sorted(kept, key=lambda item: item.new or 0)][:TOP]
        same = set(before) == set(after)
        self.searches += 1
        self.first += before[:1] != after[:1]
        self.top += before != after
        self.reordered += before != after and same
        self.emptied += not after
        self.overlap += len({*before} & {*after}) / len(before)


@dataclass(slots=True)
class Spread:
    """The probabilities of one profile.

    Attributes:
        probabilities, thresholds: candidates by the part of `GRID` in which theirs lies, both of those that were read.
        best: searches by where the highest probability of their hits lies; without those that have unverified hits,
            which no threshold would empty.
        searches: all of them.
    """

    probabilities: list[int] = field(default_factory=lambda: [0] * (len(GRID) - 1))
    thresholds: list[int] = field(default_factory=lambda: [0] * (len(GRID) - 1))
    best: list[int] = field(default_factory=lambda: [0] * (len(GRID) - 1))
    searches: int = 0

    def add(self, record: Record) -> None:
        """Nothing; the record, which has verdicts, is counted."""
        read = [(item.probability, item.threshold) for item in record.candidates if item.probability is not None]
        for probability, threshold in read:
            self.probabilities[part(probability)] += 1
            self.thresholds[part(threshold)] += 1
        if record.policy:
            self.searches += 1
            if len(read) == len(record.candidates):
                self.best[part(max(probability for probability, _ in read))] += 1

    def rejected(self, number: int) -> float | None:
        """The share of the candidates read that a threshold of ``GRID[number]`` for all of them would reject."""
        return share(sum(self.probabilities[:number]), sum(self.probabilities))

    def emptied(self, number: int) -> float | None:
        """The share of the searches that would lose every hit at that threshold."""
        return share(sum(self.best[:number]), self.searches)


@dataclass(frozen=True, slots=True)
class Example:
    """A hit that would be rejected."""

    index: str
    query: str
    candidate: Judged


class Figures:
    """The figures of some records.

    Args:
        records: read once.
        most: examples to keep.

    Attributes:
        whole: of all records.
        groups: by index, profile and calibration.
        spreads: by profile.
        ways: requests by the door, those with errors included.
        errors: requests that would have been refused or have failed, by what would have been said, numbers aside.
        examples: hits that would be rejected, those first that stood highest; none without texts.
        first, last: times of the first and the last record; empty without any.
    """

    def __init__(self, records: Iterable[Record], most: int = 0) -> None:
        self.whole = Tally()
        self.groups: dict[tuple[str, str, str], Tally] = {}
        self.spreads: dict[str, Spread] = {}
        self.ways: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.first = self.last = ""
        self._times = array("d")
        self._most = most
        self._examples: dict[tuple[str, str], tuple[int, float, int, Example]] = {}
        for record in records:
            self._add(record)

    @property
    def requests(self) -> int:
        """All of them."""
        return self.ways.total()

    @property
    def examples(self) -> list[Example]:
        """See above."""
        return [item[-1] for item in heapq.nsmallest(self._most, self._examples.values(), key=lambda item: item[:3])]

    def latency(self, rank: int) -> float | None:
        """Milliseconds within which that many in a hundred requests were verified; None without any."""
        return percentile(sorted(self._times), rank)

    def _add(self, record: Record) -> None:
        self.ways[record.way] += 1
        self.first = min(filter(None, (self.first, record.time)))
        self.last = max(self.last, record.time)
        if record.error:
            self.errors[re.sub(r"\d+", "N", record.error)] += 1
        if record.error or not record.candidates:
            return
        self._times.append(record.ms)
        self.whole.add(record)
        self.groups.setdefault((record.index, record.profile, record.calibration), Tally()).add(record)
        self.spreads.setdefault(record.profile, Spread()).add(record)
        if self._most:
            self._note(record)

    def _note(self, record: Record) -> None:
        """Nothing; the record's rejected hits may become examples, equal ones once."""
        for item in record.candidates:
            query = item.query or record.query
            if item.outcome != Outcome.REJECTED or not item.text or not query or item.probability is None:
                continue
            number = len(self._examples)
            found = (item.position, item.probability, number, Example(record.index, query, item))
            key = (query, item.text)
            self._examples[key] = min(self._examples.get(key, found), found, key=lambda given: given[:3])
        if len(self._examples) > 10 * self._most + 1000:
            best = heapq.nsmallest(self._most, self._examples.items(), key=lambda pair: pair[1][:3])
            self._examples = dict(best)


def part(value: float) -> int:
    """The part of `GRID` in which a value lies; a bound belongs to the part above it, 1 to the last.

    Example:
        >>> part(0.0), part(0.049), part(0.05), part(1.0)
        (0, 0, 1, 19)
    """
    return min(max(bisect_right(GRID, value) - 1, 0), len(GRID) - 2)


def percentile(ordered: Sequence[float], rank: int) -> float | None:
    """The lowest value that `rank` in a hundred do not exceed; None without any (nearest rank).

    Example:
        >>> percentile([1.0, 2.0, 3.0, 4.0], 50), percentile([1.0, 2.0, 3.0, 4.0], 95)
        (2.0, 4.0)
    """
    return ordered[max(1, math.ceil(rank * len(ordered) / 100)) - 1] if ordered else None


def share(some: int, of: int) -> float | None:
    """The share, None of nothing."""
    return some / of if of else None
