"""What is to be sized: collection and traffic, machines, prices; each field is an option of ``simgate size``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from plugin_server.choices import Verification
from plugin_server.errors import InvalidField, UnknownChoice
from plugin_server.sizing.rules import LARGEST_HEAP_GB, SHARD_GB, VECTORS

#: More than anybody has of anything, so that no product of them overflows.
MOST = 1e15
#: Ways in: `search`, where the sidecar encodes the query for recall and asks the engine, and `rerank`, where it is
#: sent the query with blobs.
WAYS = ("search", "rerank")


def number(default: float, told: str, least: float = 1e-9, most: float = MOST) -> Any:
    """A field with a default, and between which numbers it lies."""
    return field(default=default, metadata={"help": told, "least": least, "most": most})


def choice(default: str, told: str, known: tuple[str, ...]) -> Any:
    """A field with a default that is one of some words."""
    return field(default=default, metadata={"help": told, "known": known})


class Checked:
    """A dataclass whose fields are held against what `number` and `choice` say."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for item in fields(self):  # type: ignore[arg-type]
            given, limits = getattr(self, item.name), item.metadata
            if "known" in limits:
                if given not in limits["known"]:
                    raise UnknownChoice(item.name, str(given), list(limits["known"]))
            elif not (math.isfinite(given) and limits["least"] <= given <= limits["most"]):
                least, most = limits["least"], limits["most"]
                raise InvalidField(f"{item.name}: {given:g} is out of range: give a number from {least:g} to {most:g}")


@dataclass(frozen=True, slots=True)
class Need(Checked):
    """A collection and its traffic.

    Raises:
        InvalidField, UnknownChoice: a field is out of its range.
    """

    documents: float = number(1e6, "Documents of the collection.", 1, 1e12)
    tokens: float = number(128, "Tokens of a document, its two marks included, on average.", 3, 1e6)
    requests_per_second: float = number(50, "Searches a second at the busiest time.", 1e-6, 1e9)
    query_tokens: float = number(16, "Tokens of a query, its two marks included.", 3, 256)
    candidates: float = number(100, "Hits of a search that are fetched with their blobs (k).", 1, 10_000)
    verification: str = choice("full", "How many of them are verified.", tuple(item.value for item in Verification))
    top_n: float = number(10, "Accepted hits that end a cascade.", 1, 10_000)
    accepted_share: float = number(0.2, "Share of the candidates that hold up, for the cascade.", 0.001, 1)
    way: str = choice("search", "Whether the sidecar asks the engine, or is sent blobs.", WAYS)
    vectors: str = choice("float", "How the engine keeps a vector.", tuple(VECTORS))
    replicas: float = number(1, "Copies of every shard beside the first.", 0, 100)
    shard_gb: float = number(SHARD_GB, "GB of a shard at most.", 1, 1000)
    searched_share: float = number(1, "Share of the shards that a search asks, by routing or by its index.", 1e-6, 1)


@dataclass(frozen=True, slots=True)
class Nodes(Checked):
    """The machines: data nodes, sidecars, and those that encode."""

    node_memory_gb: float = number(64, "Memory of a data node in GB.", 2, 1e5)
    node_cores: float = number(16, "Cores of a data node.", 1, 1e4)
    node_disk_gb: float = number(2000, "Disk of a data node in GB.", 10, 1e7)
    disk_fill: float = number(0.75, "Share of a disk that indices may take.", 0.05, 1)
    sidecar_cores: float = number(2, "Cores of a sidecar.", 0.1, 1e4)
    busy: float = number(0.6, "Share of all cores that the busiest time takes.", 0.05, 1)
    encoding_cores: float = number(16, "Cores that encode the collection.", 1, 1e7)

    @property
    def vector_memory_gb(self) -> float:
        """GB of a node for vectors: half of what the heap leaves, as the k-NN plugin's circuit breaker allows."""
        return (self.node_memory_gb - min(LARGEST_HEAP_GB, self.node_memory_gb / 2)) / 2


@dataclass(frozen=True, slots=True)
class Prices(Checked):
    """What machines cost, in any one currency: round numbers, to be replaced by your own."""

    price_core_hour: float = number(0.04, "Price of a core for an hour.", 0, 1e6)
    price_memory_gb_hour: float = number(0.005, "Price of a GB of memory for an hour.", 0, 1e6)
    price_disk_gb_month: float = number(0.1, "Price of a GB of disk for a month.", 0, 1e6)
