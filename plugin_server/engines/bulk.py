"""Documents written in bulk: what the engine has no time for is sent again, what it refuses is told, nothing twice."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plugin_server.engines.connection import Engine, reason
from plugin_server.errors import EngineBusy, EngineError, EngineRefused, EngineTimeout, EngineUnavailable

#: Bytes of one request; a single larger document is sent alone.
BULK_BYTES = 5 << 20
#: Tries of one document, and seconds before the second one; they double up to the longest, and a random part is waited.
ATTEMPTS, FIRST_WAIT, LONGEST_WAIT = 10, 0.25, 20.0
#: Statuses of an item that pass.
PASSING = (429, 502, 503, 504)
CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Action:
    """One document to write.

    Attributes:
        head: the action and its metadata, as ``{"index": {"_index": …, "_id": …}}``.
        body: the document, or what is changed in it.
        line: where the document came from, for the one who sent it.
    """

    head: dict[str, Any]
    body: dict[str, Any]
    line: int = 0

    def text(self) -> bytes:
        """Both as lines of NDJSON."""
        return json.dumps(self.head).encode() + b"\n" + json.dumps(self.body).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document that the engine refused for good, and why."""

    action: Action
    status: int
    reason: str


async def write(engine: Engine, actions: Sequence[Action]) -> list[Refusal]:
    """What the engine refused; everything else is acknowledged.

    Raises:
        EngineBusy, EngineUnavailable, EngineTimeout: it was still so after every try; some may have been written, and
            can be sent again because their ids are given.
        EngineDenied, EngineMissing, EngineError: sending again would not help.
    """
    waiting = [(action, action.text()) for action in actions]
    refused: list[Refusal] = []
    for attempt in range(ATTEMPTS):
        passing: list[tuple[Action, bytes]] = []
        fault: EngineError | None = None
        for part in _parts(waiting):
            again, parted, error = await _send(engine, part)
            passing, refused, fault = passing + again, refused + parted, error or fault
        if not passing:
            return refused
        waiting = passing
        if attempt == ATTEMPTS - 1:
            raise fault or EngineBusy(f"{len(passing)} documents: the engine was too busy {ATTEMPTS} times")
        await asyncio.sleep(_wait(attempt))
    return refused


async def _send(
    engine: Engine, part: list[tuple[Action, bytes]]
) -> tuple[list[tuple[Action, bytes]], list[Refusal], EngineError | None]:
    """What to send again, what was refused, and the fault if the request failed as a whole."""
    try:
        answer = await engine.request("POST", "/_bulk", b"".join(text for _, text in part))
    except (EngineBusy, EngineUnavailable, EngineTimeout) as error:
        return part, [], error
    except EngineRefused as error:
        if "413" not in str(error) or len(part) == 1:
            raise
        half = len(part) // 2
        first, second = await _send(engine, part[:half]), await _send(engine, part[half:])
        return first[0] + second[0], first[1] + second[1], first[2] or second[2]
    again, refused = [], []
    for (action, text), item in zip(part, answer["items"], strict=True):
        (result,) = item.values()
        if result["status"] in PASSING:
            again.append((action, text))
        elif result["status"] >= 400:
            refused.append(Refusal(action, result["status"], reason({"error": result.get("error")})))
    return again, refused, None


def _parts(actions: list[tuple[Action, bytes]]) -> list[list[tuple[Action, bytes]]]:
    """The actions in requests of at most `BULK_BYTES`."""
    parts: list[list[tuple[Action, bytes]]] = []
    size = 0
    for item in actions:
        if not parts or size + len(item[1]) > BULK_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(item)
        size += len(item[1])
    return parts


def _wait(attempt: int) -> float:
    """Seconds before the next try: anything up to a limit that doubles, so that many writers do not come at once."""
    return random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**attempt))
