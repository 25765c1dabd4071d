"""Rows from questions with their paragraph: answered, unanswered by a close paragraph, and asked about another name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onnx_export.pair import Label, Pair
from onnx_export.sources.paragraphs import Paragraphs
from onnx_export.sources.question_edits import question_edits
from onnx_export.sources.text import detokenise, digest, one_line, read_json, read_json_lines, words_of

#: A paragraph of more words than `WHOLE_WORDS` is cut to a window of at most `WINDOW_WORDS`.
WHOLE_WORDS, WINDOW_WORDS = 180, 150

#: Questions taken from each of the three SQuADShifts files, and edited questions of all files together.
QUESTIONS_A_FILE, EDITED_QUESTIONS = 3000, 4000

_SENTENCE_END = re.compile(r"(?<=[.!?]) +")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the paragraph that answers it (by number), the answers, and where the first one starts."""

    question: str
    paragraph: int
    answers: tuple[str, ...]
    start: int


def passage_window(passage: str, start: int, words: int = WINDOW_WORDS, whole: int = WHOLE_WORDS) -> str:
    """The passage itself, or the whole sentences around a character, at most `words` words of them.

    Grows from the sentence that holds character `start`, by turns to the right and to the left. A sentence
    longer than the window is cut around that character.

    Args:
        passage: one line of text.
        start: a character position in it.
        words: how long the window may be.
        whole: a passage of at most so many words is returned as it is.

    Example:
        >>> passage_window("One two. Three four. Five six.", start=10, words=4, whole=5)
        'Three four. Five six.'
        >>> passage_window("one two three four five", start=8, words=2, whole=3)
        'two three'
    """
    if len(passage.split()) <= whole:
        return passage
    sentences = _SENTENCE_END.split(passage)
    lengths = [len(sentence.split()) for sentence in sentences]
    at, end = 0, len(sentences[0])
    while end < start and at + 1 < len(sentences):
        at += 1
        end += 1 + len(sentences[at])
    if lengths[at] > words:
        return _cut(passage, start, words)
    first, last, left = at, at, words - lengths[at]
    while True:
        grow_right = last + 1 < len(sentences) and lengths[last + 1] <= left
        if grow_right:
            last += 1
            left -= lengths[last]
        grow_left = first > 0 and lengths[first - 1] <= left
        if grow_left:
            first -= 1
            left -= lengths[first]
        if not (grow_right or grow_left):
            return " ".join(sentences[first : last + 1])


def _cut(passage: str, start: int, words: int) -> str:
    tokens = passage.split()
    first = max(0, min(len(passage[:start].split()) - words // 2, len(tokens) - words))
    return " ".join(tokens[first : first + words])


def squadshifts(folder: Path) -> list[Pair]:
    """Rows of a fixed sample of the questions on Wikipedia, reddit and Amazon reviews.

    Example:
        >>> squadshifts(Path("/nowhere"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...

    Source: Miller et al. 2020, arXiv:2004.14444.
    """
    rows = []
    for name in ("new_wiki", "reddit", "amazon_reviews"):
        texts, asked = _squad(folder, f"squadshifts/{name}_v1.0.json")
        sample = sorted(asked, key=lambda one: digest(f"{one.paragraph} {one.question}"))[:QUESTIONS_A_FILE]
        rows += _rows("squadshifts", f"squadshifts:{name}", texts, sample)
    return rows


def qed_nq(folder: Path) -> list[Pair]:
    """Rows of Natural Questions with their Wikipedia paragraph, in ordinary punctuation; the questions stay lower case.

    Example:
        >>> qed_nq(Path("/nowhere"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...

    Source: Lamm et al. 2021, arXiv:2009.06354.
    """
    numbers: dict[str, int] = {}
    asked = []
    for line in read_json_lines(folder, "qed_nq/qed-dev.jsonlines"):
        paragraph = detokenise(line["paragraph_text"], join_hyphens=True)
        spans = [span["string"] for answer in line["original_nq_answers"] for span in answer]
        answers = tuple(detokenise(span, join_hyphens=True) for span in spans)
        start = max(0, paragraph.find(answers[0])) if answers else 0
        number = numbers.setdefault(paragraph, len(numbers))
        asked.append(Asked(one_line(line["question_text"]), number, answers, start))
    return _rows("qed_nq", "qed_nq", list(numbers), asked)


def xquad_en(folder: Path) -> list[Pair]:
    """Rows of the English XQuAD questions, for reporting.

    Example:
        >>> xquad_en(Path("/nowhere"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...

    Source: Artetxe, Ruder & Yogatama 2020, arXiv:1910.11856.
    """
    return _rows("xquad_en", "xquad_en", *_squad(folder, "xquad_en/xquad.en.json"))


def limit_edits(rows: list[Pair], limit: int = EDITED_QUESTIONS) -> list[Pair]:
    """The rows with at most `limit` edited questions among them, a fixed choice; the order stays.

    Example:
        >>> row = Pair("Who met Ann?", "Bob met Eve.", 0, 0, "entity", "qed_nq", "1")
        >>> len(limit_edits([row, row], limit=1)), len(limit_edits([row], limit=1))
        (1, 1)
    """
    edited = [i for i, row in enumerate(rows) if row.category != "retrieval"]
    kept = set(sorted(edited, key=lambda i: digest(rows[i].query + rows[i].document))[:limit])
    return [row for i, row in enumerate(rows) if row.category == "retrieval" or i in kept]


def _squad(folder: Path, name: str) -> tuple[list[str], list[Asked]]:
    """The paragraphs and the questions of a file in SQuAD form."""
    texts: list[str] = []
    asked: list[Asked] = []
    articles: list[dict[str, Any]] = read_json(folder, name)["data"]
    entries = [entry for article in articles for entry in article["paragraphs"]]
    for entry in entries:
        for qa in entry["qas"]:
            # Up to and with the answer's first character, so that a space before it counts.
            start = len(one_line(entry["context"][: qa["answers"][0]["answer_start"] + 1])) - 1
            answers = tuple(one_line(answer["text"]) for answer in qa["answers"])
            asked.append(Asked(one_line(qa["question"]), len(texts), answers, start))
        texts.append(one_line(entry["context"]))
    return texts, asked


def _rows(source: str, place: str, texts: list[str], asked: list[Asked]) -> list[Pair]:
    """Each question with its passage, with a close passage that lacks the answer, and asked about another name."""
    paragraphs = Paragraphs(texts)
    rows = []
    for one in asked:
        group = f"{place}:{one.paragraph}"
        rows.append(_row(one.question, passage_window(texts[one.paragraph], one.start), None, 1, source, group))
        other = _close_passage(one, paragraphs)
        if other is not None:
            rows.append(_row(one.question, other, 0, 0, source, group))
    passages = [passage_window(texts[one.paragraph], one.start) for one in asked]
    for number, edit in question_edits([one.question for one in asked], passages):
        group = f"{place}:{asked[number].paragraph}"
        rows.append(Pair(edit.question, passages[number], 0, 0, edit.category, source, group))
    return rows


def _row(question: str, passage: str, pairs: Label, passages: Label, source: str, group: str) -> Pair:
    return Pair(question, passage, pairs, passages, "retrieval", source, group)


def _close_passage(one: Asked, paragraphs: Paragraphs) -> str | None:
    """The second or third closest paragraph that leaves the question open; None for a question too general."""
    close = paragraphs.close(one.question, one.paragraph, one.answers)
    if not close:
        return None
    text = paragraphs.texts[close[min(len(close) - 1, 1 + digest(one.question) % 2)]]
    return passage_window(text, _busiest(one.question, text))


def _busiest(question: str, text: str) -> int:
    """Where the sentence with the most words of the question starts."""
    wanted = set(words_of(question))
    best, best_shared, at = 0, -1, 0
    for sentence in _SENTENCE_END.split(text):
        shared = len(wanted & set(words_of(sentence)))
        if shared > best_shared:
            best, best_shared = at, shared
        at += len(sentence) + 1
    return best
