"""How fast a collection is encoded offline, by one process, by workers on Ray, and by sentence-transformers.

``python -m benchmarks.offline`` prints three tables:

1. Documents a second by `simgate encode`: one process with one core and with all, Ray with one worker and with two of a
   core each, and sentence-transformers' `encode` of the same base model over the same texts, all in the same run. Rates
   are those between the first part that is done and the last; the command's whole time, with its start, stands beside.
   Efficiency is the rate of two workers over twice that of one.
2. The same by two workers of which one is killed in the middle: what is in the output, and how long it took.
3. Memory of one process while it encodes many short texts, mapped files apart, after each tenth of them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks import figures
from benchmarks.process import MIB, RAY_WORKER, family, named, own
from onnx_export.evaluation.speed import WORDS
from plugin_server.bundle import Bundle
from plugin_server.cores import usable_cores

#: Texts that tell how many threads torch is fastest with.
TRIED = 512
#: Tenths of a run after each of which memory is read.
TENTHS = 10


@dataclass(frozen=True, slots=True)
class Run:
    """What an encoding took.

    Attributes:
        seconds: of the whole command.
        rate: documents a second between the first part that was done and the last.
        account: what the command says became of the documents.
    """

    seconds: float
    rate: float
    account: dict[str, Any]


def corpus(path: Path, count: int, tokens: int) -> Path:
    """The path, with so many documents of so many tokens in it, two of which are marks."""
    chosen = random.Random(0)
    with path.open("w") as file:
        for number in range(count):
            text = " ".join(chosen.choices(WORDS, k=tokens - 2))
            file.write(json.dumps({"id": str(number), "text": text}) + "\n")
    return path


@contextmanager
def encoding(
    bundle: Bundle, source: Path, output: Path, rows: int, threads: int, workers: int
) -> Iterator[subprocess.Popen[bytes]]:
    """The command at work; with workers on Ray."""
    command = [sys.executable, "-m", "plugin_server", "encode", str(source), "-o", str(output), "--json"]
    command += ["--bundle", str(bundle.folder), "--part-rows", str(rows)]
    command += ["--runner", "ray", "--workers", str(workers)] if workers else []
    environment = {**os.environ, "SIMGATE_THREADS": str(threads)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def encoded(
    bundle: Bundle, source: Path, output: Path, rows: int, threads: int = 0, workers: int = 0, kill: bool = False
) -> Run:
    """What it took.

    Args:
        kill: whether a worker is killed once a third of the parts is done.
    """
    start = time.perf_counter()
    with encoding(bundle, source, output, rows, threads, workers) as process:
        if kill:
            third = -(-_lines(source) // rows) // 3
            while len(_done(output)) < third and process.poll() is None:
                time.sleep(0.05)
            os.kill(named(RAY_WORKER)[0], signal.SIGKILL)
        out, _ = process.communicate()
        seconds = time.perf_counter() - start
    stamps = sorted(file.stat().st_mtime for file in _done(output))
    account = json.loads(out.splitlines()[-1])
    rate = account["encoded"] * (1 - 1 / len(stamps)) / (stamps[-1] - stamps[0]) if len(stamps) > 1 else 0.0
    return Run(seconds, rate, account)


def sentence_transformers(bundle: Bundle, source: Path) -> Run:
    """What sentence-transformers takes for the same texts: one vector each, no token matrices.

    torch gets as many threads as it is fastest with: they wait by spinning, which harms where there is other work.
    """
    from onnx_export.evaluation.graphs import base_model  # torch, which takes seconds

    texts = [json.loads(line)["text"] for line in source.open()]
    import torch

    begun = time.perf_counter()
    model = base_model(bundle.manifest)
    rates: dict[int, float] = {}
    for threads in sorted({1, usable_cores()}):
        torch.set_num_threads(threads)
        start = time.perf_counter()
        model.encode(texts[:TRIED])
        rates[threads] = len(texts[:TRIED]) / (time.perf_counter() - start)
    torch.set_num_threads(max(rates, key=rates.__getitem__))
    start = time.perf_counter()
    model.encode(texts)
    end = time.perf_counter()
    return Run(end - begun, len(texts) / (end - start), {"encoded": len(texts)})


def memory(bundle: Bundle, source: Path, output: Path, rows: int) -> list[float]:
    """MiB of the process after each tenth of the parts; fewer of them if it ends too soon to be looked at."""
    parts = -(-_lines(source) // rows)
    found: list[float] = []
    with encoding(bundle, source, output, rows, 0, 0) as process:
        while process.poll() is None:
            if len(_done(output)) >= parts * (len(found) + 1) // TENTHS and len(found) < TENTHS:
                found.append(sum(map(own, family(process.pid))) / MIB)
            time.sleep(0.05)
    return found


def stored(output: Path) -> tuple[int, int]:
    """Documents in the output, and how many of them are there more than once."""
    ids = [
        identity
        for file in output.glob("*.parquet")
        for identity in pq.read_table(file, columns=["id"])["id"].to_pylist()
    ]
    return len(ids), len(ids) - len(set(ids))


def _done(output: Path) -> list[Path]:
    return list((output / "_accounts").glob("part-*"))


def _lines(source: Path) -> int:
    with source.open("rb") as file:
        return sum(1 for _ in file)


def main(arguments: list[str] | None = None) -> None:
    """Nothing; the tables are printed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="", help="folder; the packaged one if not given")
    parser.add_argument("--documents", type=int, default=20_000, help="of the first two tables; 0 leaves them out")
    parser.add_argument("--tokens", type=int, default=16, help="of a document there")
    parser.add_argument("--many", type=int, default=100_000, help="short texts of the third; 0 leaves it out")
    parser.add_argument("--part-rows", type=int, default=500)
    figures.add_option(parser)
    given = parser.parse_args(arguments)
    bundle, result = Bundle.open(given.bundle), dict[str, Any]()
    with tempfile.TemporaryDirectory() as folder:
        if given.documents:
            result |= _speed(bundle, Path(folder), given.documents, given.tokens, given.part_rows)
        if given.many:
            source = corpus(Path(folder) / "many.jsonl", given.many, 6)
            found = memory(bundle, source, Path(folder) / "many", given.part_rows)
            result["memory_mib"] = found
            print(f"\nMemory of one process, {given.many:,} documents of 6 tokens\n\n| share done | MiB |\n|---|---|")
            for tenth, mib in enumerate(found, 1):
                print(f"| {tenth / TENTHS:.0%} | {mib:,.1f} |")
    figures.write(given.json, result)


def _speed(bundle: Bundle, folder: Path, count: int, tokens: int, rows: int) -> dict[str, Any]:
    source = corpus(folder / "corpus.jsonl", count, tokens)
    number = itertools.count()

    def run(**given: Any) -> Run:
        return encoded(bundle, source, folder / f"out{next(number)}", rows, **given)

    found = {
        "one process, one core": run(threads=1),
        f"one process, {usable_cores()} cores": run(),
        "Ray, one worker of a core": run(workers=1),
        "Ray, two workers of a core": run(workers=2),
        "sentence-transformers": sentence_transformers(bundle, source),
    }
    whole = found[f"one process, {usable_cores()} cores"].rate
    print(f"{count:,} documents of {tokens} tokens, {usable_cores()} cores\n")
    print("| | documents a second | of one process | whole command, s |\n|---|---|---|---|")
    for name, one in found.items():
        print(f"| {name} | {one.rate:,.0f} | {one.rate / whole:.2f} | {one.seconds:,.1f} |")
    efficiency = found["Ray, two workers of a core"].rate / 2 / found["Ray, one worker of a core"].rate
    print(f"\nEfficiency of two workers: {efficiency:.2f}")
    killed = run(workers=2, kill=True)
    documents, doubled = stored(folder / f"out{next(number) - 1}")
    print("\n| a worker killed in the middle | documents in the output | twice | whole command, s |\n|---|---|---|---|")
    print(f"| Ray, two workers of a core | {documents:,} | {doubled} | {killed.seconds:,.1f} |")
    return {
        "documents": count,
        "tokens": tokens,
        "documents_a_second": {name: one.rate for name, one in found.items()},
        "efficiency": efficiency,
        "killed": {"documents": documents, "twice": doubled, "seconds": killed.seconds},
    }


if __name__ == "__main__":
    main()
