"""Search over the embedded index, and filling it from a corpus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from plugin_server import Candidate, Reranker, Settings
from plugin_server.corpus import Document, Refused
from plugin_server.errors import EmptyText, InvalidField, OverLimit, UnknownChoice
from plugin_server.index import Index
from plugin_server.indexing import Batch, fill
from plugin_server.search import Question, Searcher

TEXTS = [
    "A red car stands before a blue house.",
    "A blue car stands before a red house.",
    "The ferry from Brenholm to Isle Varr leaves at seven.",
    "The ferry from Isle Varr to Brenholm leaves at seven.",
    "Rome is closer to Paris than Berlin.",
    "word " * 400 + "The last window tells of a glacier in Norway.",
]
DOCUMENTS = [Document(f"d{number}", text, line=number + 1) for number, text in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def index(reranker: Reranker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with Index.create(tmp_path_factory.mktemp("index") / "index.db", reranker.manifest) as made:
        list(fill(made, reranker.encoder, DOCUMENTS))
        yield made


def test_the_straight_line_gives_what_its_parts_give(reranker: Reranker, index: Index) -> None:
    query = "a red car and a blue house"
    answer = Searcher(reranker, index).search(Question(query, k=4, policy="annotate"))
    vector = reranker.encode([query])[0].vectors[0]
    cosines = [float((item.vectors @ vector).max()) for item in reranker.encode(TEXTS)]
    order = sorted(range(len(TEXTS)), key=lambda number: -cosines[number])[:4]
    assert [item.document for item in answer.recall] == [DOCUMENTS[number] for number in order]
    assert [item.score for item in answer.recall] == pytest.approx([cosines[number] for number in order], abs=1e-4)
    candidates = [Candidate(TEXTS[number], f"d{number}", cosines[number]) for number in order]
    expected = reranker.rerank(query, candidates, policy="annotate")
    assert [hit.candidate.id for hit in answer.ranking.hits] == [hit.candidate.id for hit in expected.hits]
    chances = [hit.verdict.probability for hit in expected.hits]
    assert [hit.verdict.probability for hit in answer.ranking.hits] == pytest.approx(chances, abs=1e-4)
    assert [answer.found(hit).document.id for hit in answer.ranking.hits] == [hit.candidate.id for hit in expected.hits]


def test_every_document_is_kept_or_dropped_and_top_n_cuts_the_kept(reranker: Reranker, index: Index) -> None:
    searcher = Searcher(reranker, index)
    answer = searcher.search(Question("the ferry to Brenholm"))
    assert len(answer.ranking.hits) + len(answer.ranking.dropped) == len(answer.recall) == len(TEXTS)
    assert len(searcher.search(Question("the ferry to Brenholm", top_n=2, policy="demote")).ranking.hits) == 2


def test_a_long_document_is_found_by_its_last_window(reranker: Reranker, index: Index) -> None:
    answer = Searcher(reranker, index).search(Question("a glacier in Norway", k=1))
    assert answer.recall[0].document.id == "d5"


def test_the_texts_are_not_encoded_again(reranker: Reranker, tmp_path: Path) -> None:
    """A text that could not be encoded at all is verified by its blob."""
    with Index.create(tmp_path / "index.db", reranker.manifest) as index:
        index.add([Document("a", " ")], reranker.encode(["A red car"]))
        answer = Searcher(reranker, index).search(Question("a red car", policy="annotate"))
    assert answer.ranking.hits[0].verdict.probability is not None


def test_an_empty_index_answers_with_nothing(reranker: Reranker, tmp_path: Path) -> None:
    with Index.create(tmp_path / "index.db", reranker.manifest) as index:
        answer = Searcher(reranker, index).search(Question("a red car"))
    assert (answer.recall, answer.ranking.hits, answer.ranking.dropped) == ((), (), ())


BAD = [
    ({"query": " "}, EmptyText, "only spaces"),
    ({"query": "word " * 300}, OverLimit, "a query is never split"),
    ({"query": "a", "k": 0}, InvalidField, "no candidates asked for"),
    ({"query": "a", "k": 1001}, OverLimit, "more than max_candidates"),
    ({"query": "a", "top_n": 0}, InvalidField, "no hits asked for"),
    ({"query": "a", "profile": "pear"}, UnknownChoice, "unknown profile"),
    ({"query": "a", "policy": "pear"}, UnknownChoice, "unknown policy"),
]


@pytest.mark.parametrize(("arguments", "error", "remark"), BAD, ids=[row[2] for row in BAD])
def test_a_bad_request_is_named(
    reranker: Reranker, index: Index, arguments: dict[str, object], error: type[Exception], remark: str
) -> None:
    with pytest.raises(error):
        Searcher(reranker, index).search(Question(**arguments))  # type: ignore[arg-type]


def test_filling_again_changes_nothing(reranker: Reranker, tmp_path: Path) -> None:
    with Index.create(tmp_path / "index.db", reranker.manifest) as index:
        assert list(fill(index, reranker.encoder, DOCUMENTS)) == [Batch(6, 0, ())]
        before = index.search(np.eye(1, reranker.manifest.recall_dimension, dtype=np.float32)[0], 10)
        assert list(fill(index, reranker.encoder, DOCUMENTS)) == [Batch(0, 6, ())]
        assert index.search(np.eye(1, reranker.manifest.recall_dimension, dtype=np.float32)[0], 10) == before
        changed = [*DOCUMENTS[:5], Document("d5", "Another text.")]
        assert list(fill(index, reranker.encoder, changed)) == [Batch(1, 5, ())]
        assert len(index) == 6


def test_what_only_the_encoder_can_refuse_is_refused_by_its_line(reranker: Reranker, tmp_path: Path) -> None:
    corpus = [DOCUMENTS[0], Document("bad", "\u0301", line=7), Refused(3, "not JSON"), DOCUMENTS[1]]
    with Index.create(tmp_path / "index.db", reranker.manifest) as index:
        (batch,) = fill(index, reranker.encoder, corpus)
        assert len(index) == batch.added == 2
    assert [item.line for item in batch.refused] == [3, 7]
    assert batch.refused[1].reason.startswith("text: holds no words")


def test_batches_are_bounded_by_lines_and_characters(tmp_path: Path) -> None:
    reranker = Reranker.load(Settings(max_characters=2_000_000))
    corpus = [Document(f"s{number}", f"text {number}") for number in range(65)]
    corpus += [Document("huge", "x" * 1_000_000), Document("after", "text")]  # one word, so one unknown token
    with Index.create(tmp_path / "index.db", reranker.manifest) as index:
        assert [batch.added for batch in fill(index, reranker.encoder, corpus)] == [64, 2, 1]
