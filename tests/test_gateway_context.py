"""The rerank context of a search, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from plugin_server.choices import Policy
from plugin_server.errors import InvalidRequest
from plugin_server.gateway.context import Context, context_of, without_context
from plugin_server.gateway.recall import SCALES, recall_of

TEXT = {"query_context": {"query_text": "a hill"}}
PATHS = [
    ("query.match.title.query", "a"),
    ("query.match.title.en.query", "b"),
    ("query.bool.must.1.match.body", "c"),
    ("plain", "d"),
]
BODY = {
    "plain": "d",
    "query": {
        "match": {"title": {"query": "a"}, "title.en": {"query": "b"}},
        "bool": {"must": [{"match_all": {}}, {"match": {"body": "c"}}]},
    },
}
NONE: list[tuple[Any, str]] = [
    ({}, "no ext"),
    ([], "no object"),
    ("x", "no object"),
    ({"ext": {}}, "empty"),
    ({"ext": None}, "no object: the engine refuses it"),
    ({"ext": {"rerank": {}}}, "no context: the engine's own business"),
    ({"ext": {"other": {"query_context": 1}}}, "another's"),
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"simgate": {}}, "ext.simgate: is given without ext.rerank.query_context"),
    ({"rerank": TEXT | {"a": 1}}, "ext.rerank: 'a' is not known"),
    ({"rerank": {"query_context": "a hill"}}, "ext.rerank.query_context: is not an object"),
    ({"rerank": {"query_context": {}}}, "ext.rerank.query_context: give one of"),
    ({"rerank": {"query_context": {"query_text": "a", "query_text_path": "b"}}}, "ext.rerank.query_context: give one"),
    ({"rerank": {"query_context": {"query_text": "a", "text": "b"}}}, "ext.rerank.query_context: 'text' is not known"),
    ({"rerank": {"query_context": {"query_text": 3}}}, "ext.rerank.query_context.query_text: does not give a text"),
    ({"rerank": {"query_context": {"query_text_path": "query"}}}, "ext.rerank.query_context.query_text_path: does"),
    ({"rerank": {"query_context": {"query_text_path": "no.such"}}}, "ext.rerank.query_context.query_text_path: does"),
    ({"rerank": {"query_context": {"query_text_path": "query.bool.must.7"}}}, "ext.rerank.query_context.query_text_p"),
    (
        {"rerank": {"query_context": {"query_text_path": "query.bool.must." + "1" * 900}}},
        "ext.rerank.query_context.query",
    ),
    (
        {"rerank": {"query_context": {"query_text_path": "a." * 501}}},
        "ext.rerank.query_context.query_text_path: has more",
    ),
    ({"rerank": {"query_context": {"query_text_path": ["a"]}}}, "ext.rerank.query_context.query_text_path: does not"),
    ({"rerank": TEXT, "simgate": []}, "ext.simgate: is not an object"),
    ({"rerank": TEXT, "simgate": {"polcy": "filter", "b": 1}}, "ext.simgate: 'polcy', 'b' is not known: choose from"),
    (
        {"rerank": TEXT, "simgate": {"policy": "maybe"}},
        "ext.simgate.policy: 'maybe' is not known: choose one of filter",
    ),
    ({"rerank": TEXT, "simgate": {"policy": []}}, "ext.simgate.policy: [] is not known"),
    ({"rerank": TEXT, "simgate": {"profile": "x"}}, "ext.simgate.profile: 'x' is not known"),
    ({"rerank": TEXT, "simgate": {"scores": "x"}}, "ext.simgate.scores: 'x' is not known: choose one of cosinesimil"),
    ({"rerank": TEXT, "simgate": {"aggregations": "x"}}, "ext.simgate.aggregations: 'x' is not known"),
    ({"rerank": TEXT, "simgate": {"k": 0}}, "ext.simgate.k: 0 is not a whole number from 1 to 1000"),
    ({"rerank": TEXT, "simgate": {"k": 1001}}, "ext.simgate.k: 1001 is not"),
    ({"rerank": TEXT, "simgate": {"k": True}}, "ext.simgate.k: True is not"),
    ({"rerank": TEXT, "simgate": {"k": "9"}}, "ext.simgate.k: '9' is not"),
]


def test_defaults_and_knobs() -> None:
    assert context_of({"ext": {"rerank": TEXT}}, 1000) == Context("a hill", "passages", Policy.FILTER, 100)
    knobs = {"profile": "pairs", "policy": "demote", "k": 7, "scores": "raw", "aggregations": "recall"}
    expected = Context("a hill", "pairs", Policy.DEMOTE, 7, "raw", "recall")
    assert context_of({"ext": {"rerank": TEXT, "simgate": knobs}}, 1000) == expected
    small = context_of({"ext": {"rerank": TEXT}}, 50)
    assert small and small.k == 50


@pytest.mark.parametrize(("path", "expected"), PATHS)
def test_query_text_path(path: str, expected: str) -> None:
    found = context_of(BODY | {"ext": {"rerank": {"query_context": {"query_text_path": path}}}}, 1000)
    assert found and found.query == expected


@pytest.mark.parametrize(("body", "remark"), NONE)
def test_none(body: Any, remark: str) -> None:
    assert context_of(body, 1000) is None, remark


@pytest.mark.parametrize(("ext", "words"), BAD)
def test_bad(ext: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        context_of(BODY | {"ext": ext}, 1000)
    assert str(caught.value).startswith(words)


def test_others_ext_stays() -> None:
    body = {"size": 1, "ext": {"rerank": TEXT, "simgate": {}, "other": 1}}
    assert without_context(body) == {"size": 1, "ext": {"other": 1}}
    assert "rerank" in body["ext"]  # type: ignore[operator]


@pytest.mark.parametrize("cosine", [-1.0, -0.5, 0.0, 0.5, 1.0])
def test_scales_are_the_inverses_of_the_engines(cosine: float) -> None:
    engines = {
        "cosinesimil": (1 + cosine) / 2,
        "innerproduct": 1 + cosine if cosine >= 0 else 1 / (1 - cosine),
        "l2": 1 / (1 + (2 - 2 * cosine)),
        "raw": cosine,
    }
    assert set(engines) == set(SCALES)
    for kind, score in engines.items():
        assert recall_of(score, kind) == pytest.approx(cosine)


@pytest.mark.parametrize(
    ("kind", "score"), [("cosinesimil", 1.01), ("cosinesimil", -0.1), ("innerproduct", -1.0), ("l2", 0.1), ("l2", 7.0)]
)
def test_scores_that_would_be_misread(kind: str, score: float) -> None:
    with pytest.raises(InvalidRequest, match=f"ext.simgate.scores: a hit has the score {score:g}, which is no {kind}"):
        recall_of(score, kind)
    assert recall_of(1.00001, "cosinesimil") == 1.0  # rounding
