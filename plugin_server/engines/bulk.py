"""Documents written in bulk: what the engine has no time for is sent again, what it refuses is told, nothing twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from plugin_server.engines.connection import Engine, reason, shaped
from plugin_server.engines.patience import ATTEMPTS, PASSING, pause
from plugin_server.errors import EngineBusy, EngineDenied, EngineError, EngineMissing, EngineRefused, EngineTooLarge

#: Bytes of one request, as many as are sent in one go; a single larger document is sent alone.
BULK_BYTES = 1 << 20
#: Statuses of an item that pass.
PASSING_STATUSES = (429, 502, 503, 504)
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
        EngineBusy, EngineNotReady, EngineUnavailable, EngineTimeout: it was still so after every try; some may have
            been written, and can be sent again because their ids are given.
        EngineDenied, EngineMissing, EngineError: sending again would not help.
    """
    waiting = [(action, action.text()) for action in actions]
    refused: list[Refusal] = []
    for attempt in range(ATTEMPTS):
        sent = _Sent()
        for part in _parts(waiting):
            sent += await _send(engine, part)
        refused += sent.refused
        waiting = sent.again
        if not waiting:
            return refused
        if attempt == ATTEMPTS - 1:
            raise sent.fault or EngineBusy(f"{len(waiting)} documents: the engine was too busy {ATTEMPTS} times")
        await pause(attempt)
    return refused


@dataclass(frozen=True, slots=True)
class _Sent:
    """What became of requests: what to send again, what was refused, and the fault of one that failed as a whole."""

    again: list[tuple[Action, bytes]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    fault: EngineError | None = None

    def __add__(self, other: _Sent) -> _Sent:
        return _Sent(self.again + other.again, self.refused + other.refused, self.fault or other.fault)


async def _send(engine: Engine, part: list[tuple[Action, bytes]]) -> _Sent:
    """What became of a request; one that is refused as a whole for what is in it is sent by halves."""
    try:
        answer = await engine.request("POST", "/_bulk", b"".join(text for _, text in part))
    except PASSING as error:
        return _Sent(again=part, fault=error)
    except (EngineDenied, EngineMissing):
        raise
    except EngineRefused as error:
        if len(part) > 1:
            half = len(part) // 2
            return await _send(engine, part[:half]) + await _send(engine, part[half:])
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if isinstance(error, EngineTooLarge) else HTTPStatus.BAD_REQUEST
        return _Sent(refused=[Refusal(part[0][0], status, str(error))])
    sent = _Sent()
    with shaped("a bulk request"):
        for (action, text), item in zip(part, answer["items"], strict=True):
            (result,) = item.values()
            if result["status"] in PASSING_STATUSES:
                sent.again.append((action, text))
            elif result["status"] >= 400:
                sent.refused.append(Refusal(action, result["status"], reason({"error": result.get("error")})))
    return sent


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
