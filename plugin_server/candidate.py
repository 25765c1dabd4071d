"""A candidate of a rerank request, and the checks on a list of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from plugin_server.errors import DuplicateId, InvalidField, NoCandidates, OverLimit


@dataclass(frozen=True, slots=True)
class Candidate:
    """A hit of the dense search.

    Attributes:
        text: the document's text; or a token blob, which starts with the blob's magic.
        id: the caller's own; empty for none.
        score: the engine's, higher is nearer; when every candidate has one it stands for recall in the ranking.
        blob: the document's token blob, used instead of encoding the text.
    """

    text: str = ""
    id: str = ""
    score: float | None = None
    blob: str = ""


def checked(candidates: Sequence[str | Candidate], limit: int, field: str = "candidates") -> list[Candidate]:
    """The candidates, bare texts made into `Candidate`.

    Args:
        limit: how many there may be.
        field: the list's name, for error messages.

    Raises:
        NoCandidates: the list is empty.
        OverLimit: it has more than `limit`.
        DuplicateId: an id that is not empty occurs twice.
        InvalidField: a text stands in place of the list, a candidate is neither text nor `Candidate`, or its score is
            not finite.

    Example:
        >>> checked(["a red car"], limit=10)
        [Candidate(text='a red car', id='', score=None, blob='')]
    """
    if isinstance(candidates, str):  # a sequence of one-letter texts, which nobody means
        raise InvalidField(f"{field}: is a text: give a list of texts or Candidates")
    if not candidates:
        raise NoCandidates(field)
    if len(candidates) > limit:
        raise OverLimit(field, len(candidates), limit, "candidates", "send fewer, or raise max_candidates")
    seen: set[str] = set()
    result = []
    for number, given in enumerate(candidates):
        candidate = Candidate(given) if isinstance(given, str) else given
        if not isinstance(candidate, Candidate):
            raise InvalidField(f"{field}[{number}]: is a {type(given).__name__}: give a text or a Candidate")
        if candidate.score is not None and not math.isfinite(candidate.score):
            raise InvalidField(f"{field}[{number}].score: {candidate.score} is not a finite number")
        if candidate.id in seen:
            raise DuplicateId(candidate.id, field)
        if candidate.id:
            seen.add(candidate.id)
        result.append(candidate)
    return result
