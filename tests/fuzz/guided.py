"""Inputs that Atheris makes, guided by the code they reach; it ends its process, and so gets one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzz.tally import Tally

TESTS = Path(__file__).parent.parent
#: Longest input in bytes, and seconds that one may take.
LENGTH, SECONDS = 600, 60
FIRST = 2000


def installed() -> bool:
    """Whether Atheris is, which is made for Linux and macOS and some versions of Python only."""
    return find_spec("atheris") is not None


def run_guided(name: str, seed: int, count: int, tally: Tally) -> None:
    """Nothing; so many inputs were tried with the ``check_bytes`` of that module, from its ``seeds`` on."""
    if not installed():
        return
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        paths = os.pathsep.join([str(TESTS), str(TESTS.parent)])
        done = subprocess.run(
            [sys.executable, "-m", "fuzz.guided", name, str(seed), str(count), str(report)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": paths},
            capture_output=True,
            text=True,
        )
        if not report.exists():
            tally.fault(f"atheris ended with {done.returncode}: {done.stderr[-500:]}")
            return
        found = json.loads(report.read_text())
    tally.accepted += found["accepted"]
    tally.refused.update(found["refused"])
    tally.unforeseen += found["unforeseen"]
    tally.words += found["words"]
    if found["grown"] > 64:
        tally.fault(f"memory grew by {found['grown']} MiB")


def main(name: str, seed: str, count: str, report: str) -> None:
    """Nothing; the counts are written to a file once all inputs were tried."""
    import atheris

    with atheris.instrument_imports(include=["plugin_server"]):
        import_module("plugin_server.blob")
        import_module("plugin_server.gateway.exchange")
        module = import_module(f"fuzz.{name}")
    from fuzz.tally import Tally, resident  # which imports what is to be instrumented

    tally = Tally(next(target.expected for target in module.TARGETS if target.tool == "atheris"))
    begun = 0

    def one(raw: bytes) -> None:
        nonlocal begun
        tally.take(raw, module.check_bytes)
        if tally.inputs == min(FIRST, int(count)):
            begun = resident()
        if tally.inputs == int(count):
            counted = {"accepted": tally.accepted, "refused": tally.refused, "unforeseen": tally.unforeseen}
            Path(report).write_text(json.dumps(counted | {"words": tally.words, "grown": resident() - begun}))

    seeds = Path(report).with_name("seeds")
    seeds.mkdir()
    for number, raw in enumerate(module.seeds()):
        (seeds / str(number)).write_bytes(raw)
    options = [f"-runs={count}", f"-seed={int(seed) + 1}", f"-max_len={LENGTH}", f"-timeout={SECONDS}", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, str(seeds)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
