"""The figures of shadow mode for programs, and as lines and tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from plugin_server.printed import chance, shown
from plugin_server.shadow.figures import GRID, LATENCIES, TOP, Figures, Spread, Tally, share
from plugin_server.shadow.reading import Reading
from plugin_server.thresholds.bounds import percent
from plugin_server.verdict import Outcome

#: Characters of the longest bar.
WIDTH = 20
#: Errors that people are shown.
MOST = 10


def fields(figures: Figures, reading: Reading) -> dict[str, Any]:
    """The figures, for a program; shares of nothing are null."""
    return {
        "requests": figures.requests,
        "from": figures.first,
        "to": figures.last,
        "ways": figures.ways,
        "not_recorded": reading.lost,
        "lines_skipped": reading.skipped,
        "lines_of_newer_version": reading.newer,
        "errors": dict(figures.errors.most_common()),
        "totals": _tally(figures.whole),
        "groups": [
            {"index": index, "profile": profile, "calibration": calibration} | _tally(tally)
            for (index, profile, calibration), tally in sorted(figures.groups.items())
        ],
        "latency_ms": {f"p{rank}": figures.latency(rank) for rank in LATENCIES},
        "profiles": {name: _spread(spread) for name, spread in sorted(figures.spreads.items())},
        "examples": [
            {
                "index": example.index,
                "query": example.query,
                "id": example.candidate.id,
                "text": example.candidate.text,
                "position": example.candidate.position,
                "probability": example.candidate.probability,
                "threshold": example.candidate.threshold,
            }
            for example in figures.examples
        ],
    }


def page(figures: Figures, reading: Reading) -> Iterator[RenderableType]:
    """The figures, for people: what would have changed first."""
    span = f" from {figures.first} to {figures.last}" if figures.requests else ""
    yield f"{_number(figures.requests, 'request')}{span}: {_named(figures.ways) or 'none'}."
    yield from _missing(figures, reading)
    whole = figures.whole
    if not whole.candidates:
        return
    yield _verdicts(whole)
    if whole.searches:
        yield _changes(whole)
    times = ", ".join(f"{figures.latency(rank):.3g} ms (p{rank})" for rank in LATENCIES)
    yield f"Verified within {times}."
    yield "By index, profile and calibration:"
    yield _groups(figures)
    for name, spread in sorted(figures.spreads.items()):
        yield from _profile(name, spread)
    for example in figures.examples:
        item, place = example.candidate, f" of {example.index}" if example.index else ""
        yield Text(f"Hit {item.position + 1}{place}, {chance(item.probability)} < {chance(item.threshold)}", "bold")
        yield f"  query  {shown(example.query)}\n  hit    {shown(item.text or '')}"


def _missing(figures: Figures, reading: Reading) -> Iterator[RenderableType]:
    """What the other figures do not tell of."""
    if reading.lost:
        yield Text(f"Not recorded: {_number(reading.lost.total(), 'request')} ({_named(reading.lost)}).", "yellow")
    if reading.skipped:
        newer = f", {reading.newer} of a newer version: upgrade simgate" if reading.newer else ""
        yield Text(f"Skipped: {_number(reading.skipped, 'line')} that cannot be read{newer}.", "yellow")
    if figures.errors:
        yield Text(f"Without verdicts: {_number(figures.errors.total(), 'request')}, because of", "yellow")
        for words, count in figures.errors.most_common(MOST):
            yield f"  {count}  {shown(words)}"


def _verdicts(whole: Tally) -> str:
    parts = [f"{percent(whole.share(outcome) or 0.0)} {outcome.value}" for outcome in Outcome]
    causes = f" ({_named(whole.causes)})" if whole.causes else ""
    return f"Of {_number(whole.candidates, 'candidate')} {', '.join(parts)}{causes}."


def _changes(whole: Tally) -> str:
    first, top, emptied = (percent(count / whole.searches) for count in (whole.first, whole.top, whole.emptied))
    return (
        f"Of {_number(whole.searches, 'search', 'searches')} {first} ({whole.first}) would have had another first hit, "
        f"{top} ({whole.top}) another top {TOP}, {whole.reordered} of them in order only; {emptied} ({whole.emptied}) "
        f"would have lost every hit. On average {percent(whole.overlap / whole.searches)} of the top {TOP} would stay."
    )


def _groups(figures: Figures) -> Table:
    table = _table_of("where", "requests", "candidates", "rejected", "unverified", "first",
                      f"top {TOP}", "emptied")  # fmt: skip
    for names, tally in sorted(figures.groups.items()):
        searched = [_share(count, tally.searches) for count in (tally.first, tally.top, tally.emptied)]
        verdicts = [_share(tally.outcomes[name], tally.candidates) for name in (Outcome.REJECTED, Outcome.UNVERIFIED)]
        told = " ".join(shown(name, 40) for name in names if name)
        table.add_row(told, str(tally.requests), str(tally.candidates), *verdicts, *searched)
    return table


def _profile(name: str, spread: Spread) -> Iterator[RenderableType]:
    """Where probabilities lie, and what another threshold would do."""
    yield (
        f"Profile {name}: candidates by probability; where thresholds lie (◀); and what a threshold at the beginning "
        "of each row, for candidates of any length, would reject and how many searches it would empty."
    )
    table = _table_of("from", "candidates", "", "thresholds", "rejects", "empties")
    most, read = max(spread.probabilities) or 1, sum(spread.thresholds)
    for number, count in enumerate(spread.probabilities):
        bar = "█" * round(WIDTH * count / most) or ("▏" if count else "")
        here = f"◀ {percent(spread.thresholds[number] / read)}" if spread.thresholds[number] else ""
        rejected, emptied = (_percent(value) for value in (spread.rejected(number), spread.emptied(number)))
        table.add_row(f"{GRID[number]:.2f}", str(count), Text(bar, justify="left"), here, rejected, emptied)
    yield table


def _table_of(first: str, *names: str) -> Table:
    """An empty table that fits into 80 columns; only the first one gives way."""
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold")
    for name in names:
        table.add_column(name, no_wrap=True, justify="right")
    return table


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "requests": tally.requests,
        "candidates": tally.candidates,
        **{outcome.value: tally.outcomes[outcome] for outcome in Outcome},
        "unverified_by_cause": tally.causes,
        "rejected_share": tally.share(Outcome.REJECTED),
        "unverified_share": tally.share(Outcome.UNVERIFIED),
        "searches": tally.searches,
        "other_first_hit": tally.first,
        "other_top": tally.top,
        "other_top_in_order_only": tally.reordered,
        "lost_every_hit": tally.emptied,
        "mean_overlap": tally.overlap / tally.searches if tally.searches else None,
    }


def _spread(spread: Spread) -> dict[str, Any]:
    parts = range(len(spread.probabilities))
    return {
        "from": GRID[:-1],
        "probabilities": spread.probabilities,
        "thresholds": spread.thresholds,
        "rejected_at": [spread.rejected(number) for number in parts],
        "emptied_at": [spread.emptied(number) for number in parts],
    }


def _named(counts: Counter[str]) -> str:
    """Counts with their names, the highest first.

    Example:
        >>> _named(Counter(busy=2, disk=3))
        'disk 3, busy 2'
    """
    return ", ".join(f"{shown(name, 60) or '–'} {count}" for name, count in counts.most_common())


def _number(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count == 1 else several or f'{one}s'}"


def _share(some: int, of: int) -> str:
    return _percent(share(some, of))


def _percent(value: float | None) -> str:
    return "–" if value is None else percent(value)
