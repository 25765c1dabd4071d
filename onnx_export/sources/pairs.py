"""Rows from pairs of sentences: paraphrases, swapped words, negations, captions and graded similarity."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from onnx_export.errors import DataMalformed
from onnx_export.pair import Label, Pair
from onnx_export.sources.nli import nli_labels
from onnx_export.sources.text import (
    detokenise,
    digest,
    first_linked,
    group_of,
    key_of,
    one_line,
    read_csv,
    read_json,
    read_json_lines,
    read_lines,
    read_tsv,
)

#: STS-B scores (0 to 5) from which a pair says the same, and up to which it does not; between lies no label.
STSB_SAME, STSB_OTHER = 4.5, 2.5

#: One in this many CANNOT groups is kept for reporting.
CANNOT_PARTS = 10

#: A pair whose sides differ only in these words is a negation, else an antonym.
_NEGATORS = frozenset(
    "not no never nothing nobody none t don doesn didn isn aren wasn weren do does did cannot can".split()
)
_SUGARCREPE_CATEGORY = {"att": "attribute", "obj": "entity", "rel": "relation"}
_VALSE_CATEGORY = {
    "action-replacement": "action",
    "counting-adversarial": "number",
    "counting-hard": "number",
    "counting-small-quant": "number",
    "existence": "negation",
    "foil-it": "entity",
    "plurals": "quantifier",
    "relations": "spatial",
}


def paws_wiki(folder: Path, part: str) -> list[Pair]:
    """PAWS-Wiki rows of part ``dev`` or ``test``, in ordinary punctuation.

    Example:
        >>> paws_wiki(Path("/nowhere"), "dev")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...

    Source: Zhang, Baldridge & He 2019, arXiv:1904.01130.
    """
    rows = []
    for line in read_tsv(folder, f"paws_wiki/{part}.tsv"):
        first, second = (detokenise(line[name], join_hyphens=True) for name in ("sentence1", "sentence2"))
        rows.append(_pair(first, second, int(line["label"]), "role", "paws_wiki", ""))
    return _grouped(rows)


def cannot(folder: Path, part: str) -> list[Pair]:
    """CANNOT rows: part ``tenth`` is a fixed tenth of the groups, for reporting; ``rest`` the others.

    Antonym and negation pairs (their double negations are the positives), claims against their negation, NaN-NLI
    and GLUE diagnostics. WikiFactCheck and GLUE diagnostics have no positives.

    Example:
        >>> cannot(Path("/nowhere"), "rest")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...

    Source: Anschütz, Lozano & Groh 2023, arXiv:2307.13989.
    """
    # A few rows are "negated" into the same sentence.
    rows = _sem_anto_neg(folder) + _negated(folder) + _nan_nli(folder)
    rows = [row for row in rows if row.passages or not _alike(row)]
    return [row for row in _grouped(rows) if (digest(row.group) % CANNOT_PARTS == 0) == (part == "tenth")]


def _alike(row: Pair) -> bool:
    return key_of(row.query) == key_of(row.document)


def _grouped(rows: list[Pair]) -> list[Pair]:
    """The rows with groups in which rows that share a sentence never part."""
    anchors = first_linked((key_of(row.query), key_of(row.document)) for row in rows)
    return [replace(row, group=group_of(row.source, anchors[key_of(row.document)])) for row in rows]


def _sem_anto_neg(folder: Path) -> list[Pair]:
    rows = []
    for line in read_tsv(folder, "cannot/sem_anto_neg.tsv"):
        premise, hypothesis = detokenise(line["premise"]), detokenise(line["hypothesis"])
        edited = set(key_of(premise).split()) ^ set(key_of(hypothesis).split())
        category = "negation" if edited <= _NEGATORS else "antonym"
        rows.append(_pair(hypothesis, premise, 1 - int(line["label"]), category, "cannot", ""))
    return rows


def _negated(folder: Path) -> list[Pair]:
    names = [f"wikifactcheck_english_{k}" for k in range(5)] + ["glue_diagnostic"]
    rows = []
    for name in names:
        for line in read_tsv(folder, f"cannot/{name}.tsv"):
            sentence, negated = detokenise(line["sentence"]), detokenise(line["negated"])
            rows.append(_pair(negated, sentence, 0, "negation", "cannot", ""))
    return rows


def _nan_nli(folder: Path) -> list[Pair]:
    rows = []
    for line in read_csv(folder, "cannot/nan.csv"):
        premise, hypothesis = detokenise(line["premise"]), detokenise(line["hypothesis"])
        pairs, passages = nli_labels(line["label"])
        rows.append(Pair(hypothesis, premise, pairs, passages, "negation", "cannot", ""))
    return rows


def sugarcrepe_pp(folder: Path) -> list[Pair]:
    """SugarCrepe++ rows: each caption with its paraphrase, and both with the caption that has one thing replaced.

    Example:
        >>> sugarcrepe_pp(Path("/nowhere"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...

    Source: Dumpala et al. 2024, arXiv:2406.11171.
    """
    rows = []
    for kind, category in _SUGARCREPE_CATEGORY.items():
        for line in read_json(folder, f"sugarcrepe_pp/replace_{kind}.json"):
            one, two, other = (detokenise(line[name]) for name in ("caption", "caption2", "negative_caption"))
            group = f"sugarcrepe_pp:{kind}:{line['id']}"
            for query, document, label in ((one, two, 1), (one, other, 0), (two, other, 0)):
                rows.append(_pair(query, document, label, category, "sugarcrepe_pp", group))
    return rows


def valse(folder: Path) -> list[Pair]:
    """VALSE rows: caption against foil, negatives only, where most annotators found the caption right.

    Example:
        >>> valse(Path("/nowhere"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...

    Source: Parcalabescu et al. 2022, arXiv:2112.07566.
    """
    rows = []
    for name, category in _VALSE_CATEGORY.items():
        for line in read_json(folder, f"valse/{name}.json").values():
            caption, foil = detokenise(line["caption"]), detokenise(line["foil"])
            votes = line.get("mturk")
            believed = votes is None or 2 * votes["caption"] > sum(votes.values())
            # Ten foils are their caption again.
            if believed and key_of(caption) != key_of(foil):
                rows.append(_pair(foil, caption, 0, category, "valse", group_of("valse", caption)))
    return rows


def stsb(folder: Path, part: str) -> list[Pair]:
    """STS-B rows of part ``train``, ``dev`` or ``test`` with a clear score; `STSB_SAME` and `STSB_OTHER` say which.

    Raises:
        DataMissing: the file is not there.
        DataMalformed: a row has fewer than seven columns.

    Example:
        >>> stsb(Path("/nowhere"), "test")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...
    """
    name = f"stsb/sts-{part}.csv"
    rows = []
    for line in read_lines(folder, name):
        # genre, file, year, number, score, two sentences; some rows add where the sentences come from.
        fields = line.split("\t")
        if len(fields) < 7:
            raise DataMalformed(name, f"{len(fields)} columns, not 7: {line[:60]!r}")
        score, first, second = float(fields[4]), detokenise(fields[5]), detokenise(fields[6])
        if score >= STSB_SAME or score <= STSB_OTHER:
            rows.append(_pair(first, second, int(score >= STSB_SAME), "general", "stsb", group_of("stsb", first)))
    return rows


def vsr_captions(folder: Path) -> list[str]:
    """The different captions of Visual Spatial Reasoning, sorted: sentences to edit, not pairs.

    Example:
        >>> vsr_captions(Path("/nowhere"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...
    """
    return sorted({one_line(line["caption"]) for line in read_json_lines(folder, "vsr/all_vsr_validated_data.jsonl")})


def banking77_texts(folder: Path) -> list[tuple[str, str]]:
    """The training texts of Banking77 with their intent; two texts of one intent do not say the same.

    Example:
        >>> banking77_texts(Path("/nowhere"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...
    """
    return [(one_line(line["text"]), line["category"]) for line in read_csv(folder, "banking77/train.csv")]


def _pair(query: str, document: str, label: Label, category: str, source: str, group: str) -> Pair:
    """A row with one label for both profiles."""
    return Pair(query, document, label, label, category, source, group)
