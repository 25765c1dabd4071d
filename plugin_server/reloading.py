"""A server's bundle replaced while it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from plugin_server.errors import SimgateError
from plugin_server.reranker import Reranker

log = logging.getLogger(__name__)


class Reloading:
    """Loads a bundle and its calibrations anew whenever it is asked to, one time after another.

    Args:
        load: makes the new one serve, and returns it; if it fails the old one goes on.
    """

    def __init__(self, load: Callable[[], Awaitable[Reranker]]) -> None:
        self._load = load
        self._task: asyncio.Task[None] | None = None
        self._again = False

    def ask(self) -> None:
        """Nothing; loading begins, or begins again once it is done."""
        if self._task and not self._task.done():
            self._again = True
            return
        self._again = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            loaded = await self._load()
            log.info("serving bundle %s now, calibrations: %d", loaded.manifest.fingerprint, len(loaded.calibrations))
        except Exception as error:  # whatever is wrong with the new one, the old one goes on
            known = isinstance(error, SimgateError)
            log.error("not loaded, the old bundle stays: %s", error, exc_info=None if known else error)
        if self._again:
            self._task = None
            self.ask()
