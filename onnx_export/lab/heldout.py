"""Where a verifier is weak, on rows that were held out: the learning curve by source and category, errors to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from onnx_export.base import base_folder, plain_tokenizer
from onnx_export.batches import Rows
from onnx_export.calibration import best_threshold, even_weights, source_aurocs
from onnx_export.checkpoint import load_checkpoint
from onnx_export.errors import BadCheckpoint
from onnx_export.pair import Pair
from onnx_export.train import logits_of
from plugin_server.bundle import PROFILES


@dataclass(frozen=True, slots=True)
class Judged:
    """A checkpoint's step and its logits (n, 2) of the rows."""

    step: int
    logits: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Errors:
    """The rows that a profile's logits judge wrongly at the threshold with the best mean accuracy over sources.

    Attributes:
        accepted: near-misses above it, and how many near-misses there are.
        rejected: true pairs below it, and how many true pairs there are.
    """

    accepted: tuple[list[Pair], int]
    rejected: tuple[list[Pair], int]


def judge(checkpoint: Path, rows: Sequence[Pair]) -> Judged:
    """What a checkpoint makes of the rows.

    Raises:
        BadCheckpoint: it is none.
    """
    model, state = load_checkpoint(checkpoint)
    torch.set_num_threads(model.config.training.threads)
    tokenizer = plain_tokenizer(base_folder(model.config.encoder.base))
    return Judged(int(state["step"]), logits_of(model, Rows(rows, tokenizer, model.window)))


def curve(rows: Sequence[Pair], judged: Sequence[Judged], split: Sequence[str] = ("written",)) -> str:
    """A Markdown table: AUROC of every checkpoint by profile and source, and by category of the sources in ``split``.

    Parts of one label only are left out.

    Example:
        >>> rows = [Pair("a", "b", 1, None, "role", "written", "1"), Pair("a", "c", 0, None, "role", "written", "1")]
        >>> print(curve(rows, [Judged(500, np.array([[2.0, 0], [1.0, 0]], np.float32))], split=()))
        | profile | rows | number | step 500 |
        |---|---|---|---|
        | `pairs` | written | 2 | 1.000 |
    """
    lines = [
        f"| profile | rows | number |{''.join(f' step {one.step:,} |' for one in judged)}",
        "|---|---|---|" + "---|" * len(judged),
    ]
    sources = np.array([row.source for row in rows])
    categories = np.array([f"{row.source}, {row.category}" for row in rows])
    for column, profile in enumerate(PROFILES):
        labels = _labels(rows, column)
        for parts, seen in ((sources, labels >= 0), (categories, (labels >= 0) & np.isin(sources, split))):
            figures = [source_aurocs(labels[seen], one.logits[seen, column], parts[seen]) for one in judged]
            for name in figures[0]:
                cells = "".join(f" {figure[name]:.3f} |" for figure in figures)
                lines.append(f"| `{profile}` | {name} | {(parts[seen] == name).sum():,} |{cells}")
    return "\n".join(lines)


def errors(rows: Sequence[Pair], judged: Judged, profile: str = "pairs") -> Errors:
    """The rows that are judged wrongly, in the rows' order.

    Raises:
        BadCheckpoint: no source has rows of both labels.
    """
    column = PROFILES.index(profile)
    labels, logits = _labels(rows, column), judged.logits[:, column].astype(np.float64)
    known = labels >= 0
    weights = even_weights(labels[known], np.array([row.source for row in rows])[known])
    if not weights.any():
        raise BadCheckpoint(f"held-out rows: no source has rows of both labels for profile {profile}: choose the other")
    above = logits >= best_threshold(labels[known], logits[known], weights)
    wrong, right = labels == 0, labels == 1
    return Errors(
        ([row for row, chosen in zip(rows, wrong & above, strict=True) if chosen], int(wrong.sum())),
        ([row for row, chosen in zip(rows, right & ~above, strict=True) if chosen], int(right.sum())),
    )


def shown(errors: Errors, count: int, seed: int = 0) -> str:
    """Markdown: as many errors of each side as asked for, drawn with a seed, to be read one by one.

    Args:
        count: of each side, where there are as many.
    """
    return "\n\n".join(
        "\n".join(
            [f"{title}: {len(wrong):,} of {every:,}, {min(count, len(wrong))} of them", *_drawn(wrong, count, seed)]
        )
        for title, (wrong, every) in (
            ("Near-misses accepted", errors.accepted),
            ("True pairs rejected", errors.rejected),
        )
    )


def _drawn(rows: Sequence[Pair], count: int, seed: int) -> Iterator[str]:
    order = np.random.default_rng(seed).permutation(len(rows))
    for row in (rows[number] for number in sorted(order[:count])):
        yield f"- {row.source}, {row.category}: {row.query!r} / {row.document!r}"


def _labels(rows: Sequence[Pair], column: int) -> NDArray[np.int64]:
    """Labels (n,) of a profile's column, -1 where there is none."""
    return np.array([-1 if (label := row.label(column)) is None else label for row in rows], np.int64)
