"""The training rows of a run: given sets and generated pairs, without what the reports hold, a part held out."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from onnx_export.claims import claim_pairs
from onnx_export.config import Config
from onnx_export.edits import edit_pairs
from onnx_export.grammar import grammar_pairs
from onnx_export.pair import Pair
from onnx_export.sources import drop_overlap, raw_train_pairs, report_pairs, vsr_captions
from onnx_export.unrelated import unrelated_pairs

#: One group in this many is held out: for thresholds and calibration, never trained on.
HELD_OUT = 20
#: Sources whose true pairs are edited, and sources whose sentences are.
PARAPHRASES, SENTENCES = ("paws_wiki", "sugarcrepe_pp"), ("valse", "cannot", "snli")


@dataclass(frozen=True, slots=True)
class Mixture:
    """Rows to train on, rows held out, and how many came from where.

    Attributes:
        counts: rows by source, rows dropped as overlapping the reports by source, held-out rows by source.
    """

    train: list[Pair]
    heldout: list[Pair]
    counts: dict[str, dict[str, int]]

    @classmethod
    def build(cls, config: Config, data: Path) -> Mixture:
        """The rows of a configuration, the same ones for the same seed.

        Raises:
            DataMissing: a data set is not in ``data``.
        """
        rows, dropped = drop_overlap(
            raw_train_pairs(data), [row for part in report_pairs(data).values() for row in part]
        )
        given = [row for row in rows if not held_out(row)]
        generated = [row for row in _generated(config, given, vsr_captions(data)) if row.source in config.mixture]
        train = [row for row in given if row.source in config.mixture]
        heldout = [row for row in rows if held_out(row) and row.source in config.mixture]
        train += [row for row in generated if not held_out(row)]
        heldout += [row for row in generated if held_out(row)]
        counts = {"train": _by_source(train), "heldout": _by_source(heldout), "dropped_as_overlap": dropped}
        return cls(train, heldout, counts)


def _generated(config: Config, rows: list[Pair], captions: list[str]) -> list[Pair]:
    """What the generators write, from rows that are not held out."""
    seed, wanted = config.training.seed, config.generated
    paraphrases = [(row.query, row.document) for row in rows if row.pairs == 1 and row.source in PARAPHRASES]
    sentences = sorted({row.query for row in rows if row.source in SENTENCES} | set(captions))
    return (
        grammar_pairs(wanted.get("grammar", 0), seed)
        + edit_pairs(paraphrases, sentences, wanted.get("edits", 0), seed)
        + claim_pairs(rows, wanted.get("claims", 0), seed)
        + unrelated_pairs(rows, wanted.get("unrelated", 0), seed)
    )


def held_out(row: Pair) -> bool:
    """Whether the row's group is held out; decided by a hash, so a row keeps its side in every run."""
    digest = hashlib.sha256(f"{row.source}/{row.group}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % HELD_OUT == 0


def _by_source(rows: list[Pair]) -> dict[str, int]:
    return dict(sorted(Counter(row.source for row in rows).items()))
