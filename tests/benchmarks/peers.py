"""Reranking 100 candidates of 16 × 128 tokens by simgate and by its peers, in one run and in turns.

``python -m benchmarks.peers`` prints a table with a row for each system: the median and the 99th percentile of a
request's milliseconds (of fewer than 100 requests the highest), their number, requests a second from two callers, the
peak memory of the process that ranks (a process of its own for each), and the bytes that a document takes for it.
Requests are texts in, ranking out: tokenising counts, and so does the query's encoding, but in the floor; nothing is
cached. Everything runs on the same cores.

The cross-encoders have the size and the weights of simgate's base model (all-MiniLM-L6-v2) and a random head, which
costs what a trained one does and ranks nothing. Each takes its fastest batch, FlashRank and infinity their own.
FlashRank and infinity are looked for in the Pythons that the options name; a row tells of one that is missing or does
not run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import process, shapes
from benchmarks.peer import Contender, Peer, offline
from benchmarks.process import MIB, Served
from plugin_server import Reranker, Settings

FLASHRANK, INFINITY = "SIMGATE_BENCH_FLASHRANK", "SIMGATE_BENCH_INFINITY"
#: A folder of FlashRank's, and the file that it reads there.
RANKER, RANKER_FILE = "ms-marco-MiniLM-L-12-v2", "flashrank-MiniLM-L-12-v2_Q.onnx"
#: Callers at once, the seconds that they ask, and how often, for requests a second.
CALLERS, BURST, BURSTS = 2, 4.0, 3
#: Requests below which there is no 99th percentile.
ENOUGH = 100
HEAD = ("", "p50 ms", "p99 ms", "requests", "requests/s, 2 callers", "peak memory, MiB", "bytes stored a document")


def peers(reranker: Reranker, models: Path, flashrank: str = "", infinity: str = "", count: int = 100) -> list[Peer]:
    """Everything that is measured, and what is missing.

    Args:
        models: the folders that `onnx_export.evaluation.speed.cross_encoder` wrote.
        flashrank, infinity: Pythons that have them; empty for none.
    """
    texts, query = shapes.documents(count), shapes.text(shapes.QUERY)
    found = shapes.blobs(reranker, texts)
    task: dict[str, Any] = {"query": query, "documents": texts, "threads": reranker.settings.threads}
    blobs = task | {"blobs": found, "bundle": str(reranker.bundle.folder)}
    folder, quantised = str(models / "torch"), next((models / "int8").glob("*.onnx"))
    asked = {"query": query, "documents": found, "policy": "annotate"}
    ours = f"{np.mean([len(blob) for blob in found]):.0f}"
    theirs = f"{np.mean([len(text) for text in texts]):.0f}, its text"
    graph = task | {"tokenizer": f"{folder}/tokenizer.json"}
    serve = partial(process.simgate, "--bundle", str(reranker.bundle.folder))
    return [
        Peer("simgate: query encoded, blobs read, verdicts", "whole", blobs, ours),
        Peer(
            "the same over HTTP, `simgate serve`",
            "http",
            task | {"path": "/v2/rerank", "body": asked},
            ours,
            server=serve,
        ),
        Peer("MaxSim in numpy: query encoded, blobs read", "maxsim", blobs, ours),
        Peer(
            "MaxSim in numpy: blobs read (floor)",
            "floor",
            blobs | {"query_blob": shapes.blobs(reranker, [query])[0]},
            ours,
        ),
        Peer(
            "cross-encoder, onnxruntime, float32",
            "cross_encoder",
            graph | {"graph": str(models / "onnx/model.onnx")},
            theirs,
        ),
        Peer("cross-encoder, onnxruntime, int8", "cross_encoder", graph | {"graph": str(quantised)}, theirs),
        Peer("sentence-transformers CrossEncoder, torch", "sentence_transformers", task | {"folder": folder}, theirs),
        _flashrank(task | graph, models, quantised, theirs, flashrank),
        _infinity(task, folder, theirs, infinity),
    ]


def _flashrank(task: dict[str, Any], models: Path, graph: Path, stored: str, python: str) -> Peer:
    """FlashRank over a folder of its own form; without the package its way, by onnxruntime."""
    if not python:
        name = f"FlashRank's way, one padded int8 batch (without the package: {FLASHRANK} names no Python)"
        return Peer(name, "cross_encoder", task | {"graph": str(graph), "batch": len(task["documents"])}, stored)
    folder = models / "flashrank" / RANKER
    if not folder.exists():
        shutil.copytree(models / "torch", folder, ignore=shutil.ignore_patterns("*.safetensors"))
        shutil.copy(graph, folder / RANKER_FILE)
    return Peer("FlashRank, int8", "flashrank", task | {"name": RANKER, "folder": str(folder.parent)}, stored, python)


def _infinity(task: dict[str, Any], folder: str, stored: str, python: str) -> Peer:
    """infinity as a server, over HTTP."""
    name = "infinity, torch, over HTTP"
    if not python:
        return Peer(
            name, missing=f"not measured: {INFINITY} or --infinity names no Python that has infinity-emb[server]"
        )
    body = {"model": "model", "query": task["query"], "documents": task["documents"]}
    return Peer(
        name, "http", task | {"path": "/rerank", "body": body}, stored, server=partial(infinity_server, python, folder)
    )


@contextmanager
def infinity_server(python: str, folder: str) -> Iterator[Served]:
    """infinity with the model of a folder, on a free port; nothing is asked of the hub, and nothing told."""
    port = process.free_port()
    command = [str(Path(python).with_name("infinity_emb")), "v2", "--model-id", folder, "--served-model-name", "model"]
    command += ["--engine", "torch", "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--no-bettertransformer", "--no-model-warmup", "--log-level", "error"]
    quiet = {"DO_NOT_TRACK": "1", "INFINITY_ANONYMOUS_USAGE_STATS": "0"}
    with process.started(command, offline() | quiet) as (running, log, start):
        seconds = process.until(lambda: process.answering(port, start), running, log)
        yield Served(running.pid, "", f"127.0.0.1:{port}", seconds)


def measure(
    chosen: Sequence[Peer], rounds: int, seconds: float, burst: float = BURST
) -> dict[str, dict[str, Any] | str]:
    """By a peer's name its times, rates and peak memory, or why there are none."""
    found: dict[str, dict[str, Any] | str] = {}
    with ExitStack() as stack:
        running: dict[str, Contender] = {}
        for peer in chosen:
            try:
                found[peer.name] = peer.missing or {"times": [], "rates": [], "stored": peer.stored}
                if not peer.missing:
                    running[peer.name] = Contender(peer)
                    stack.callback(running[peer.name].close)
            except (OSError, RuntimeError) as error:
                found[peer.name] = f"does not run: {error}"
        for number in range(rounds):
            for name, contender in [*running.items()]:
                try:
                    _turn(found[name], contender, seconds, burst if number < BURSTS else 0)
                except (OSError, RuntimeError) as error:
                    found[name] = f"broke off: {error}"
                    del running[name]
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for name, contender in running.items():
            found[name]["peak"] = process.peak(contender.pid)  # type: ignore[index]
    return found


def _turn(row: Any, contender: Contender, seconds: float, burst: float) -> None:
    """One caller for the times, and perhaps several for the rate."""
    row["times"] += contender.turn(1, seconds)["times"]
    if burst:
        told = contender.turn(CALLERS, burst)
        row["rates"].append(len(told["times"]) / told["elapsed"])


def table(found: dict[str, dict[str, Any] | str]) -> str:
    """The figures as a Markdown table."""
    lines = [f"| {' | '.join(HEAD)} |", "|" + "---|" * len(HEAD)]
    for name, row in found.items():
        if isinstance(row, str):
            cells = [row, *[""] * (len(HEAD) - 2)]
        else:
            p50, p99 = 1000 * np.percentile(row["times"], (50, 99))
            rate = f"{np.median(row['rates']):.2f}"
            cells = [
                f"{p50:.1f}",
                f"{p99:.1f}",
                str(len(row["times"])),
                rate,
                f"{row['peak'] / MIB:.0f}",
                row["stored"],
            ]
        lines.append(f"| {' | '.join([name, *cells])} |")
    return "\n".join(lines)


def limit(cores: int) -> None:
    """Nothing; this process and those that it starts have so many cores, if the machine has as many."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument(
        "--seconds", type=float, default=1.0, help="of a system's turn in a round; one request at least"
    )
    parser.add_argument(
        "--burst", type=float, default=BURST, help=f"seconds of {CALLERS} callers at once, {BURSTS} times"
    )
    parser.add_argument("--candidates", type=int, default=shapes.CANDIDATES)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--bundle", default="", help="folder of the bundle; the one in the package if left out")
    parser.add_argument("--flashrank", default=os.environ.get(FLASHRANK, ""), metavar="PYTHON", help=f"or {FLASHRANK}")
    parser.add_argument("--infinity", default=os.environ.get(INFINITY, ""), metavar="PYTHON", help=f"or {INFINITY}")
    parser.add_argument("--only", nargs="+", default=[], help="systems whose names hold one of these")
    given = parser.parse_args(arguments)
    limit(given.cores)
    # imports torch
    from onnx_export.evaluation.speed import cross_encoder

    load = os.getloadavg()[0]
    reranker = Reranker.load(Settings(bundle=given.bundle, threads=given.cores))
    with tempfile.TemporaryDirectory() as folder:
        cross_encoder(reranker.bundle, Path(folder))
        all_peers = peers(reranker, Path(folder), given.flashrank, given.infinity, given.candidates)
        chosen = [peer for peer in all_peers if not given.only or any(part in peer.name for part in given.only)]
        found = measure(chosen, given.rounds, given.seconds, given.burst)
    shape = f"{given.candidates} candidates, {shapes.QUERY} × {shapes.DOCUMENT} tokens"
    print(f"{shape}, {given.cores} cores, load of the machine before {load:.1f}:\n\n{table(found)}")


if __name__ == "__main__":
    main()
