"""Rows from natural language inference: the premise is the document, the hypothesis the query."""

from __future__ import annotations

import re
from pathlib import Path

from onnx_export.errors import DataMalformed
from onnx_export.pair import Label, Pair
from onnx_export.sources.text import (
    detokenise,
    group_of,
    read_csv,
    read_json_lines,
    read_lines,
    read_text,
    read_tsv,
)

#: ScoNe's six conditions; `scone_nlg` is not NLI.
SCONE_FILES = (
    "no_negation",
    "one_scoped",
    "one_not_scoped",
    "one_scoped_one_not_scoped",
    "two_scoped",
    "two_not_scoped",
)

_BREAKING_CATEGORY = {
    "antonyms": "antonym",
    "antonyms_wordnet": "antonym",
    "cardinals": "number",
    "ordinals": "number",
    "colors": "attribute",
    "materials": "attribute",
    "synonyms": "synonym",
}
_SCONE_TYPO = re.compile(r"^(It is not (?:the case|true)) t\w+ ")


def nli_labels(label: str) -> tuple[Label, Label]:
    """The labels (pairs, passages) of an NLI label.

    Entailment runs one way only, so it says nothing about profile ``pairs``; neutral and contradiction
    both mean that the premise does not support the hypothesis.

    Example:
        >>> nli_labels("entailment"), nli_labels("neutral"), nli_labels("not_entailment")
        ((None, 1), (0, 0), (0, 0))
    """
    return (None, 1) if label == "entailment" else (0, 0)


def snli(folder: Path, part: str) -> list[Pair]:
    """SNLI rows of part ``dev`` or ``test``, in the order of the file; rows labelled ``-`` are left out.

    Raises:
        DataMissing: one of the three files is not there.
        DataMalformed: the three files differ in length.

    Example:
        >>> snli(Path("/nowhere"), "dev")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...
    """
    premises, hypotheses, labels = (read_lines(folder, f"snli/{name}.{part}") for name in ("s1", "s2", "labels"))
    if not len(premises) == len(hypotheses) == len(labels):
        raise DataMalformed(f"snli/*.{part}", f"{len(premises)}, {len(hypotheses)} and {len(labels)} lines")
    return [
        _nli_row("snli", detokenise(premise), detokenise(hypothesis), label.strip(), "general")
        for premise, hypothesis, label in zip(premises, hypotheses, labels, strict=True)
        if label.strip() != "-"
    ]


def hans(folder: Path, part: str) -> list[Pair]:
    """HANS rows of part ``train`` or ``validation``; category ``role`` for the heuristic lexical_overlap.

    Example:
        >>> hans(Path("/nowhere"), "train")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...

    Source: McCoy, Pavlick & Linzen 2019, arXiv:1902.01007.
    """
    rows = []
    for line in read_json_lines(folder, f"hans/hans_{part}.jsonl"):
        category = "role" if line["heuristic"] == "lexical_overlap" else line["heuristic"]
        label = "entailment" if line["labels"] == 1 else "neutral"
        rows.append(_nli_row("hans", detokenise(line["sentence1"]), detokenise(line["sentence2"]), label, category))
    return rows


def scone(folder: Path, part: str) -> list[Pair]:
    """ScoNe-NLI rows of part ``train`` or ``test``, all six conditions.

    ``one_scoped`` is the unedited pair; every other file tests its *edited* sentences and label
    (in ``no_negation`` these are the sentences without the negation). The 1-to-1 replacement that made the
    train files also hit the word "that" ("It is not the case tsunhat"); it is put right.

    Example:
        >>> scone(Path("/nowhere"), "test")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...

    Source: She et al. 2023, arXiv:2305.19426.
    """
    prefix = "scone/scone_nli_train_" if part == "train" else "scone/"
    rows = []
    for name in SCONE_FILES:
        edited = "" if name == "one_scoped" else "_edited"
        for line in read_csv(folder, f"{prefix}{name}.csv"):
            premise, hypothesis = (_SCONE_TYPO.sub(r"\1 that ", line[f"sentence{k}{edited}"]) for k in (1, 2))
            label = line[f"gold_label{edited}"]
            rows.append(_nli_row("scone", detokenise(premise), detokenise(hypothesis), label, "negation"))
    return rows


def nli_cad(folder: Path) -> list[Pair]:
    """Every original and counterfactually revised row; an original and its revisions are one group.

    The premises come from all parts of SNLI: pass the rows through `drop_overlap` before training.

    Example:
        >>> nli_cad(Path("/nowhere"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...

    Source: Kaushik, Hovy & Lipton 2020, arXiv:1909.12434.
    """
    rows = []
    for part in ("train", "dev", "test"):
        original = read_tsv(folder, f"nli_cad/NLI_original_{part}.tsv")
        revised = read_tsv(folder, f"nli_cad/NLI_revised_combined_{part}.tsv")
        # The n revisions of original row i are the revised rows n * i to n * i + n - 1.
        revisions = max(1, len(revised) // max(1, len(original)))
        numbered = [(i, line) for i, line in enumerate(original)]
        numbered += [(i // revisions, line) for i, line in enumerate(revised)]
        for i, line in numbered:
            texts = detokenise(line["sentence1"]), detokenise(line["sentence2"])
            rows.append(_nli_row("nli_cad", *texts, line["gold_label"], "general", f"nli_cad:{part}:{i}"))
    return rows


def breaking_nli(folder: Path) -> list[Pair]:
    """Breaking-NLI rows: one word replaced; the file's category in the words of `Pair`, nouns as ``entity``.

    Example:
        >>> breaking_nli(Path("/nowhere"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...

    Source: Glockner, Shwartz & Goldberg 2018, arXiv:1805.02266.
    """
    rows = []
    for line in read_json_lines(folder, "breaking_nli/data/dataset.jsonl"):
        texts = detokenise(line["sentence1"]), detokenise(line["sentence2"])
        category = _BREAKING_CATEGORY.get(line["category"], "entity")
        rows.append(_nli_row("breaking_nli", *texts, line["gold_label"], category))
    return rows


def negnli(folder: Path) -> list[Pair]:
    """Rows of RTE, SNLI and MNLI with an important negation added to either side; the RTE part has two labels.

    Example:
        >>> negnli(Path("/nowhere"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...

    Source: Hossain et al. 2020, "An analysis of natural language inference benchmarks through the lens of negation".
    """
    rows = []
    for name in ("RTE", "SNLI", "MNLI"):
        for line in read_tsv(folder, f"negnli/{name}.txt", _encoding_of(folder, f"negnli/{name}.txt")):
            texts = detokenise(line["Text"]), detokenise(line["Hypothesis"])
            rows.append(_nli_row("negnli", *texts, line["gold_label"], "negation"))
    return rows


def _encoding_of(folder: Path, name: str) -> str:
    """UTF-8 where the file is that, else the Windows code page in which two of the negnli files are written."""
    try:
        read_text(folder, name)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _nli_row(source: str, premise: str, hypothesis: str, label: str, category: str, group: str = "") -> Pair:
    pairs, passages = nli_labels(label)
    return Pair(hypothesis, premise, pairs, passages, category, source, group or group_of(source, premise))
