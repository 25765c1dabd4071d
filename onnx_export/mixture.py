"""The training rows of a run: given sets and generated pairs, without what the reports hold, a part held out."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from onnx_export.config import Config
from onnx_export.errors import BadConfig
from onnx_export.generators.block_pairs import block_pairs
from onnx_export.generators.claims import claim_pairs
from onnx_export.generators.edits import edit_pairs
from onnx_export.generators.grammar import grammar_pairs
from onnx_export.generators.implied import implied_pairs
from onnx_export.generators.renamed import renamed_pairs
from onnx_export.generators.sentences import split
from onnx_export.generators.topics import topic_pairs
from onnx_export.generators.unrelated import unrelated_pairs
from onnx_export.generators.written import written_pairs
from onnx_export.pair import Pair
from onnx_export.sources import drop_overlap, own_pairs, raw_train_pairs, report_pairs, vsr_captions

#: One group in this many is held out: for thresholds and calibration, never trained on.
HELD_OUT = 20
#: Sources whose true pairs are edited, and sources whose sentences are.
PARAPHRASES, SENTENCES = ("paws_wiki", "sugarcrepe_pp"), ("valse", "cannot", "snli")
#: Sources whose documents are passages.
PASSAGES = ("squadshifts", "qed_nq")
#: Sources whose rows are also given other names.
RENAMED = ("paws_wiki", "written")
#: Sources that need no data set, and those that are made from others.
WITHIN = ("written", "grammar")
GENERATED = ("edits", "claims", "topics", "unrelated", "blocks", "implied", "renamed")
#: Sources in which a sentence stands in several rows, so that labels follow from each other.
IMPLYING = ("paws_wiki",)


@dataclass(frozen=True, slots=True)
class Mixture:
    """Rows to train on, rows held out, and how many came from where.

    Given rows part by their group. Generated rows are made from the given rows of either side, so that no held-out row
    holds a sentence that was trained on.

    Attributes:
        counts: by source, rows, held-out rows and, if the reports were at hand, rows dropped as overlapping these.
    """

    train: list[Pair]
    heldout: list[Pair]
    counts: dict[str, dict[str, int]]

    @classmethod
    def build(cls, config: Config, data: Path | None, squares: int = 0) -> Mixture:
        """The rows of a configuration, the same ones for the same seed.

        Args:
            data: folder of the data sets; None if the mixture names only sources of the team's own and `WITHIN`.
            squares: of the hand-written ones, the first so many; all for 0.

        Raises:
            BadConfig: a source of the mixture has no row, needs the data sets, or is two sources of one name.
            DataMalformed: a file of the team's own has a line that is no labelled pair.
            DataMissing: a data set is not in ``data``.
        """
        if data is None and (without := sorted(set(config.mixture) - set(config.own) - set(WITHIN))):
            raise BadConfig(f"mixture: {without[0]} is made of the data sets: say where they are (--data)")
        own = [row for name, given in config.own.items() for row in own_pairs(name, given)]
        sets = raw_train_pairs(data) if data else []
        report = [row for part in report_pairs(data).values() for row in part] if data else []
        written = written_pairs(squares) if config.mixture.get("written") else []
        taken = {row.source for row in sets} | {*WITHIN, *GENERATED}
        if twice := sorted(taken & set(config.own)):
            raise BadConfig(f"own: {twice[0]} is the name of another source: choose one that is not taken")
        rows, dropped = drop_overlap(sets + written + own, report)
        captions = vsr_captions(data) if data else []
        rows += grammar_pairs(config.generated.get("grammar", 0), config.training.seed)
        sides = []
        for out in (False, True):
            side = [row for row in rows if held_out(row) == out]
            seen = [text for text in captions if _out(f"vsr/{text}") == out]
            sides.append([row for row in side + _generated(config, side, seen, out) if row.source in config.mixture])
        train, heldout = sides
        counts = {"train": _by_source(train), "heldout": _by_source(heldout)}
        counts |= {"dropped_as_overlap": dropped} if data else {}
        if absent := sorted(name for name, share in config.mixture.items() if share and name not in counts["train"]):
            known = ", ".join(sorted(taken | set(config.own)))
            raise BadConfig(f"mixture: {absent[0]} has no row: is it generated, or one of {known}?")
        return cls(train, heldout, counts)


def _generated(config: Config, rows: list[Pair], captions: list[str], out: bool) -> list[Pair]:
    """What is made from the rows of one side, of the sources that the mixture names."""
    share = HELD_OUT if out else 1
    wanted = {name: count // share for name, count in config.generated.items() if name in config.mixture}
    seed = config.training.seed
    paraphrases = [(row.query, row.document) for row in rows if row.pairs == 1 and row.source in PARAPHRASES]
    sentences = sorted({row.query for row in rows if row.source in SENTENCES} | set(captions))
    return (
        edit_pairs(paraphrases, sentences, wanted.get("edits", 0), seed)
        + claim_pairs(rows, wanted.get("claims", 0), seed)
        + topic_pairs(rows, wanted.get("topics", 0), seed)
        + unrelated_pairs(rows, wanted.get("unrelated", 0), seed)
        + (block_pairs(natural(rows, sentences), wanted["blocks"], seed) if wanted.get("blocks") else [])
        + implied_pairs([row for row in rows if row.source in IMPLYING], wanted.get("implied", 0), seed)
        + renamed_pairs([row for row in rows if row.source in RENAMED], wanted.get("renamed", 0), seed)
    )


def natural(rows: list[Pair], sentences: list[str]) -> list[str]:
    """The sentences given, those of paraphrases, those of passages, and the questions that these answer.

    Example:
        >>> rows = [Pair("Who left?", "Ann left. It rained.", None, 1, "retrieval", "qed_nq", "1")]
        >>> natural(rows, ["It snowed."])
        ['Ann left.', 'It rained.', 'It snowed.', 'Who left?']
    """
    said = {row.query for row in rows if row.source in PARAPHRASES or (row.source in PASSAGES and row.passages == 1)}
    passages = {row.document for row in rows if row.source in PASSAGES}
    return sorted({*sentences, *said, *(text for passage in passages for text in split(passage))})


def held_out(row: Pair) -> bool:
    """Whether the row's group is held out; decided by a hash, so a row keeps its side in every run."""
    return _out(f"{row.source}/{row.group}")


def _out(name: str) -> bool:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % HELD_OUT == 0


def _by_source(rows: list[Pair]) -> dict[str, int]:
    return dict(sorted(Counter(row.source for row in rows).items()))
