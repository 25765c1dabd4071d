"""What a benchmark measured, as JSON, with the machine it was measured on: ``--json FILE`` of every benchmark."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from plugin_server.cores import usable_cores

#: Instructions that products of matrices take, the fastest first.
INSTRUCTIONS = ("amx_int8", "avx512_vnni", "avx_vnni", "avx2", "asimddp")


def add_option(parser: argparse.ArgumentParser) -> None:
    """Nothing; the parser knows ``--json``."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured there too")


def write(path: Path | None, found: Mapping[str, Any]) -> None:
    """Nothing; the figures stand in the file, if one is given, beside the machine's description."""
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"machine": machine(), **found}, indent=1) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """What the figures depend on: cores, instructions, memory, versions; no vendor's name."""
    cpu, memory = Path("/proc/cpuinfo"), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    flags = set(re.findall(r"\w+", cpu.read_text())) if cpu.exists() else set()
    fastest = next((name for name in INSTRUCTIONS if name in flags), "unknown")
    versions = {name: version(name) for name in ("onnxruntime", "numpy", "grpcio")}
    return {"cores": usable_cores(), "instructions": fastest, "memory_gib": round(memory / 2**30), "versions": versions}
