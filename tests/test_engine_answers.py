"""Answers of an engine that are not what they should be: read as far as they go, or an error of the engine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugin_server import Reranker
from plugin_server.engines.connection import reason
from plugin_server.engines.layout import Layout, Mapped
from plugin_server.engines.recall import founds, incomplete
from plugin_server.engines.target import path
from plugin_server.errors import EngineError, InvalidField
from plugin_server.search import Question

MAPPED = Mapped(True, 384, False, "cosine", {})
HIT = {"_index": "a", "_id": "1", "_score": 0.9, "_source": {"text": "The shop sells bread."}}


def found(hit: Any) -> Any:
    return founds({"hits": {"hits": [hit]}}, Question("bread"), Layout(), MAPPED)


@pytest.mark.parametrize(
    ("changed", "remark"),
    [
        ({"_id": 7}, "an id that is no text could not be sent on"),
        ({"_id": ["1"]}, "nor counted"),
        ({"_score": float("nan")}, "no number"),
        ({"_score": "inf"}, "no cosine"),
        ({"_score": 10**400}, "beyond a double"),
        ({"_score": [1]}, "nothing like a number"),
        ({"_source": []}, "no object"),
        ({"_source": {"text": "a", "n": float("inf")}}, "a number that JSON does not have"),
        ({"_source": {"text": "a", "n": json.loads("[" * 900 + "]" * 900)}}, "so deep that it cannot be written again"),
    ],
)
def test_a_hit_that_cannot_be_read_is_the_engines_error(changed: dict[str, Any], remark: str) -> None:
    assert found(HIT)[0].document.text == "The shop sells bread."
    with pytest.raises(EngineError, match="the engine's answer is not that of a search"):
        deeper(100, lambda: found(HIT | changed))


def deeper(frames: int, work: Any) -> Any:
    """What the work returns, called from so many frames down, as in a server."""
    return work() if not frames else deeper(frames - 1, work)


def test_half_a_surrogate_pair_in_a_document_is_sent_on_as_a_question_mark() -> None:
    source = {"text": "a \ud800", "title": "\udfff", "tags": ["\ud800", 1, {"\udc00": None}]}
    document = found(HIT | {"_id": "\ud801", "_source": source})[0].document
    assert (document.id, document.text, document.title) == ("?", "a ?", "?")
    assert document.extra == {"tags": ["?", 1, {"?": None}]}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"type": "a", "failed_shards": 3}}, "an error that cannot be read"),
        ({"error": {"type": "a", "failed_shards": ["x"]}}, "an error that cannot be read"),
        ({"error": {"type": "a", "failed_shards": [{"reason": 0.5}]}}, "an error that cannot be read"),
        ({"error": json.loads("[" * 900 + "]" * 900)}, "an error that cannot be read"),
        ({"error": {"type": "a", "caused_by": []}}, "a: "),
        (None, "None"),
    ],
)
def test_errors_in_another_form(body: Any, words: str) -> None:
    assert deeper(100, lambda: reason(body)) == words


def test_incomplete_answers_are_told_in_unicode() -> None:
    shards = {"total": 2, "failed": 1, "failures": [{"reason": {"reason": "\ud800"}}]}
    assert incomplete({"_shards": shards}) == "1 of 2 shards failed: error: ?"


@pytest.mark.parametrize("name", [".", "..", "a,..", "../b"])
def test_dots_are_no_name_of_an_index(name: str) -> None:
    with pytest.raises(InvalidField, match="is no name of an index"):
        path(name)


@pytest.mark.parametrize("name", ["filter", "recall_query"])
def test_a_query_that_no_engine_takes(reranker: Reranker, name: str) -> None:
    deep = json.loads('{"bool":' * 101 + "{}" + "}" * 101)
    with pytest.raises(InvalidField, match=f"^{name}: is nested too deeply"):
        Question("bread", **{name: deep}).check(reranker)
