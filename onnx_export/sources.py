"""All rows to train on and all rows to report on, from a data folder that holds one folder a data set.

``python -m onnx_export.sources FOLDER`` prints how many rows each source gives by label.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from onnx_export.pair import Label, Pair
from onnx_export.sources_nli import breaking_nli, hans, negnli, nli_cad, scone, snli
from onnx_export.sources_overlap import drop_contradictions, drop_overlap
from onnx_export.sources_pairs import banking77_texts, cannot, paws_wiki, stsb, sugarcrepe_pp, valse, vsr_captions
from onnx_export.sources_qa import limit_edits, passage_window, qed_nq, squadshifts, xquad_en
from onnx_export.sources_retrieval import Collection, cranfield, scifact
from onnx_export.sources_text import detokenise

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
