"""A reliability plot as one SVG file that needs nothing else: no library, no network, no font of its own."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from plugin_server.thresholds.reliability import Bin

WIDTH, SIDE, LEFT, TOP, BARS = 520, 400, 70, 50, 90
STYLE = """text { font: 12px sans-serif; fill: #333 } .title { font-size: 15px; font-weight: bold }
.axis { stroke: #999; fill: none } .ideal { stroke: #999; stroke-dasharray: 4 4 }
.seen { stroke: #1f5fa8; fill: #1f5fa8 } .threshold { stroke: #c0392b; stroke-width: 1.5 }
.near { fill: #c0392b; opacity: .6 } .true { fill: #2e8b57; opacity: .7 }"""


def reliability_svg(parts: Sequence[Bin], threshold: float, title: str, remark: str) -> str:
    """The plot: seen above said with intervals, the threshold as a line, and beneath how the pairs are spread.

    Args:
        parts: of `plugin_server.thresholds.reliability.bins`.
        remark: a line beneath the title.

    Example:
        >>> plot = reliability_svg([Bin(0.8, 0.9, 2, 8, 0.85, 0.8, 0.4, 0.97)], 0.5, "shop <faq>", "")
        >>> plot.startswith("<svg"), "shop &lt;faq&gt;" in plot
        (True, True)
    """
    height = TOP + SIDE + 40 + BARS + 50
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text class="title" x="{LEFT}" y="20">{escape(title)}</text>',
        f'<text x="{LEFT}" y="38">{escape(remark)}</text>',
        f'<rect class="axis" x="{LEFT}" y="{TOP}" width="{SIDE}" height="{SIDE}"/>',
        f'<line class="ideal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>',
        f'<line class="threshold" x1="{_x(threshold)}" y1="{_y(0)}" x2="{_x(threshold)}" y2="{_y(1)}"/>',
        *_ticks(),
        *(line for part in parts for line in _point(part)),
        *_bars(parts),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _x(share: float) -> str:
    return f"{LEFT + SIDE * share:.1f}"


def _y(share: float) -> str:
    return f"{TOP + SIDE * (1 - share):.1f}"


def _ticks() -> list[str]:
    lines = []
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1):
        lines.append(f'<text x="{_x(tick)}" y="{TOP + SIDE + 16}" text-anchor="middle">{tick:g}</text>')
        lines.append(f'<text x="{LEFT - 8}" y="{_y(tick)}" dy="4" text-anchor="end">{tick:g}</text>')
    middle = TOP + SIDE / 2
    lines.append(f'<text x="{_x(0.5)}" y="{TOP + SIDE + 34}" text-anchor="middle">probability that was said</text>')
    turned = f'transform="rotate(-90 20 {middle:g})" text-anchor="middle"'
    return [*lines, f'<text x="20" y="{middle:g}" {turned}>share of true pairs that was seen</text>']


def _point(part: Bin) -> list[str]:
    x, numbers = _x(part.said), f"{part.true_pairs} true pairs, {part.near_misses} near-misses"
    words = f"said {part.said:.2f}, seen {part.seen:.2f} ({part.seen_low:.2f} to {part.seen_high:.2f}): {numbers}"
    return [
        f'<line class="seen" x1="{x}" y1="{_y(part.seen_low)}" x2="{x}" y2="{_y(part.seen_high)}"/>',
        f'<circle class="seen" cx="{x}" cy="{_y(part.seen)}" r="4"><title>{words}</title></circle>',
    ]


def _bars(parts: Sequence[Bin]) -> list[str]:
    """Beneath the plot, for each bin how many of the true pairs and of the near-misses lie in it."""
    floor = TOP + SIDE + 50 + BARS
    lines = [f'<text x="{LEFT}" y="{floor + 18}">green: share of all true pairs; red: of all near-misses</text>']
    for kind, offset in (("true", 0.01), ("near", 0.05)):
        counts = [part.true_pairs if kind == "true" else part.near_misses for part in parts]
        for part, count in zip(parts, counts, strict=True):
            tall = BARS * count / max(1, sum(counts))
            place = f'x="{_x(part.low + offset)}" y="{floor - tall:.1f}" width="{SIDE * 0.04:g}" height="{tall:.1f}"'
            lines.append(f'<rect class="{kind}" {place}><title>{count}</title></rect>')
    return [*lines, f'<line class="axis" x1="{_x(0)}" y1="{floor}" x2="{_x(1)}" y2="{floor}"/>']
