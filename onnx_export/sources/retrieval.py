"""Retrieval collections, for reporting: documents, queries and which document serves which query."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import Path

from onnx_export.errors import DataMalformed
from onnx_export.sources.text import one_line, read_json_lines, read_text, read_tsv

_FIELD = {name: re.compile(rf"<{name}>(.*?)</{name}>", re.DOTALL) for name in ("docno", "title", "text")}


@dataclass(frozen=True, slots=True)
class Collection:
    """A test collection.

    Attributes:
        name: the data set.
        documents: text by document name.
        queries: text by query name; only queries with a relevant document.
        qrels: grade (1 or more) by query name, then document name.

    Example:
        >>> Collection("tiny", {"d": "a dog"}, {"q": "dogs"}, {"q": {"d": 1}}).qrels["q"]
        {'d': 1}
    """

    name: str
    documents: dict[str, str]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


def scifact(folder: Path) -> Collection:
    """The abstracts of SciFact and its test claims.

    Example:
        >>> scifact(Path("/nowhere"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...

    Source: Wadden et al. 2020, arXiv:2004.14974, in the form of BEIR.
    """
    documents = {
        line["_id"]: one_line(f"{line['title']} {line['text']}")
        for line in read_json_lines(folder, "scifact/corpus.jsonl")
    }
    queries = {line["_id"]: one_line(line["text"]) for line in read_json_lines(folder, "scifact/queries.jsonl")}
    judged = [
        (line["query-id"], line["corpus-id"], int(line["score"])) for line in read_tsv(folder, "scifact/qrels/test.tsv")
    ]
    return _collection("scifact", documents, queries, judged)


def cranfield(folder: Path) -> Collection:
    """The Cranfield abstracts and questions; the judgements number the questions by their order, 1 to 225.

    Grades above 0 count as relevant. The files are not well-formed XML (no root, bare ampersands), so the fields
    are cut out one by one. Abstracts begin with their title once more, which is kept only once.

    Raises:
        DataMissing: one of the three files is not there.
        DataMalformed: a document lacks a field.

    Example:
        >>> cranfield(Path("/nowhere"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...
    """
    documents = {}
    for entry in read_text(folder, "cranfield/cran.all.1400.xml").split("<doc>")[1:]:
        number, title, text = (_field(name, entry) for name in ("docno", "title", "text"))
        documents[number] = one_line(f"{title.removesuffix('.').strip()}. {text.removeprefix(title)}")
    entries = read_text(folder, "cranfield/cran.qry.xml").split("<top>")[1:]
    queries = {str(number): _field("title", entry) for number, entry in enumerate(entries, 1)}
    judged = []
    for line in read_text(folder, "cranfield/cranqrel.trec.txt").splitlines():
        query, _, document, grade = line.split()
        judged.append((query, document, int(grade)))
    return _collection("cranfield", documents, queries, judged)


def _field(name: str, entry: str) -> str:
    match = _FIELD[name].search(entry)
    if match is None:
        raise DataMalformed("cranfield", f"an entry without <{name}>: {entry[:60]!r}")
    return one_line(html.unescape(match[1]))


def _collection(
    name: str, documents: dict[str, str], queries: dict[str, str], judged: list[tuple[str, str, int]]
) -> Collection:
    qrels: dict[str, dict[str, int]] = {}
    for query, document, grade in judged:
        if grade > 0 and document in documents:
            qrels.setdefault(query, {})[document] = grade
    return Collection(name, documents, {query: queries[query] for query in qrels}, qrels)
