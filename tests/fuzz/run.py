"""Every target, one after another, each in a process of its own: ``python -m fuzz.run``."""

from __future__ import annotations

import argparse
import faulthandler
import multiprocessing
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from typing import Any

from fuzz import blobs, calls, configured, doors, files, gateways, rerankers, schema
from fuzz.tally import HANGS, Tally, resident
from fuzz.target import Target

MODULES = [blobs, files, configured, rerankers, gateways, doors, schema, calls]
#: Blocks of a run; the first is the warm-up, after which memory must not grow.
BLOCKS = 10
#: MiB that a process may grow after the warm-up: its allocator keeps some of what it is given back.
GROWTH = 96


def targets() -> list[Target]:
    """All of them, in the order of the table."""
    return [target for module in MODULES for target in module.TARGETS]


def run(target: Target, inputs: int, seed: int, blocks: int = BLOCKS) -> dict[str, Any]:
    """What became of a target's inputs, as a row of the table."""
    tally, began = Tally(target.expected), time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(tally.watching())
        step = stack.enter_context(target.opened())
        stack.enter_context(target.limited())
        sizes = [resident()]
        blocks = 1 if target.tool == "atheris" else blocks
        for block in range(blocks):
            size = inputs * (block + 1) // blocks - inputs * block // blocks
            step(seed + block, size, tally)
            sizes.append(resident())
    if sizes[-1] - sizes[1] > GROWTH:
        tally.fault(f"memory grew from {sizes[1]} to {sizes[-1]} MiB after the warm-up: {sizes}")
    return {
        "target": target.name,
        "tool": target.tool,
        "inputs": tally.inputs,
        "accepted": tally.accepted,
        "refused": dict(tally.refused.most_common()),
        "unforeseen": tally.unforeseen,
        "seconds": round(time.monotonic() - began, 1),
        "rss_warm": sizes[1],
        "rss_end": sizes[-1],
        "words": tally.words,
    }


def alone(number: int, inputs: int, seed: int) -> dict[str, Any]:
    """As `run`; a process that hangs for good tells where, and ends."""
    warnings.simplefilter("ignore")
    faulthandler.dump_traceback_later(1800 + HANGS, exit=True)
    return run(targets()[number], inputs, seed)


def row(found: dict[str, Any]) -> str:
    """A line of the table."""
    refused = ", ".join(f"{name} {number}" for name, number in found["refused"].items())
    memory = f"{found['rss_warm']} → {found['rss_end']}"
    return (
        f"| {found['target']} | {found['tool']} | {found['inputs']:,} | {found['accepted']:,} | {refused} "
        f"| {found['unforeseen']} | {found['seconds']} | {memory} |"
    )


def main() -> int:
    """0 if nothing was unforeseen, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, help="of all targets together; a full run's own numbers without it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="targets whose name or tool holds this text", default="")
    asked = parser.parse_args()
    whole = sum(target.inputs for target in targets())
    print("| target | tool | inputs | accepted | refused | unforeseen | seconds | MiB warm → end |", flush=True)
    print("|---|---|---|---|---|---|---|---|")
    rows = []
    for number, target in enumerate(targets()):
        if asked.only not in f"{target.name} {target.tool}":
            continue
        inputs = max(1, target.inputs * asked.inputs // whole) if asked.inputs else target.inputs
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, spawn) as pool:
            try:
                rows.append(pool.submit(alone, number, inputs, asked.seed).result())
                print(row(rows[-1]), flush=True)
            except BrokenProcessPool:
                rows.append({"inputs": 0, "unforeseen": 1, "words": [f"{target.name}: the process ended"]})
                print(f"| {target.name} | {target.tool} | the process ended |", flush=True)
    print(
        f"\n{sum(found['inputs'] for found in rows):,} inputs, {sum(found['unforeseen'] for found in rows)} unforeseen"
    )
    for found in rows:
        for words in found["words"]:
            print(f"\n{found.get('target')}: {words}")
    return 1 if any(found["unforeseen"] for found in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
