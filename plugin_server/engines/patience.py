"""Requests that are made again when the engine cannot take them now: for writing, where nobody waits for an answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any

from plugin_server.engines.connection import Engine
from plugin_server.errors import EngineBusy, EngineNotReady, EngineTimeout, EngineUnavailable

#: Tries of one request or document, and seconds before the second one; they double up to the longest. Together they
#: outlast the restart of a node.
ATTEMPTS, FIRST_WAIT, LONGEST_WAIT = 10, 0.25, 20.0
#: Faults that pass.
PASSING = (EngineBusy, EngineNotReady, EngineTimeout, EngineUnavailable)


async def patiently(
    engine: Engine, method: str, path: str, body: Any = None, params: Mapping[str, str] | None = None
) -> Any:
    """The engine's answer, as `Engine.request`, which is asked again while the fault is one that passes.

    For requests that may be made twice.

    Raises:
        EngineError: it still failed at the last try, or sending again would not help.
    """
    for attempt in range(ATTEMPTS - 1):
        try:
            return await engine.request(method, path, body, params)
        except PASSING:
            await pause(attempt)
    return await engine.request(method, path, body, params)


async def pause(attempt: int) -> None:
    """Nothing, after a while: at least half of a limit that doubles; the rest is random, as writers may be many."""
    limit = min(LONGEST_WAIT, FIRST_WAIT * 2**attempt)
    await asyncio.sleep(random.uniform(limit / 2, limit))
