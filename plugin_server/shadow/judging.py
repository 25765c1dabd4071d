"""A request that is ranked, or was verified, as a record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TypeAlias

from plugin_server.asked import Asked
from plugin_server.errors import SimgateError
from plugin_server.gather import Gathered
from plugin_server.metrics import FAILURE, cause_of
from plugin_server.ranking import Hit, Ranking
from plugin_server.reranker import Reranker
from plugin_server.shadow.record import Judged, Record, clipped, digest, now
from plugin_server.verdict import FAILED, Outcome, Verdict

log = logging.getLogger(__name__)

#: Gives a ranking; its reranker tells of every verdict.
Work: TypeAlias = Callable[[Reranker], Ranking]


class Judging:
    """A request while its candidates are judged.

    Args:
        reranker: whose manifest the record names.
        asked: the request.
        texts: whether its texts are recorded.

    Attributes:
        watched: the reranker, which tells why candidates are unverified.
    """

    def __init__(self, reranker: Reranker, asked: Asked, texts: bool) -> None:
        self.watched = reranker.observed(self._note)
        self._asked, self._texts = asked, texts
        self._causes: dict[int, tuple[Verdict, str]] = {}  # with the verdicts, so that no other has their ids
        self._began = perf_counter()

    def ranked(self, work: Work) -> Record:
        """The record of the ranking that the work gives, or of its error."""
        ranking, error = Ranking((), ()), ""
        try:
            ranking = work(self.watched)
        except SimgateError as fault:
            error = str(fault)
        except Exception:
            log.exception("shadow mode: verification failed")
            error = FAILED
        kept = [self._judged(hit, place) for place, hit in enumerate(ranking.hits)]
        return self._record(str(self._asked.policy), kept + [self._judged(hit) for hit in ranking.dropped], error)

    def verified(self, hits: Sequence[Hit]) -> Record:
        """The record of verdicts that were asked for by themselves."""
        return self._record("", [self._judged(hit, asked=True) for hit in hits])

    def _note(self, documents: Sequence[Gathered], verdicts: Sequence[Verdict], policy: str = "") -> None:
        pairs = zip(documents, verdicts, strict=True)
        self._causes.update((id(verdict), (verdict, cause_of(document.fault))) for document, verdict in pairs)

    def _record(self, policy: str, candidates: list[Judged], error: str = "") -> Record:
        asked, manifest = self._asked, self.watched.manifest
        held = self.watched.calibrations.find(asked.calibration, asked.profile)
        return Record(
            time=now(),
            request=asked.occasion.request,
            way=asked.occasion.way,
            index=asked.index,
            profile=asked.profile,
            policy=policy,
            calibration=held.name if held else "",
            fingerprint=manifest.fingerprint,
            ms=round(1000 * (perf_counter() - self._began), 3),
            digest="" if asked.queries else digest(asked.query),
            query=clipped(asked.query) if self._texts and not asked.queries else None,
            error=error,
            candidates=tuple(sorted(candidates, key=lambda item: item.position)),
        )

    def _judged(self, hit: Hit, place: int | None = None, asked: bool = False) -> Judged:
        candidate, verdict, own = hit.candidate, hit.verdict, self._asked.queries[hit.position : hit.position + 1]
        unverified = verdict.outcome is Outcome.UNVERIFIED
        return Judged(
            id=candidate.id,
            position=hit.position,
            score=None if self._asked.placed else candidate.score,
            outcome=verdict.outcome.value,
            probability=verdict.probability,
            threshold=verdict.threshold,
            new=place,
            dropped=place is None and not asked,
            cause=self._causes.get(id(verdict), (verdict, FAILURE))[1] if unverified else "",
            text=clipped(candidate.text) if self._texts and candidate.text else None,
            digest=digest(own[0]) if own else "",
            query=clipped(own[0]) if own and self._texts else None,
        )
