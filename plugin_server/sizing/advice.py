"""What to change: one thing at a time, and what the whole takes then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from plugin_server.sizing.constants import Constants
from plugin_server.sizing.model import Plan, plan
from plugin_server.sizing.need import Need, Nodes, Prices

#: What makes fewer data nodes do, by `Plan.bound`.
BOUNDS = {
    "memory": "keep a byte or a bit of a vector's numbers, or encode shorter texts, which are fewer windows",
    "disk": "encode shorter texts, take larger disks, or put blobs into an index of their own on slower ones",
    "cores": "let a search ask fewer shards, by routing or an index for each part, or make shards larger",
    "copies": "smaller ones would do",
}


def changes(need: Need) -> Iterator[tuple[str, Need]]:
    """Each change that a need leaves open, in words, and the need with it."""
    if need.verification == "full":
        yield "cascade (`--verification cascade`)", replace(need, verification="cascade")
    if need.verification != "light":
        yield "MaxSim alone, no verdicts (`--verification light`)", replace(need, verification="light")
    if need.candidates >= 20:
        yield f"half as many candidates (`--candidates {need.candidates / 2:g}`)", _with(need, candidates=0.5)
    if need.tokens >= 32:
        yield f"texts half as long (`--tokens {need.tokens / 2:g}`)", _with(need, tokens=0.5)
    if need.vectors in ("float", "fp16"):
        yield "vectors of bytes (`--vectors byte`)", replace(need, vectors="byte")
    if need.vectors != "binary":
        yield "vectors of bits (`--vectors binary`)", replace(need, vectors="binary")
    if need.shard_gb < 50:
        yield "larger shards (`--shard-gb 50`)", replace(need, shard_gb=50)
    if need.searched_share > 0.1:
        yield "a tenth of the shards (`--searched-share 0.1`)", replace(need, searched_share=0.1)


def changed(
    need: Need, nodes: Nodes, prices: Prices, constants: Constants, least: float = 0.01
) -> list[tuple[str, Plan]]:
    """The plan after each change that saves at least that share of the monthly price, the best first."""
    before = monthly(plan(need, nodes, prices, constants))
    plans = [(name, plan(other, nodes, prices, constants)) for name, other in changes(need)]
    saving = [(name, found) for name, found in plans if monthly(found) < before * (1 - least)]
    return sorted(saving, key=lambda item: monthly(item[1]))


def monthly(found: Plan) -> float:
    """Price of sidecars and data nodes for a month."""
    return found.sidecar_price_per_month + found.engine_price_per_month


def _with(need: Need, *, candidates: float = 1.0, tokens: float = 1.0) -> Need:
    """The need with shares of its candidates and of its tokens."""
    return replace(need, candidates=need.candidates * candidates, tokens=need.tokens * tokens)
