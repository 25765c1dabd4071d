"""What became of one bundle of an export, and the table of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from onnx_export.exports.job import Job

DONE, KEPT, FAILED = "done", "kept", "failed"
#: Figures by the heads of their columns.
FIGURES = {"recall gap": "recall", "rows": "rows", "logits": "logits", "batch": "batch"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the table.

    Attributes:
        status: ``done``, ``kept`` (it was there, whole and of this configuration) or ``failed``.
        reason: why it failed, or what could not be tried here; empty for nothing to tell.
        bits: of a number of a token row; 0 where that is the source's and the source could not be read.
        bytes: of the bundle's files; 0 where there is none.
        parity: the largest differences from torch, see `onnx_export.exports.form.Limits`.
        pace: milliseconds, ``query`` and ``hundred``; empty where it could not be run on its target.
        seconds: that this run took for it.
    """

    job: Job
    status: str
    reason: str = ""
    fingerprint: str = ""
    bits: int = 0
    bytes: int = 0
    parity: dict[str, float] = field(default_factory=dict)
    pace: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    def plain(self) -> dict[str, Any]:
        """The line for programs."""
        form = self.job.form
        told = {"name": self.job.name, "precision": form.precision, "target": form.target, "opset": form.opset}
        fields = asdict(self)
        del fields["job"]
        return told | fields


def table_of(outcomes: Sequence[Outcome]) -> Table:
    """The table for people."""
    heads = ["name", "precision", "target", "opset", "bits", "MB", *FIGURES, "flips", "query ms", "100 ms", "s", ""]
    table = Table(box=box.SIMPLE, pad_edge=False)
    for number, head in enumerate(heads):
        last = number == len(heads) - 1
        table.add_column(head, justify="left" if number in (0, 1, 2) or last else "right", overflow="fold")
    for item in outcomes:
        table.add_row(*map(Text, _cells(item)))
    return table


def _cells(item: Outcome) -> list[str]:
    """A line's cells; a dash for what is not known."""
    form, parity = item.job.form, item.parity
    told = [item.job.name, form.precision, form.target, str(form.opset), str(item.bits or "–")]
    told.append(f"{item.bytes / 1e6:.1f}" if item.bytes else "–")
    told += [f"{parity[key]:.0e}" if key in parity else "–" for key in FIGURES.values()]
    told.append(f"{100 * parity['flips']:.1f} %" if "flips" in parity else "–")
    told += [f"{item.pace[key]:.1f}" if key in item.pace else "–" for key in ("query", "hundred")]
    return [*told, f"{item.seconds:.0f}", f"{item.status}: {item.reason}" if item.reason else item.status]
