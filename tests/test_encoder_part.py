"""The part of an encoder that token matrices need: the same numbers, without what makes recall vectors."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from plugin_server import Bundle, Candidate, Reranker, Settings
from plugin_server.bundle import ENCODER
from plugin_server.encoder import Encoder
from plugin_server.graph import part_of
from plugin_server.windows import WORTH

TEXTS = ["the dog bit the man", "a", "rain " * 700, "ein roter Wagen, drei blaue Häuser – und 17 km " * 9]


@pytest.fixture(scope="module")
def bare(reranker: Reranker) -> Encoder:
    return Encoder(reranker.bundle, Settings(cache_bytes=0))


def test_token_matrices_are_the_same_to_the_last_digit(bare: Encoder) -> None:
    with_recall = bare.documents(TEXTS)
    for _ in range(3):
        for left, right in zip(with_recall, bare.documents(TEXTS, recall=False), strict=True):
            assert left.words == right.words and len(left.windows) == len(right.windows)
            assert all(np.array_equal(*pair) for pair in zip(left.windows, right.windows, strict=True))
            assert left.vectors.shape == (len(left.windows), 384) and right.vectors.shape == (len(left.windows), 0)


def test_the_bundle_that_ships_has_layers_for_recall_alone(reranker: Reranker) -> None:
    raw = reranker.bundle.read(ENCODER)
    part = part_of(raw, ["tokens"])
    assert len(part) < WORTH * len(raw)
    assert [item.name for item in onnxruntime.InferenceSession(part).get_outputs()] == ["tokens"]


def test_what_is_held_without_a_vector_gets_one_when_it_is_asked_for(tiny: Bundle) -> None:
    encoder = Encoder(tiny, Settings(threads=1))
    bare = encoder.query("a red car", recall=False)
    held = encoder.cache.bytes
    full = encoder.query("a red car")
    assert not bare.vectors.size and full.vectors.shape == (1, tiny.manifest.recall_dimension)
    assert encoder.cache.bytes == held + full.vectors.nbytes
    assert encoder.query("a red car", recall=False) is full is encoder.query("a red car")
    assert (encoder.cache.hits, encoder.cache.misses) == (2, 2)


def test_a_query_that_comes_without_a_vector_is_compared_all_the_same(reranker: Reranker) -> None:
    texts = ["a red car", "a car that is red", "the weather"]
    given = reranker.encoder.query("a red car", recall=False)
    for profile in ("passages", "pairs"):
        rankings = [reranker.rerank("a red car", texts, profile, encoded=query) for query in (given, None)]
        found = [[(hit.candidate.text, hit.score) for hit in ranking.hits] for ranking in rankings]
        assert found[0] == found[1]


def test_with_scores_of_the_engine_nothing_is_compared(reranker: Reranker) -> None:
    candidates = [Candidate(text, score=0.5) for text in ("a car that is red, again", "the weather, again")]
    ranked = reranker.rerank("a red car, again", candidates)
    assert len(ranked.hits) + len(ranked.dropped) == 2
    held = [reranker.encoder.cache.get(text) for text in ("a red car, again", *(item.text for item in candidates))]
    assert [None if item is None else item.vectors.size for item in held] == [0, 0, 0]


def test_what_other_requests_left_in_the_cache_changes_nothing(reranker: Reranker) -> None:
    texts = ["a red car of old", "the weather of old"]
    blob = reranker.encode(["a car that is red"])[0].blob(reranker.manifest.fingerprint).text()
    fresh = Reranker(reranker.bundle)
    candidates = [*map(Candidate, texts), Candidate(blob=blob)]
    before = fresh.rerank("a red car of old", candidates)
    fresh.encode(["a red car of old", *texts])  # with recall vectors
    assert fresh.rerank("a red car of old", candidates) == before


def graph(*nodes: onnx.NodeProto, outputs: str, weights: str) -> bytes:
    made = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in outputs],
        [numpy_helper.from_array(np.array([ord(name), 1], np.float32), name) for name in weights],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def branch(name: str, operator: str, *inputs: str) -> onnx.GraphProto:
    """A branch that takes values of the graph around it."""
    output = helper.make_tensor_value_info(name, TensorProto.FLOAT, [2])
    return helper.make_graph([helper.make_node(operator, list(inputs), [name])], name, [], [output])


def test_what_a_branch_takes_from_outside_stays() -> None:
    raw = graph(
        helper.make_node("Add", ["x", "a"], ["inner"]),
        helper.make_node("Mul", ["x", "c"], ["z"]),
        helper.make_node("Constant", [], ["which"], value=numpy_helper.from_array(np.array(True))),
        helper.make_node(
            "If", ["which"], ["y"],
            then_branch=branch("then", "Add", "inner", "b"), else_branch=branch("else", "Neg", "x"),
        ),
        outputs="yz",
        weights="abc",
    )  # fmt: skip
    part = part_of(raw, ["y"])
    kept = onnx.load_model_from_string(part).graph
    assert [item.name for item in kept.initializer] == ["a", "b"] and len(kept.node) == 3
    given = {"x": np.array([1, 2], np.float32)}
    (found,) = onnxruntime.InferenceSession(part).run(["y"], given)
    (wanted,) = onnxruntime.InferenceSession(raw).run(["y"], given)
    assert np.array_equal(found, wanted) and found.tolist() == [1 + 97 + 98, 4]


def test_a_part_that_is_the_whole_changes_nothing() -> None:
    raw = graph(helper.make_node("Add", ["x", "a"], ["y"]), outputs="y", weights="a")
    assert onnx.load_model_from_string(part_of(raw, ["y"])) == onnx.load_model_from_string(raw)
