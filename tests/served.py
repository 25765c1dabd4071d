"""``simgate serve`` as a process of its own, its log read line by line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

LISTENING = re.compile(r"listening on (\S+) and (\S+), bundle")


@dataclass
class Served:
    """A server that runs.

    Attributes:
        lines: of its standard error, so far.
        grpc, http: where it listens.
    """

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    grpc: str = ""
    http: str = ""
    _news: threading.Condition = field(default_factory=threading.Condition)

    def read(self) -> None:
        """Nothing, once the process has closed its standard error."""
        assert self.process.stderr
        for line in self.process.stderr:
            with self._news:
                self.lines.append(line)
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_for(self, wanted: Callable[[str], Any]) -> str:
        """The first line that is wanted, as soon as it is there."""
        with self._news:
            assert self._news.wait_for(lambda: any(map(wanted, self.lines)), 120), "".join(self.lines)
            return next(line for line in self.lines if wanted(line))

    def records(self) -> list[dict[str, Any]]:
        """What a log in JSON holds so far."""
        return [json.loads(line) for line in self.lines]


SERVE = ("-m", "plugin_server", "serve", "--address", "127.0.0.1:0", "--http", "127.0.0.1:0")


@contextmanager
def served(*options: str, command: Sequence[str] = SERVE, **environment: str) -> Iterator[Served]:
    """The server until the end of the block, then told to stop.

    Args:
        options: of the command.
        command: for Python.
        environment: ``SIMGATE_`` is put before names that are not in capitals.
    """
    settings = {name if name.isupper() else f"SIMGATE_{name.upper()}": value for name, value in environment.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SIMGATE_", "OTEL_"))}
    words = [sys.executable, *command, *options]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=inherited | settings) as process:
        server = Served(process)
        reader = threading.Thread(target=server.read)
        reader.start()
        try:
            found = LISTENING.search(server.wait_for(LISTENING.search))
            assert found
            server.grpc, server.http = found[1], f"http://{found[2]}"
            yield server
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
            reader.join()
