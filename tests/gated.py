"""A reranker that verifies only once a file exists, so that a test decides how long a call runs; run, it serves."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from plugin_server import Bundle, Ranking, Reranker, Verdict
from plugin_server.server import Server, serve
from plugin_server.server_settings import ServerSettings


class Gated(Reranker):
    """A real reranker behind a gate, for two minutes at most."""

    def __init__(self, bundle: Bundle, gate: Path) -> None:
        super().__init__(bundle)
        self.gate = gate

    def verify_pairs(self, *arguments: Any, **more: Any) -> list[Verdict]:
        """The verdicts, late."""
        self._wait()
        return super().verify_pairs(*arguments, **more)

    def rerank(self, *arguments: Any, **more: Any) -> Ranking:
        """The ranking, late."""
        self._wait()
        return super().rerank(*arguments, **more)

    def _wait(self) -> None:
        end = time.monotonic() + 120
        while not self.gate.exists() and time.monotonic() < end:
            time.sleep(0.01)


if __name__ == "__main__":
    gated = Gated(Bundle.open(sys.argv[1]), Path(sys.argv[2]))

    def ready(server: Server) -> None:
        """Nothing; both addresses are printed."""
        print(server.address, server.http_address, flush=True)

    asyncio.run(
        serve(gated, "127.0.0.1:0", settings=ServerSettings(grace=120), ready=ready, http_address="127.0.0.1:0")
    )
