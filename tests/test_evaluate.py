"""The evaluation against cases worked by hand, and on a few rows through the bundle in the package."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from onnx_export.evaluation import metrics
from onnx_export.evaluation import pairs as evaluate_pairs
from onnx_export.evaluation import retrieval as evaluate_retrieval
from onnx_export.evaluation.evaluate import evaluate
from onnx_export.evaluation.graphs import batch_invariance
from onnx_export.evaluation.pairs import read_triples, set_figures, triple_accuracy
from onnx_export.evaluation.report import markdown
from onnx_export.evaluation.scores import PairScores, score_pairs, silent
from onnx_export.pair import Pair
from onnx_export.sources import Collection
from plugin_server import Bundle, Reranker, Settings

ROWS = [
    Pair("a", "b", 1, None, "role", "s", "1"),
    Pair("a", "c", 1, None, "role", "s", "1"),
    Pair("d", "e", 0, None, "role", "s", "2"),
    Pair("d", "f", 0, None, "number", "s", "2"),
    Pair("g", "h", None, 0, "role", "s", "3"),
]


@pytest.fixture(scope="module")
def reranker() -> Reranker:
    return Reranker(Bundle.open(), Settings(threads=1))


def scores(verifier: list[float], other: list[float]) -> PairScores:
    column = np.array(other)
    by_profile = {"pairs": np.array(verifier), "passages": np.array(verifier)}
    halves = {"pairs": np.full(len(verifier), 0.5), "passages": np.full(len(verifier), 0.5)}
    return PairScores(by_profile, halves, column, column, column)


def test_figures_of_a_set_worked_by_hand() -> None:
    made = scores([0.9, 0.4, 0.6, 0.1, 0.0], [0.2, 0.8, 0.9, 0.1, 0.0])
    figures = set_figures(ROWS, made)
    assert list(figures) == ["pairs"], "passages has one label only"
    found = figures["pairs"]
    assert (found["n"], found["positive"]) == (4, 0.5), "the unlabelled row is left out"
    verifier, cosine = found["verifier"], found["cosine"]
    assert verifier["auroc"] == 0.75, "of 4 (true, near-miss) only 0.4 < 0.6 is wrong"
    assert verifier["accuracy"] == 0.5, "0.4 and 0.6 are on the wrong side of 0.5"
    assert (verifier["true_lost"], verifier["near_misses_rejected"]) == (0.5, 0.5)
    assert verifier["near_misses_rejected_at_10_lost"] == 0.5, "no true pair may go: below 0.4 lies 0.1"
    assert cosine["auroc"] == 0.5, "0.2 and 0.8 beat 0.1, neither beats 0.9"
    assert cosine["best_balanced_accuracy"] == 0.75, "at 0.2: both true pairs, one near-miss"


def test_a_category_without_true_pairs_is_held_against_all() -> None:
    found = set_figures(ROWS, scores([0.9, 0.4, 0.6, 0.1, 0.0], [0.0] * 5))
    role, number = (found["pairs"]["categories"][name] for name in ("role", "number"))
    assert (role["own"], role["near_misses"], role["verifier"]) == (True, 1, 0.0), "0.6 is above 0.4"
    assert (number["own"], number["true_pairs"], number["verifier"]) == (False, 2, 1.0)
    assert found["pairs"]["worst_category"] is None, "too few near-misses to name one"


def test_balanced_accuracy_does_not_reward_the_larger_side() -> None:
    truth, same = np.array([1, 0, 0, 0, 0, 0, 0, 0]), np.zeros(8)
    assert metrics.best_accuracy(truth, same) == 0.875
    assert evaluate_pairs.best_balanced_accuracy(truth, same) == 0.5


def test_triples(tmp_path: Path) -> None:
    lines = [
        {"anchor": "A", "paraphrase": "B", "near_miss": "C", "category": "role"},
        {"anchor": "Q", "paraphrase": "R", "near_miss": "S", "category": "question"},
    ]
    path = tmp_path / "triples.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    rows = read_triples(path)
    assert [(row.document, row.pairs, row.passages, row.group) for row in rows] == [
        ("B", 1, None, "0"),
        ("C", 0, None, "0"),
        ("R", None, 1, "1"),
        ("S", None, 0, "1"),
    ]
    found = triple_accuracy(rows, scores([0.9, 0.2, 0.3, 0.3], [0.1, 0.2, 0.5, 0.4]))
    assert [found[name]["verifier"] for name in ("role", "question", "all")] == [1.0, 0.5, 0.75], "a tie is half"
    assert [found[name]["cosine"] for name in ("role", "question", "all")] == [0.0, 1.0, 0.5]


def test_pair_scores_are_the_served_ones(reranker: Reranker) -> None:
    long = "The tide came in before noon. " * 60
    rows = [
        Pair("the dog bit the man", "the man bit the dog", 0, 0, "role", "s", "1"),
        Pair("when did the tide come in", long, None, 1, "general", "s", "2"),
        Pair("rain", "rain", 1, 1, "general", "s", "3"),
    ]
    found = score_pairs(reranker, rows, silent, "few")
    for profile in ("pairs", "passages"):
        served = [reranker.verify(row.query, row.document, profile).probability for row in rows]
        assert found.verifier[profile].tolist() == pytest.approx(served, abs=1e-5)
    assert len(reranker.encode([long])[0].windows) > 1
    assert found.cosine[2] == pytest.approx(1, abs=1e-5)
    assert found.maxsim[2] == pytest.approx(1, abs=1e-5) == found.symmetric[2]


def test_windows_are_stored_and_read_back(reranker: Reranker, tmp_path: Path) -> None:
    long = "The wing was tested in the tunnel at low speed. " * 50
    tiny = Collection("tiny", {"x": "a wing", "y": long, "z": "a cake"}, {"q": "wing in a tunnel"}, {"q": {"y": 1}})
    first = evaluate_retrieval.store(reranker, tiny, tmp_path, silent)
    assert [file.name.startswith(reranker.manifest.fingerprint) for file in tmp_path.iterdir()] == [True]

    def unused(done: int, total: int, line: str) -> None:
        raise AssertionError(f"encoded again: {line}")

    again = evaluate_retrieval.store(reranker, tiny, tmp_path, unused)
    assert first.counts.tolist() == again.counts.tolist() == [1, len(reranker.encode([long])[0].windows), 1]
    query = reranker.encoder.query("wing in a tunnel")
    for place, text in enumerate(tiny.documents.values()):
        whole = reranker.encode([text])[0]
        assert again.cosines(query.vectors[0])[place] == pytest.approx(
            (whole.vectors @ query.vectors[0]).max(), abs=1e-5
        )
        assert all((a == b).all() for a, b in zip(again.windows()[place], whole.windows, strict=True))


def test_retrieval_over_three_documents(reranker: Reranker) -> None:
    documents = {"x": "a wing in a wind tunnel", "y": "a chocolate cake", "z": "the law of contracts"}
    tiny = Collection("tiny", documents, {"q": "a wing in a wind tunnel"}, {"q": {"y": 1}})
    found = evaluate_retrieval.evaluate_collection(reranker, tiny, None, silent)
    served = reranker.rerank(tiny.queries["q"], list(documents.values()), policy="filter")
    assert found["rejected"]["relevant"] + found["rejected"]["other"] == 3
    assert found["rejected"]["relevant_rejected"] + found["rejected"]["other_rejected"] == len(served.dropped)
    recall = [score for _, score in sorted(_cosines(reranker, tiny).items(), key=lambda item: -item[1])]
    rank = 1 + recall.index(_cosines(reranker, tiny)["y"])
    assert found["orders"]["recall"]["mrr@10"]["mean"] == pytest.approx(1 / rank)
    assert found["orders"]["recall"]["ndcg@10"]["mean"] == pytest.approx(1 / np.log2(1 + rank))
    assert found["orders"]["recall"]["mrr@10"]["difference"] == 0.0
    kept = [hit.candidate.text for hit in served.hits]
    place = kept.index(documents["y"]) + 1 if documents["y"] in kept else None
    assert found["orders"]["filter"]["mrr@10"]["mean"] == pytest.approx(1 / place if place else 0.0)


def _cosines(reranker: Reranker, collection: Collection) -> dict[str, float]:
    query = reranker.encoder.query(collection.queries["q"]).vectors[0]
    return {name: float(reranker.encode([text])[0].vectors[0] @ query) for name, text in collection.documents.items()}


def test_the_interval_of_a_paired_difference() -> None:
    low, high = evaluate_retrieval.paired_interval(np.array([0.0, 1.0] * 50))
    assert 0.35 < low < 0.45 < 0.55 < high < 0.65, "0.5 and twice its standard error of 0.05"


def test_a_score_is_of_the_pair_alone(reranker: Reranker) -> None:
    rows = [Pair("a red car " * count, "a blue car", 0, 0, "binding", "s", str(count)) for count in range(1, 9)]
    found = batch_invariance(reranker, rows, silent)
    assert max(found["served"], found["verifier_graph"]) < 1e-5
    assert found["verdicts_changed"] == 0


def test_a_page_of_a_report(reranker: Reranker) -> None:
    pairs = evaluate_pairs.evaluate_sets(reranker, {"few": ROWS}, silent)
    assert set(pairs["sets"]["few"]) == {"pairs"}
    page = markdown({"bundle": {"name": "draft", "fingerprint": "00"}, "pairs": pairs})
    assert "| few | pairs | 4 | 50% |" in page


def test_an_unknown_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only: sped: the parts are pairs"):
        evaluate(Bundle.open(), tmp_path, only=["sped"])
