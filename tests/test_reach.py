"""Which indices may be named: settings, expressions, and names inside of queries."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from plugin_server import Reranker
from plugin_server.core import Core
from plugin_server.engines.connection import Engine
from plugin_server.engines.reach import Reach
from plugin_server.engines.references import check_references
from plugin_server.engines.search import EngineSearcher
from plugin_server.engines.settings import EngineSettings
from plugin_server.errors import IndexDenied, InvalidField
from plugin_server.search import Question
from plugin_server.status import grpc_status, http_status

SHOP = Reach.of("products-*, articles")
ANY = Reach()


@pytest.mark.parametrize(
    ("setting", "patterns", "remark"),
    [
        ("", (), "no limit"),
        ("  ", (), "blanks"),
        ("a", ("a",), "one name"),
        ("a-*, b ,*-c", ("a-*", "b", "*-c"), "blanks around names"),
        ("*", ("*",), "all but hidden ones"),
        (".mine-*", (".mine-*",), "hidden ones, if so said"),
        ("Alias", ("Alias",), "an alias may have capitals"),
    ],
)
def test_settings(setting: str, patterns: tuple[str, ...], remark: str) -> None:
    assert Reach.of(setting).patterns == patterns, remark
    assert EngineSettings.read({"SIMGATE_ENGINE_INDICES": setting}).reach == Reach(patterns)


@pytest.mark.parametrize(
    "setting", [",", "a,", "_all", "-a", "+a", "a b", "c:a", "<a-{now/d}>", "a/b", "a%2fb", "a\x00b"]
)
def test_settings_that_are_no_pattern(setting: str) -> None:
    with pytest.raises(InvalidField, match=r"engine_indices: .* is no name or pattern of an index"):
        EngineSettings(engine_indices=setting)


ALLOWED = [
    (SHOP, "articles", "articles", "a name"),
    (SHOP, "products-1,articles", "products-1,articles", "a list"),
    (SHOP, "products-*", "products-*", "the pattern itself"),
    (SHOP, "products-a*b*", "products-a*b*", "a pattern within it"),
    (SHOP, "products-**", "products-**", "two stars are one"),
    (SHOP, "products-*,-products-old", "products-*,-products-old", "an exclusion of what may be reached"),
    (SHOP, "products-*,-*-old", "products-*,-*-old", "a pattern only takes away"),
    (SHOP, "products-*,-.*", "products-*,-.*", "hidden ones taken away"),
    (ANY, "any", "any", "no limit"),
    (ANY, "a*,b", "a*,b", "a pattern that no hidden name fits"),
    (ANY, "*", "*,-.*", "a star finds indices that only their dot hides"),
    (ANY, "*a,b*", "*a,-.*,b*", "any star at the beginning does"),
    (ANY, "*,-.*", "*,-.*", "said already"),
    (Reach.of("*"), "*", "*,-.*", "all, but not what is hidden"),
    (Reach.of("*-logs"), "*-logs", "*-logs,-.*", "the same by a pattern"),
    (Reach.of(".mine-*,a"), ".mine-1,.mine-2*,a", ".mine-1,.mine-2*,a", "hidden ones, if so said"),
    (Reach.of("a*,*b"), "axb,b", "axb,b", "by any of the patterns"),
]


@pytest.mark.parametrize(("reach", "expression", "asked", "remark"), ALLOWED, ids=[row[3] for row in ALLOWED])
def test_allowed(reach: Reach, expression: str, asked: str, remark: str) -> None:
    assert reach.narrowed(expression) == asked
    if asked == expression:
        reach.check(expression)
    else:
        with pytest.raises(IndexDenied, match=r"finds hidden indices too: put -\.\* right behind"):
            reach.check(expression)


DENIED = [
    (SHOP, "stock", "outside", "another name"),
    (SHOP, "articles,stock", "'stock' is outside", "one of a list"),
    (SHOP, "articles-old", "outside", "longer than a name"),
    (SHOP, "products", "outside", "shorter than the pattern"),
    (SHOP, "product*", "outside", "a wider pattern"),
    (SHOP, "*products-*", "outside", "wider before"),
    (SHOP, "article*", "outside", "a pattern, of which only a name is allowed"),
    (SHOP, "*", "outside", "everything"),
    (SHOP, "Articles", "outside", "capitals are another name"),
    (SHOP, ".products-1", "is hidden", "hidden"),
    (Reach.of("*"), ".kibana", "is hidden", "a pattern without a dot is for none that begin with one"),
    (Reach.of("*"), ".k*", "is hidden", "nor is a pattern of such names"),
    (Reach.of(".mine-*"), ".m*", "is hidden", "wider than the hidden ones allowed"),
    (Reach.of("a*,b*"), "*", "outside", "several patterns together"),
    (SHOP, "", "'' is empty", "nothing stands for all"),
    (SHOP, ",", "'' is empty", "so does a comma alone"),
    (SHOP, "articles,,", "'' is empty", "an empty part"),
    (SHOP, "_all", "no name", "a word for all"),
    (SHOP, "-articles", "no name", "some engines read it as everything but that"),
    (SHOP, "articles,-products-1", "no name", "takes away from nothing"),
    (SHOP, "products-*,-stock", "'-stock' is outside", "tells whether it exists"),
    (SHOP, "products-*,-", "'-' is empty", "takes away nothing"),
    (SHOP, "+articles", "no name", "the sign of old engines"),
    (SHOP, "other:articles", "remote cluster", "another cluster"),
    (SHOP, "articles::failures", "remote cluster, or a part", "what failed of a data stream"),
    (SHOP, "*:products-1", "remote cluster", "any other cluster"),
    (SHOP, "<products-{now/d}>", "date math", "not known here"),
    (SHOP, "%3Cproducts-1%3E", "no name", "encoded twice"),
    (SHOP, "products-1/_search", "no name", "a path"),
    (SHOP, "products-${x}", "no name", "filled in by the engine later"),
    (SHOP, "products-\x00", "no name", "a control character"),
    (SHOP, "products-1 ", "no name", "a blank"),
    (SHOP, "products-\u2003", "no name", "a wide blank"),
    (SHOP, "products-\ud800", "no name", "no Unicode"),
    (ANY, ".opendistro_security", "is hidden", "a system index"),
    (ANY, "a,.kibana", "is hidden", "one of a list"),
    (ANY, ".*", "is hidden", "all hidden ones"),
    (ANY, "cluster:a", "remote cluster", "another cluster"),
    (ANY, "", "'' is empty", "all"),
    (ANY, "_all", "no name", "a word for all"),
    (ANY, "<.kibana-{now/d}>", "date math", "hides the dot"),
]  # fmt: skip


@pytest.mark.parametrize(("reach", "expression", "words", "remark"), DENIED, ids=[row[3] for row in DENIED])
def test_denied(reach: Reach, expression: str, words: str, remark: str) -> None:
    with pytest.raises(IndexDenied) as caught:
        reach.narrowed(expression)
    assert words in str(caught.value) and str(caught.value).endswith("(SIMGATE_ENGINE_INDICES)")
    assert (http_status(caught.value), grpc_status(caught.value).name) == (403, "PERMISSION_DENIED")


LOOKUP = {"id": "1", "path": "x"}


def looked_up(field: str, name: str) -> dict[str, Any]:
    return {"terms": {field: {"index": name} | LOOKUP}}


INSIDE: list[tuple[str, Any, str]] = [
    ("terms lookup", lambda name: {"terms": {"f": {"index": name} | LOOKUP}}, "terms.f.index"),
    ("terms lookup of a field named as a query", lambda name: {"terms": {"term": {"index": name} | LOOKUP}}, ""),
    ("terms lookup by a query", lambda name: {"terms": {"f": {"index": name, "path": "x", "query": {}}}}, ""),
    ("more_like_this", lambda name: {"more_like_this": {"like": [{"_index": name, "_id": "1"}]}}, "like[0]._index"),
    ("more_like_this, one", lambda name: {"more_like_this": {"unlike": {"_index": name, "doc": {}}}}, ""),
    ("percolate", lambda name: {"percolate": {"field": "q", "index": name, "id": "1"}}, "percolate.index"),
    ("indexed shape", lambda name: {"geo_shape": {"f": {"indexed_shape": {"index": name, "id": "1"}}}}, ""),
    ("pinned", lambda name: {"pinned": {"docs": [{"_index": name, "_id": "1"}], "organic": {}}}, ""),
    ("vector looked up", lambda name: {"query_vector_builder": {"lookup": {"index": name} | LOOKUP}}, ""),
    ("runtime field", lambda name: {"runtime_mappings": {"l": {"target_index": name}}}, "target_index"),
    ("boost", lambda name: {"indices_boost": [{name: 2}]}, "indices_boost"),
    ("boost, old form", lambda name: {"indices_boost": {name: 2}}, ""),
    ("deep inside", lambda name: {"bool": {"must": [{"nested": {"query": looked_up("f", name)}}]}}, ""),
    ("filter", lambda name: {"aggs": {"term": {"filters": {"filters": {"terms": looked_up("terms", name)}}}}}, ""),
    ("name that is a number", lambda name: {"terms": {"f": {"index": 5 if name == ".x" else name} | LOOKUP}}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("remark", "query", "place"), INSIDE, ids=[row[0] for row in INSIDE])
def test_indices_inside_of_queries(remark: str, query: Any, place: str) -> None:
    check_references(SHOP, query("articles"), "filter")
    with pytest.raises(IndexDenied) as caught:
        check_references(SHOP, query(".x"), "filter")
    assert str(caught.value).startswith("filter.") and place in str(caught.value)
    with pytest.raises(IndexDenied):
        check_references(SHOP, query("<articles>"), "filter")
    if remark != "name that is a number":
        check_references(ANY, query("any"), "filter")
        with pytest.raises(IndexDenied, match="is hidden"):
            check_references(ANY, query(".security"), "filter")


@pytest.mark.parametrize(
    "query",
    [
        {"wrapper": {"query": "eyJ0ZXJtIjp7fX0="}},
        {"agentic": {"query_text": "all salaries", "agent_id": "x"}},
        {"suggest": {"s": {"phrase": {"collate": {"query": {"source": "{}"}}}}}},
        {"search_pipeline": {"request_processors": [{"ml_inference": {"query_template": "{}"}}]}},
    ],
)
def test_queries_as_texts(query: Any) -> None:
    with pytest.raises(IndexDenied, match="holds a query as a text, which is not read"):
        check_references(ANY, query, "filter")


@pytest.mark.parametrize(
    "query",
    [
        {"term": {"index": "stock"}},
        {"match": {"_index": "stock"}},
        {"range": {"index": {"gte": "a", "lt": "b"}}},
        {"terms": {"index": ["stock", "other"], "boost": 2}},
        {"exists": {"field": "index"}},
        {"sort": [{"index": "asc"}]},
        {"match": {"wrapper": "red"}},
        {"term": {"collate": {"value": "x"}}},
        {"aggs": {"index": {"terms": {"field": "index"}}}},
        {"ext": {"rerank": {"query_context": {"query_text": "index: stock"}}}},
        {"properties": {"index": {"type": "keyword", "index": False}}},
        [],
        None,
        "index",
    ],
)
def test_fields_that_are_called_so(query: Any) -> None:
    check_references(SHOP, query, "filter")


def test_a_query_nested_beyond_any_stack() -> None:
    query: Any = {"terms": {"f": {"index": "stock"} | LOOKUP}}
    for _ in range(100_000):
        query = {"a": [query]}
    with pytest.raises(IndexDenied) as caught:
        check_references(SHOP, query, "filter")
    assert len(str(caught.value)) < 1000


ASKED: list[tuple[dict[str, Any], str]] = [
    ({"index": "stock"}, "index: 'stock'"),
    ({"index": "articles", "filter": INSIDE[0][1]("stock")}, "filter.terms.f.index: 'stock'"),
    (
        {"index": "articles", "recall_query": INSIDE[3][1]("stock")},
        "recall_query.more_like_this.like[0]._index: 'stock'",
    ),
]


@pytest.mark.parametrize(("given", "words"), ASKED)
def test_search_asks_the_engine_nothing_before(reranker: Reranker, given: dict[str, Any], words: str) -> None:
    """Port 1 answers nobody: any request would be `EngineUnavailable`."""
    settings = EngineSettings(engine_url="http://127.0.0.1:1", engine_indices="products-*,articles")

    async def asked() -> None:
        async with Engine(settings) as engine:
            await EngineSearcher(Core(reranker), engine).search(Question("red", **given))

    with pytest.raises(IndexDenied) as caught:
        asyncio.run(asked())
    assert str(caught.value).startswith(words), json.dumps(given)
