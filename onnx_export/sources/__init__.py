"""All rows to train on and all rows to report on, from a data folder that holds one folder a data set.

``python -m onnx_export.sources FOLDER`` prints how many rows each source gives by label.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from onnx_export.pair import Pair
from onnx_export.sources.nli import breaking_nli, hans, negnli, nli_cad, scone, snli
from onnx_export.sources.overlap import drop_contradictions, drop_overlap
from onnx_export.sources.own import own_pairs
from onnx_export.sources.pairs import banking77_texts, cannot, paws_wiki, stsb, sugarcrepe_pp, valse, vsr_captions
from onnx_export.sources.qa import limit_edits, passage_window, qed_nq, squadshifts, xquad_en
from onnx_export.sources.retrieval import Collection, cranfield, scifact
from onnx_export.sources.text import detokenise

__all__ = [
    "Collection",
    "banking77_texts",
    "breaking_nli",
    "cannot",
    "cranfield",
    "detokenise",
    "drop_contradictions",
    "drop_overlap",
    "hans",
    "negnli",
    "nli_cad",
    "own_pairs",
    "passage_window",
    "paws_wiki",
    "qed_nq",
    "raw_train_pairs",
    "report_pairs",
    "scifact",
    "scone",
    "snli",
    "squadshifts",
    "stsb",
    "sugarcrepe_pp",
    "train_pairs",
    "valse",
    "vsr_captions",
    "xquad_en",
]


def train_pairs(folder: Path) -> list[Pair]:
    """Every row to train on, none of which overlaps with a row of `report_pairs`.

    Raises:
        DataMissing: a file of the folder is not there.

    Example:
        >>> train_pairs(Path("/nowhere"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...
    """
    rows, _ = drop_overlap(raw_train_pairs(folder), chain.from_iterable(report_pairs(folder).values()))
    return rows


def raw_train_pairs(folder: Path) -> list[Pair]:
    """Every row of the parts marked for training, before overlaps are dropped; never train on these."""
    rows = [
        *paws_wiki(folder, "dev"),
        *hans(folder, "train"),
        *scone(folder, "train"),
        *cannot(folder, "rest"),
        *snli(folder, "dev"),
        *nli_cad(folder),
        *sugarcrepe_pp(folder),
        *valse(folder),
        *stsb(folder, "train"),
        *stsb(folder, "dev"),
        *limit_edits([*squadshifts(folder), *qed_nq(folder)]),
    ]
    return drop_contradictions(rows)


def report_pairs(folder: Path) -> dict[str, list[Pair]]:
    """The rows to report on, by set name; none may enter training.

    CondaQA is left out: its questions ask about implications, so a passage edited to the other answer still
    answers the question, and nothing is there to reject.
    """
    return {
        "paws_wiki": paws_wiki(folder, "test"),
        "hans": hans(folder, "validation"),
        "scone": scone(folder, "test"),
        "cannot_tenth": cannot(folder, "tenth"),
        "snli": snli(folder, "test"),
        "breaking_nli": breaking_nli(folder),
        "negnli": negnli(folder),
        "stsb_test": stsb(folder, "test"),
        "xquad_en": xquad_en(folder),
    }
