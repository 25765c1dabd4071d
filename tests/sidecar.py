"""``simgate serve`` as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

SERVING = re.compile(r"Serving on (?P<grpc>\S+?:\d+)(?: and https?://(?P<http>\S+?:\d+))?,")


class Sidecar:
    """A running server; ends with the block that it is the context of.

    Args:
        options: of the command.
        environment: beside this process's own.
        address: for gRPC; HTTP has a free port.
        prefix: what the command is run by.

    Attributes:
        address: for gRPC.
        url: for HTTP.
        process: the process.
    """

    def __init__(
        self,
        *options: str,
        environment: Mapping[str, str] | None = None,
        address: str = "127.0.0.1:0",
        prefix: Sequence[str] = (),
    ) -> None:
        self._log = Path(tempfile.mkstemp(prefix="simgate-", suffix=".log")[1])
        command = [*prefix, sys.executable, "-m", "plugin_server", "serve", "--address", address]
        command += ["--http", "127.0.0.1:0", *options]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, stderr=log, env=os.environ | dict(environment or {}))
        found = self._serving()
        self.address, self.url = found["grpc"], f"http://{found['http']}"

    @property
    def said(self) -> str:
        """What it has written on standard error."""
        return self._log.read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        """Nothing; the signal is sent."""
        self.process.send_signal(number)

    def __enter__(self) -> Sidecar:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(30)
        self._log.unlink()

    def _serving(self) -> re.Match[str]:
        while True:
            code = _ended(self.process)
            if found := SERVING.search(self.said):
                return found
            if code is not None:
                raise AssertionError(f"ended with {code}: {self.said}")


def _ended(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> int | None:
    """The exit code, or None after a short wait."""
    try:
        return process.wait(0.02)
    except subprocess.TimeoutExpired:
        return None
