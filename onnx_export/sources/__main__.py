"""How many rows each source gives by label: ``python -m onnx_export.sources FOLDER``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from onnx_export.pair import Label, Pair
from onnx_export.sources import drop_overlap, raw_train_pairs, report_pairs


def label_table(rows: Iterable[tuple[str, Pair]]) -> str:
    """A table of rows by name: how many say 1, 0 and nothing for either profile.

    Example:
        >>> print(label_table([("snli", Pair("a", "b", None, 1, "general", "snli", "1"))]))
        name                 rows    pairs 1      0   None   passages 1      0   None
        snli                    1          0      0      1            1      0      0
    """
    sizes: Counter[str] = Counter()
    labels: Counter[tuple[str, str, Label]] = Counter()
    for name, row in rows:
        sizes[name] += 1
        labels[name, "pairs", row.pairs] += 1
        labels[name, "passages", row.passages] += 1
    lines = [f"{'name':<18} {'rows':>6}    pairs 1      0   None   passages 1      0   None"]
    for name, size in sizes.items():
        one, zero, none, yes, no, unknown = (
            labels[name, profile, label] for profile in ("pairs", "passages") for label in (1, 0, None)
        )
        lines.append(f"{name:<18} {size:>6} {one:>10} {zero:>6} {none:>6} {yes:>12} {no:>6} {unknown:>6}")
    return "\n".join(lines)


def main(folder: Path) -> None:
    """Print the tables of training rows, of rows dropped as overlaps, and of report rows."""
    report = report_pairs(folder)
    rows, removed = drop_overlap(raw_train_pairs(folder), chain.from_iterable(report.values()))
    print("TRAIN\n" + label_table((row.source, row) for row in rows))
    print("\nOVERLAP REMOVED\n" + "\n".join(f"{source:<18} {count:>6}" for source, count in removed.items()))
    print("\nREPORT\n" + label_table((name, row) for name, named in report.items() for row in named))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
