"""The page on sizing: its text with the constants, the rules and the worked examples put in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from string import Template
from textwrap import fill

from plugin_server.sizing.advice import changed
from plugin_server.sizing.constants import Constants
from plugin_server.sizing.model import Plan, plan
from plugin_server.sizing.need import Need, Nodes, Prices
from plugin_server.sizing.report import bottleneck, savings, shown, table
from plugin_server.sizing.rules import SOURCES, VECTORS, vector_memory_bytes

TEXT = Template(Path(__file__).with_suffix(".md").read_text(encoding="utf-8"))
#: Characters of a line.
WIDTH = 125
#: What is in the table, in words, and which benchmark measured it.
MEASURED = {
    "request_core_ms": ("a gRPC call, its query of 16 tokens encoded; ms of a core", "calls"),
    "recall_vector_core_ms": ("the query's recall vector too; ms of a core", "depths"),
    "carried_candidate_core_us": ("a candidate carried; µs of a core", "calls, depths"),
    "verified_candidate_core_us": ("a candidate verified; µs of a core", "calls, cost"),
    "verified_query_token_core_us": ("and for each token of the query; µs of a core", "cost"),
    "verified_cell_core_ns": ("and for each pair of tokens; ns of a core", "cost"),
    "light_candidate_core_us": ("a candidate ranked by MaxSim; µs of a core", "depths"),
    "encoded_token_core_ms": ("a document's token encoded, both outputs; ms of a core", "cost"),
    "indexing_share": ("documents indexed, of those encoded alone", "engines"),
    "rest_mib": ("memory of a sidecar at rest, MiB", "calls"),
    "text_index_bytes_per_token": ("index for text, ids and graph, bytes a token", "engines"),
    "blob_index_bytes_per_token": ("index for blobs, bytes a token", "engines"),
    "text_bytes_per_token": ("text, bytes a token", "engines"),
    "answer_bytes_per_hit": ("an engine's answer beside blob and text, bytes a hit", "engines"),
    "engine_query_core_ms": ("the engine's search of one shard; ms of its cores", "engines"),
    "engine_hit_core_us": ("a hit with its blob; µs of the engine's cores", "engines"),
    "exchange_core_ms": ("that exchange with the engine; ms of the sidecar's core", "engines"),
    "exchange_hit_core_us": ("a hit of it read; µs of the sidecar's core", "engines"),
}


@dataclass(frozen=True, slots=True)
class Example:
    """A collection, as it comes and with what pays; the data nodes that it is for."""

    title: str
    need: Need
    better: Need
    words: str
    nodes: Nodes


EXAMPLES = (
    Example(
        "A million documents, 50 searches a second",
        Need(documents=1e6, requests_per_second=50),
        Need(documents=1e6, requests_per_second=50, verification="cascade"),
        "with the cascade",
        Nodes(node_memory_gb=16, node_cores=4, node_disk_gb=200),
    ),
    Example(
        "A hundred million documents, 200 searches a second",
        Need(documents=100e6, requests_per_second=200),
        Need(documents=100e6, requests_per_second=200, verification="cascade", vectors="byte", shard_gb=50),
        "with the cascade, vectors of bytes, shards of 50 GB",
        Nodes(),
    ),
    Example(
        "Ten billion documents, 1,000 searches a second",
        Need(documents=10e9, requests_per_second=1000),
        Need(
            documents=10e9,
            requests_per_second=1000,
            verification="cascade",
            vectors="binary",
            shard_gb=50,
            searched_share=0.02,
            tokens=64,
        ),
        "with the cascade, vectors of bits, shards of 50 GB of which a search asks 2 %, and texts of 64 tokens",
        Nodes(node_memory_gb=128, node_cores=32, node_disk_gb=8000, encoding_cores=2000),
    ),
)


def page(constants: Constants) -> str:
    """The page's text."""
    nodes, prices = Nodes(), Prices()
    window = constants.window_tokens
    marks, overlap = 2, constants.window_overlap_tokens
    given = {item.name: _told(getattr(constants, item.name)) for item in fields(constants)}
    given |= {item.name: f"{getattr(kind, item.name):g}" for kind in (nodes, prices) for item in fields(kind)}
    return TEXT.substitute(
        given,
        measured=_filled(_measured(constants)),
        constants="\n".join(_constants(constants)),
        rules="\n".join(f"| {rule} | [{name}]({url}) |" for rule, (name, url) in SOURCES.items()),
        accepted_share=f"{Need().accepted_share:g}",
        window=window,
        step=window - marks - overlap,
        again=marks + overlap,
        row=f"{constants.token_numbers * constants.token_bits / 8:g}",
        numbers=constants.recall_numbers,
        text_index=given["text_index_bytes_per_token"],
        blob_index=given["blob_index_bytes_per_token"],
        encoded=given["encoded_token_core_ms"],
        share=given["indexing_share"],
        request=given["request_core_ms"],
        carried=_ms(constants.carried_candidate_core_us),
        verified=_ms(constants.verified_candidate_core_us),
        row_ms=_ms(constants.verified_query_token_core_us),
        cell_ms=_ms(constants.verified_cell_core_ns / 1000),
        search=_told(constants.recall_vector_core_ms + constants.exchange_core_ms),
        exchange_hit=_ms(constants.exchange_hit_core_us),
        light=_ms(constants.light_candidate_core_us),
        engine_query=given["engine_query_core_ms"],
        engine_hit=_ms(constants.engine_hit_core_us),
        text=given["text_bytes_per_token"],
        answer_hit=given["answer_bytes_per_hit"],
        steps=_filled(_steps(constants)),
        examples="\n\n".join(_example(example, constants) for example in EXAMPLES),
    )


def _constants(constants: Constants) -> Iterator[str]:
    for name, (words, benchmark) in MEASURED.items():
        yield f"| {words} | {_told(getattr(constants, name))} | `{benchmark}` |"
    row = constants.token_numbers * constants.token_bits / 8
    yield f"| a stored token, bytes; as text | {row:g}; {row * 4 / 3:.1f} | its format |"
    for kept in VECTORS:
        size = vector_memory_bytes(constants.recall_numbers, kept)
        yield f"| a vector in memory with its links, `{kept}`, bytes | {shown(size)} | documentation |"


def _steps(constants: Constants) -> str:
    """The hundred million, a line at a time."""
    example = EXAMPLES[1]
    need, nodes, found = example.need, example.nodes, _plan(example.need, example.nodes, constants)
    one, each = found.document, found.search
    fits = "one window" if one.windows == 1 else f"{one.windows:g} windows"
    return (
        f"By hand, for {need.documents:,.0f} documents of {need.tokens:g} tokens ({fits}) and "
        f"{need.requests_per_second:g} searches a second, full verification: b = {shown(one.blob_bytes)} bytes, "
        f"i = {shown(one.index_bytes)}, m = {shown(one.vector_memory_bytes)}, e = {shown(one.encoding_core_ms)} ms; "
        f"{shown(found.index_gb)} GB are {found.shards} shards; c = {shown(each.sidecar_core_ms)} ms, so "
        f"{need.requests_per_second:g} × {shown(each.sidecar_core_ms)} / 1000 / ({nodes.sidecar_cores:g} × "
        f"{nodes.busy:g}) are {found.sidecars} sidecars; a = {each.answer_bytes / 1e6:.2f} MB, so "
        f"{shown(found.fetch_mb_per_second)} MB a second; {shown(found.vector_memory_gb)} GB of vectors over "
        f"{nodes.vector_memory_gb:g} are {found.nodes_by_memory} data nodes."
    )


def _example(example: Example, constants: Constants) -> str:
    """A section: as it comes beside what pays, where the bottleneck lies, and each change alone."""
    before, after = (_plan(need, example.nodes, constants) for need in (example.need, example.better))
    others = changed(example.need, example.nodes, Prices(), constants)
    nodes = example.nodes
    words = (
        f"{example.need.tokens:g} tokens a document, {example.need.candidates:g} candidates, data nodes of "
        f"{nodes.node_memory_gb:g} GB, {nodes.node_cores:g} cores and {nodes.node_disk_gb:,g} GB of disk, "
        f"{nodes.encoding_cores:,g} cores that encode; beside it {example.words}:"
    )
    return (
        f"### {example.title}\n\n"
        f"{_filled(words)}\n\n{table([('as it comes', before), ('changed', after)])}\n\n"
        f"{_filled(f'As it comes: {bottleneck(before)}')}\n\n{_filled(f'Changed: {bottleneck(after)}')}\n\n"
        f"Each change alone, of what saves anything:\n\n{savings(before, others)}"
    )


def _measured(constants: Constants) -> str:
    """Where it was measured, and what else is to be known of that."""
    told = f" {constants.measured}." if constants.measured else ""
    return (
        f"On {constants.machine}; another processor is faster or slower by a factor, and AMX helps products of "
        f"matrices in particular.{told}"
    )


def _filled(paragraph: str) -> str:
    """The paragraph in lines as long as the other pages'."""
    return fill(paragraph, WIDTH, break_long_words=False, break_on_hyphens=False)


def _plan(need: Need, nodes: Nodes, constants: Constants) -> Plan:
    return plan(need, nodes, Prices(), constants)


def _told(value: float | str) -> str:
    """A constant with its digits; whole ones with commas."""
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _ms(microseconds: float) -> str:
    return format(Decimal(f"{microseconds / 1000:.4g}"), "f")
