"""A server in shadow mode, and what it has recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import Run

from plugin_server import Reranker
from plugin_server.backend import Source
from plugin_server.server import Server
from plugin_server.server_settings import ServerSettings

REASON = "shadow mode: the verdict is recorded, not applied"


@dataclass
class Shadowed:
    """A server in shadow mode: where it listens, and its file."""

    address: str
    url: str
    file: Path

    def records(self, count: int) -> list[dict[str, Any]]:
        """The records, once there are so many."""
        return records(self.file, count)


def records(file: Path, count: int) -> list[dict[str, Any]]:
    end = time.monotonic() + 60
    while True:
        found = file.read_bytes() if file.exists() else b""
        rows = [json.loads(line) for line in found.splitlines(keepends=True) if line.endswith(b"\n")]
        if len(rows) >= count:
            assert len(rows) == count, rows
            return rows
        assert time.monotonic() < end, f"{len(rows)} records in place of {count}: {rows}"
        time.sleep(0.01)


@contextmanager
def shadowed(
    reranker: Reranker, run: Run, file: Path, source: Source | None = None, **settings: Any
) -> Iterator[Shadowed]:
    """A server in shadow mode until the end of the block."""
    taken = ServerSettings(shadow=str(file), **settings)
    server = run(Server.start(reranker, "127.0.0.1:0", source or Source(), taken, http_address="127.0.0.1:0"))
    try:
        yield Shadowed(server.address, f"http://{server.http_address}", file)
    finally:
        run(server.stop(0))


def fates(record: dict[str, Any]) -> list[tuple[int, str, int | None]]:
    """Position, outcome and new place of each candidate of a record."""
    return [(item["position"], item["outcome"], item.get("new")) for item in record["candidates"]]
