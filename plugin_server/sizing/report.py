"""A plan in words: the rows of its table, where the next bottleneck lies, and what each change saves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from plugin_server.sizing.advice import BOUNDS, monthly
from plugin_server.sizing.model import Plan


def rows(found: Plan) -> Iterator[tuple[str, str]]:
    """What is told of a plan, with its value and unit."""
    document, search = found.document, found.search
    yield "windows of a document", shown(document.windows)
    yield "blob of a document, bytes", shown(document.blob_bytes)
    yield "all blobs, GB", shown(found.blob_gb)
    yield "index with them, one copy, GB", shown(found.index_gb)
    yield "shards, each with so many copies", f"{found.shards:,} × {found.copies}"
    yield "vectors and graphs in memory, all copies, GB", shown(found.vector_memory_gb)
    yield (
        "data nodes for memory, for disk, for cores",
        (f"{found.nodes_by_memory:,}, {found.nodes_by_disk:,}, {found.nodes_by_cores:,}"),
    )
    yield "**data nodes**", f"**{found.data_nodes:,}**"
    yield "engine, ms of a core a search", shown(search.engine_core_ms)
    yield "candidates verified a search", shown(search.verified)
    yield "sidecar, ms of a core a search", shown(search.sidecar_core_ms)
    yield "searches a second of a sidecar's core, all busy", shown(found.requests_per_second_and_core)
    yield "**sidecars**", f"**{found.sidecars:,}**"
    yield "memory of a sidecar, MiB", shown(found.sidecar_memory_mib)
    yield "engine to sidecars, MB a second", shown(found.fetch_mb_per_second)
    yield "hits read a second, from disk unless cached", shown(found.reads_per_second)
    yield (
        "encoding, core hours; hours on the cores given",
        (f"{shown(found.encoding_core_hours)}; {shown(found.encoding_hours)}"),
    )
    yield "encoding, price", shown(found.encoding_price)
    yield (
        "price a month: data nodes; sidecars",
        (f"{shown(found.engine_price_per_month)}; {shown(found.sidecar_price_per_month)}"),
    )
    yield "**price of a million searches**, at that rate all day", f"**{shown(found.price_per_million_searches)}**"
    yield "of it for verification", shown(found.verification_price_per_million_searches)


def table(plans: Iterable[tuple[str, Plan]]) -> str:
    """Plans side by side in Markdown, a column each."""
    listed = list(plans)
    columns = [dict(rows(found)) for _, found in listed]
    head = f"| | {' | '.join(name for name, _ in listed)} |\n|---|{'---|' * len(listed)}"
    body = [f"| {name} | {' | '.join(column[name] for column in columns)} |" for name in columns[0]]
    return "\n".join([head, *body])


def bottleneck(found: Plan) -> str:
    """Where a plan's next bottleneck lies, and what to change there."""
    (name, most), (second, next_most), *_ = found.wanted
    whole = monthly(found)
    share = 100 * found.sidecar_price_per_month / whole if whole else 0.0
    ours = "take the cascade or fewer candidates first" if share >= 50 else "the engine comes first"
    return (
        f"{most:,} data nodes, because of {name}: {BOUNDS[name]}. Next comes {second} with {next_most:,}. "
        f"Sidecars are {'less than 1' if share < 1 else f'{share:.0f}'} % of the price: {ours}. "
        f"{shown(found.fetch_mb_per_second * 8 / 1000)} Gbit a second go from the engine to the sidecars, and each "
        f"data node reads {shown(found.reads_per_second / found.data_nodes)} hits a second."
    )


def savings(before: Plan, plans: Iterable[tuple[str, Plan]]) -> str:
    """What each change makes of a plan, in Markdown."""
    lines = ["| change | data nodes | counted by | sidecars | price a month |", "|---|---|---|---|---|"]
    for name, found in [("as above", before), *plans]:
        price = shown(monthly(found))
        lines.append(f"| {name} | {found.data_nodes:,} | {found.bound} | {found.sidecars:,} | {price} |")
    return "\n".join(lines)


def shown(number: float) -> str:
    """A number with three digits, or whole.

    Example:
        >>> shown(0.01234), shown(5.5), shown(12.34), shown(12345.6), shown(100.0), shown(0)
        ('0.0123', '5.5', '12.3', '12,346', '100', '0')
    """
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
