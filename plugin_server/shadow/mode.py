"""Shadow mode: every request is answered as if nothing were verified, and its verdicts go into a file."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from typing import Protocol

from plugin_server.asked import Asked
from plugin_server.candidate import Candidate
from plugin_server.job import ENDLESS, working
from plugin_server.ranking import Hit, Ranking
from plugin_server.reranker import Reranker
from plugin_server.room import Room
from plugin_server.server_settings import ServerSettings
from plugin_server.shadow.judging import Judging, Work
from plugin_server.shadow.record import Record
from plugin_server.shadow.untouched import untouched
from plugin_server.shadow.writer import Writer
from plugin_server.verdict import Verdict

log = logging.getLogger(__name__)

#: Requests that are verified at a time, beside those that are answered.
THREADS = 2
#: Requests that wait to be verified, and the characters they hold; what comes on top is not recorded.
MOST, MOST_CHARACTERS = 256, 64 * 1024 * 1024


class Watch(Protocol):
    """What is told of every request; metrics are one."""

    def shadowed(self, fate: str) -> None:
        """Nothing; a request was ``recorded``, or not: ``busy``, ``disk``, ``failed`` or ``stopping``."""


class Shadow:
    """Answers that touch nothing, and verdicts in the background; made, it runs.

    Nothing of it waits for verification or the disk, nor fails because of them.

    Args:
        writer: of the file.
        texts: whether queries and documents are recorded.
    """

    def __init__(self, writer: Writer, texts: bool = False) -> None:
        self._writer = writer
        self._texts = texts
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="simgate-shadow")
        self._waiting = self._characters = 0
        self._lock = threading.Lock()

    @classmethod
    def open(cls, settings: ServerSettings, watch: Watch) -> Shadow | None:
        """Shadow mode as the settings say; None if it is off."""
        if not settings.shadow:
            return None
        return cls(Writer(Path(settings.shadow), settings.shadow_bytes, watch.shadowed), settings.log_texts)

    def rerank(self, reranker: Reranker, asked: Asked) -> Ranking:
        """As `untouched`; the verdicts are recorded later, if there is room for one more request that waits.

        Raises:
            InvalidRequest: as `untouched`.
        """
        ranking, size = untouched(reranker, asked), asked.size
        if self._take(size):
            self.judge(reranker, asked, asked.rank).add_done_callback(lambda _: self._give(size))
        else:
            self._writer.lose("busy")
        return ranking

    def verify(self, reranker: Reranker, asked: Asked) -> Ranking:
        """The ranking itself, whose verdicts are asked for; they are recorded too.

        Raises:
            InvalidRequest: as `Reranker.rerank`.
        """
        judging = Judging(reranker, asked, self._texts)
        ranking = asked.rank(judging.watched)
        self._record(lambda: judging.verified(ranking.hits))
        return ranking

    def verify_pairs(
        self,
        reranker: Reranker,
        pairs: Sequence[tuple[str, str]],
        profile: str,
        calibration: str = "",
        room: Room | None = None,
    ) -> list[Verdict]:
        """As `Reranker.verify_pairs`; the verdicts are recorded too.

        Raises:
            InvalidRequest: as `Reranker.verify_pairs`.
        """
        candidates, queries = [Candidate(document) for _, document in pairs], [query for query, _ in pairs]
        asked = Asked("", candidates, profile, calibration=calibration, queries=queries)
        judging = Judging(reranker, asked, self._texts)
        verdicts = judging.watched.verify_pairs(pairs, profile, calibration, room)
        joined = enumerate(zip(candidates, verdicts, strict=True))
        hits = [Hit(candidate, verdict, 0.0, place) for place, (candidate, verdict) in joined]
        self._record(lambda: judging.verified(hits))
        return verdicts

    def judge(self, reranker: Reranker, asked: Asked, work: Work) -> Future[None]:
        """What is done once the work has ranked what was asked and its record is handed to the writer, or lost.

        Whoever calls this sees to it that not too much waits: see `room`.
        """
        with working(ENDLESS):  # the answer is not waited for; logs and traces know the request still
            context = copy_context()
        try:
            future = self._threads.submit(
                context.run, self._record, lambda: Judging(reranker, asked, self._texts).ranked(work)
            )
        except RuntimeError:  # the threads have ended
            future = Future()
            future.cancel()
        future.add_done_callback(lambda done: self._writer.lose("stopping") if done.cancelled() else None)
        return future

    @contextmanager
    def room(self, size: int) -> Iterator[bool]:
        """Whether there is room for one more request of so many characters; it is held within the block."""
        free = self._take(size)
        if not free:
            self._writer.lose("busy")
        try:
            yield free
        finally:
            if free:
                self._give(size)

    def lose(self, cause: str) -> None:
        """Nothing; a request that will not be recorded is counted."""
        self._writer.lose(cause)

    async def close(self) -> None:
        """Nothing; what is being verified was recorded, what still waited is counted as lost."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        await asyncio.to_thread(self._writer.close)

    def _record(self, made: Callable[[], Record]) -> None:
        """Nothing; the record that is made now is handed to the writer."""
        try:
            self._writer.offer(made().line())
        except Exception:
            log.exception("shadow mode: a request cannot be recorded")
            self._writer.lose("failed")

    def _take(self, size: int) -> bool:
        with self._lock:
            if self._waiting >= MOST or (self._waiting and self._characters + size > MOST_CHARACTERS):
                return False
            self._waiting += 1
            self._characters += size
            return True

    def _give(self, size: int) -> None:
        with self._lock:
            self._waiting -= 1
            self._characters -= size
