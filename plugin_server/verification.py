"""How many of a request's candidates are verified: all, in rank order until enough are accepted, or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plugin_server.blob import is_blob
from plugin_server.candidate import Candidate
from plugin_server.errors import MaxsimOnly, Unreached
from plugin_server.judging import Judging, marked
from plugin_server.verdict import Outcome, Verdict

#: The least that are verified at a time in a cascade: fewer would leave cores idle.
STEP = 8


def full(judging: Judging) -> tuple[list[Verdict], list[float]]:
    """A verdict and a recall score for every candidate."""
    verdicts = judging.verdicts(range(len(judging.candidates)))
    return verdicts, scores(judging) or cosines(judging) or [verdict.maxsim or 0.0 for verdict in verdicts]


def light(judging: Judging) -> tuple[list[Verdict], list[float]]:
    """Every candidate unverified, and its MaxSim as its score; one that cannot be read counts as no match at all."""
    fault = MaxsimOnly()
    verdicts = judging.light(fault)
    judging.tell(marked(judging.documents(range(len(verdicts))), fault), verdicts)
    return verdicts, [verdict.maxsim or 0.0 for verdict in verdicts]


def cascade(judging: Judging, wanted: int) -> tuple[list[Verdict], list[float]]:
    """A verdict and a recall score for every candidate; those behind the `wanted` accepted ones are unverified.

    Candidates are taken in the order of their recall scores. Where all have one of the engine's, those that are not
    reached are not even parsed.
    """
    recall = scores(judging) or cosines(judging) or [item.maxsim or 0.0 for item in judging.light(MaxsimOnly())]
    order = sorted(range(len(recall)), key=lambda number: -recall[number])
    found: dict[int, Verdict] = {}
    accepted = reached = 0
    while reached < len(order) and accepted < wanted:
        missing = wanted - accepted
        size = max(STEP, round(missing * (reached + 1) / (accepted + 1)) if reached else missing)
        numbers = sorted(order[reached : reached + size])
        verdicts = judging.verdicts(numbers)
        found.update(zip(numbers, verdicts, strict=True))
        accepted += sum(verdict.outcome is Outcome.ACCEPTED for verdict in verdicts)
        reached += len(numbers)
    rest = order[reached:]
    found.update(zip(rest, judging.skip(rest, Unreached(accepted)), strict=True))
    return [found[number] for number in range(len(recall))], recall


def scores(judging: Judging) -> list[float]:
    """The engine's scores; none unless every candidate has one."""
    return _all(judging, lambda numbers: [judging.candidates[number].score for number in numbers])


def compared(candidates: Sequence[Candidate]) -> bool:
    """Whether recall is the cosines of query and candidates: where a score is missing, and there are but texts.

    Example:
        >>> compared([Candidate("a red car")]), compared([Candidate("a red car", score=0.5)])
        (True, False)
    """
    scored = all(candidate.score is not None for candidate in candidates)
    return not scored and not any(candidate.blob or is_blob(candidate.text) for candidate in candidates)


def cosines(judging: Judging) -> list[float]:
    """The cosines of query and candidates; none unless the text of every candidate was encoded for that."""
    query = judging.vector
    if query is None:
        return []
    return _all(judging, lambda numbers: [item.cosine(query) for item in judging.documents(numbers)])


def _all(judging: Judging, values: Callable[[Sequence[int]], list[float | None]]) -> list[float]:
    """The values of all candidates, if all have one."""
    found = [value for value in values(range(len(judging.candidates))) if value is not None]
    return found if len(found) == len(judging.candidates) else []
