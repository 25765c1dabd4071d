"""What every door hands its requests to: the loaded bundle, which can be replaced, and the threads that run it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from plugin_server.admission import Admission, Bounds, Watch
from plugin_server.job import Job, working
from plugin_server.reranker import Reranker

if TYPE_CHECKING:
    from plugin_server.shadow.mode import Shadow

Params = ParamSpec("Params")
Result = TypeVar("Result")
_SERVING: ContextVar[Reranker | None] = ContextVar("serving", default=None)


class Core:
    """A reranker behind a bounded queue; lives on one event loop.

    Args:
        reranker: for all requests until it is replaced.
        bounds: of what is taken on at a time.
        watch: is told who waited and who was sent away.

    Attributes:
        admission: the queue.
        newest: the reranker that new requests get.
        shadow: records the verdicts in place of applying them; None unless it is shadow mode.
    """

    def __init__(self, reranker: Reranker, bounds: Bounds | None = None, watch: Watch | None = None) -> None:
        self.newest = reranker
        self.shadow: Shadow | None = None
        self.admission = Admission(bounds, watch)

    @property
    def reranker(self) -> Reranker:
        """The reranker of the request that is served here, from its beginning to its end; else the newest."""
        return _SERVING.get() or self.newest

    @contextmanager
    def request(self, seconds: float) -> Iterator[Job]:
        """The job of a request that begins now; within the block `reranker` stays the same.

        Args:
            seconds: until the answer is of no more use.
        """
        token = _SERVING.set(self.newest)
        try:
            with working(Job.within(seconds)) as job:
                yield job
        finally:
            _SERVING.reset(token)

    async def run(self, work: Callable[Params, Result], *args: Params.args, **options: Params.kwargs) -> Result:
        """As `Admission.run`."""
        return await self.admission.run(work, *args, **options)

    async def resume(self, work: Callable[Params, Result], *args: Params.args, **options: Params.kwargs) -> Result:
        """As `Admission.resume`."""
        return await self.admission.resume(work, *args, **options)

    def replace(self, reranker: Reranker) -> None:
        """Nothing; requests that begin from now on get this reranker, those that run keep theirs."""
        self.newest = reranker

    def close(self) -> None:
        """Nothing; threads end with what they do now."""
        self.admission.close()
