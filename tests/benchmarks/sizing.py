"""The constants of sizing out of what the benchmarks measured, and the page out of the constants.

``python -m benchmarks.sizing --figures FOLDER`` reads ``depths.json``, ``cost.json``, ``calls.json`` and
``engines.json``, which the benchmarks of those names write with ``--json``, and writes ``plugin_server/constants.json``
and ``plugin_server/SIZING.md``. With ``--constants FILE`` it writes the constants alone and there, for
`simgate size --constants`. ``make size`` measures first.

Milliseconds of a core: where all cores were kept busy, cores times milliseconds; so one core more or less idle makes
them too large, never too small.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import shapes, sizing_page
from benchmarks.cost import fitted
from plugin_server.bundle import DEFAULT, Bundle, Manifest
from plugin_server.sizing.constants import PACKAGED, Constants

#: What is read, and how many digits of each constant are kept.
NAMES, DIGITS = ("depths", "cost", "calls", "engines"), 4
HERE = Path(__file__).parent / "figures"
PAGE = PACKAGED.parent / "SIZING.md"
#: The tokens of query and document that requests were measured with, and the candidates between which a line is drawn.
QUERY, DOCUMENT, FEW, MANY = shapes.QUERY, shapes.DOCUMENT, 10, 100
#: The callers that keep every core busy.
BUSY = "32"


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """The figures by the benchmark's name."""
    return {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES}


def constants(figures: dict[str, dict[str, Any]], manifest: Manifest) -> Constants:
    """The constants that follow from the figures."""
    found = {**_verification(figures), **_encoding(figures), **_server(figures), **_engine(figures, manifest)}
    rounded = {name: float(f"{value:.{DIGITS}g}") for name, value in found.items()}
    return Constants(
        machine=machine(figures),
        measured="; ".join(dict.fromkeys(item.get("note", "") for item in figures.values() if item.get("note"))),
        recall_numbers=manifest.recall_dimension,
        token_numbers=manifest.token_dimension,
        token_bits=manifest.token_bits,
        window_tokens=manifest.window_tokens,
        window_overlap_tokens=manifest.window_overlap,
        engine_documents=figures["engines"]["documents"],
        **rounded,
    )


def machine(figures: dict[str, dict[str, Any]]) -> str:
    """What it was measured on, in words."""
    told = figures["calls"]["machine"]
    amx = "with" if "amx" in told["instructions"] else "without"
    return f"{told['cores']} cores, {told['instructions']} ({amx} AMX), {told['memory_gib']} GiB of memory"


def _verification(figures: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Of candidates: what carrying, verifying and ranking one takes, and the milliseconds of a hundred."""
    depths, calls, cost = figures["depths"], figures["calls"], figures["cost"]
    threads, taken, reached = depths["threads"], depths["milliseconds"], depths["verified"]
    count, few = depths["candidates"], reached["cascade, all hold up"]
    # both lines pass through few and many verified of as many carried: what is left at none is what carrying takes
    slope = (taken["full"] - taken["cascade, all hold up"]) / (count - few)
    carried = 1000 * (taken["cascade, all hold up"] - few * slope) / count
    over = {size: by["gRPC, stub"] - by["in process"] for size, by in calls["milliseconds"].items()}
    door = 1000 * (over[str(MANY)] - over[str(FEW)]) / (MANY - FEW)
    row, cell, *_ = fitted({(q, d): ms for q, d, ms in cost["grid_ms"]}, cost["pairs"])
    whole = 1000 * _per_request(calls)[1]
    row_us, cell_ns = 1000 * threads * row, 1e6 * threads * cell
    pair = QUERY * row_us + QUERY * DOCUMENT * cell_ns / 1000
    return {
        "carried_candidate_core_us": carried + door,
        "verified_candidate_core_us": whole - carried - door - pair,
        "verified_query_token_core_us": row_us,
        "verified_cell_core_ns": cell_ns,
        "light_candidate_core_us": 1000 * threads * taken["light"] / count - carried,
        "verification_ms": taken["full"],
        "cascade_ms": taken["cascade, one in 5 holds up"],
        "light_ms": taken["light"],
        "query_ms": taken["query encoded, tokens alone"],
        "query_and_recall_ms": taken["query encoded, recall vector too"],
        "recall_vector_core_ms": threads
        * (taken["query encoded, recall vector too"] - taken["query encoded, tokens alone"]),
    }


def _per_request(calls: dict[str, Any]) -> tuple[float, float]:
    """Milliseconds of a core that a request takes, and each candidate of it, where every core is busy."""
    cores, rates = calls["machine"]["cores"], calls["requests_per_second"]
    few, many = (1000 * cores / rates[f"{count} blobs"][BUSY] for count in (FEW, MANY))
    each = (many - few) / (MANY - FEW)
    return few - FEW * each, each


def _encoding(figures: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Of documents: a token's share, by the line through none."""
    cost, engines = figures["cost"], figures["engines"]
    points = [(int(tokens), 1000 * cost["threads"] / rate) for tokens, rate in cost["encoded_per_second"].items()]
    tokens, taken = np.array(points).T
    share = engines["index_per_second"] / engines["encode_per_second"]
    return {"encoded_token_core_ms": float(tokens @ taken / (tokens @ tokens)), "indexing_share": min(1.0, share)}


def _server(figures: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Of a sidecar: a request without candidates, doors, start and memory."""
    calls = figures["calls"]
    by = calls["milliseconds"][str(MANY)]
    return {
        "request_core_ms": _per_request(calls)[0],
        "grpc_ms": by["gRPC, stub"] - by["in process"],
        "http_ms": by["HTTP /v2/rerank"] - by["in process"],
        "start_s": calls["start_s"],
        "rest_mib": calls["rest_bytes"] / 2**20,
    }


def _engine(figures: dict[str, dict[str, Any]], manifest: Manifest) -> dict[str, float]:
    """Of the engine: its index, its work for a search and for a hit, and what an answer takes of who reads it."""
    told = figures["engines"]
    documents, tokens, work = told["size_documents"], told["size_tokens"], told["work"]
    none, blobs = work["no hits"], work["blobs"]
    beside = told["bare_bytes"] / documents - 4 * manifest.recall_dimension
    text = blobs["text_bytes"] / MANY
    hit_tokens = blobs["blob_bytes"] / MANY / told["blob_bytes_per_token"]
    return {
        "text_index_bytes_per_token": beside / tokens,
        "blob_index_bytes_per_token": (told["blobs_bytes"] - told["bare_bytes"]) / documents / tokens,
        "text_bytes_per_token": text / hit_tokens,
        "answer_bytes_per_hit": (blobs["answer_bytes"] - blobs["blob_bytes"]) / MANY - text,
        "engine_query_core_ms": none["engine_core_ms"],
        "engine_hit_core_us": 1000 * (blobs["engine_core_ms"] - none["engine_core_ms"]) / MANY,
        "exchange_core_ms": none["own_core_ms"],
        "exchange_hit_core_us": 1000 * (blobs["own_core_ms"] - none["own_core_ms"]) / MANY,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the constants and the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=Path, default=HERE, help="folder of the benchmarks' figures")
    parser.add_argument("--constants", type=Path, help="file for constants alone; else the package's, and the page")
    parser.add_argument("--bundle", default=str(DEFAULT), help="folder of the bundle that was measured")
    given = parser.parse_args(arguments)
    found = constants(read(given.figures), Bundle.open(given.bundle).manifest)
    (given.constants or PACKAGED).write_text(found.text(), encoding="utf-8")
    if given.constants is None:
        PAGE.write_text(sizing_page.page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
