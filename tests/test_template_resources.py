"""The JSON resources by themselves: what every one of them must have, and what fills them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from index_templates.apply import ORDER, VECTORS, Options, vectors_of
from index_templates.cluster import Abilities
from index_templates.resource import ENGINES, PLACEHOLDER, Resource, names
from index_templates.store import TemplateError
from plugin_server.engines.layout import BLOB, BUNDLE, DIGEST, WINDOWS, Mapped

EVERY = [(engine, name) for engine in ENGINES for name in names(engine)]
SIDECAR = "http://127.0.0.1:8080"
#: Filled while others are applied.
IDS = ("connector_id", "model_group_id", "rerank_model_id", "verify_model_id", "search_model_id", "description")
#: Filled by whoever copies the example of a search.
EXAMPLE = ("query", "query_vector")


def options(engine: str = "opensearch", **given: Any) -> Options:
    return Options(engine, 384, "00" * 8, "test", **({"sidecar": SIDECAR} | given))


def placeholders(body: Any) -> set[str]:
    return set(PLACEHOLDER.findall(json.dumps(body)))


@pytest.mark.parametrize(("engine", "name"), EVERY)
def test_resource_says_what_it_is(engine: str, name: str) -> None:
    assert re.fullmatch(r"[a-z-]+@[a-z_]+", name)
    resource = Resource.load(engine, name)
    assert (resource.engine, f"{resource.subject}@{resource.kind}") == (engine, name)
    assert isinstance(resource.body["version"], int) and resource.version >= 1
    assert resource.description.endswith(".") and len(resource.description) > 40


@pytest.mark.parametrize(("engine", "name"), EVERY)
def test_every_placeholder_has_a_value(engine: str, name: str) -> None:
    resource = Resource.load(engine, name)
    known = {*options(engine).values, *IDS, *(EXAMPLE if resource.kind == "search" else ())}
    assert placeholders(resource.body) <= known
    values = dict.fromkeys((*IDS, *EXAMPLE), "x") | options(engine).values
    assert not placeholders(resource.render(values))


def test_a_value_keeps_its_type() -> None:
    body = Resource.load("elasticsearch", "vectors-float@component_template").render(options("elasticsearch").values)
    assert body["template"]["mappings"]["properties"][WINDOWS]["properties"]["vector"]["dims"] == 384


def test_every_value_is_used() -> None:
    used = set().union(*(placeholders(Resource.load(*item).body) for item in EVERY))
    assert used == {*options().values, *IDS, *EXAMPLE}


def test_every_kind_is_applied() -> None:
    """All but the settings, which are added to those of the cluster, and the example, which is there to be copied."""
    kinds = {name.partition("@")[2] for _, name in EVERY}
    assert kinds == {*ORDER, "settings", "search"}
    assert [name for _, name in EVERY if name.endswith(("@settings", "@search"))] == [
        "cluster@settings",
        "rerank@search",
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_subjects_hang_together(engine: str) -> None:
    """What is composed, and what is named by the id of another, is there; every connector has a model and is used."""
    there = names(engine)
    template = Resource.load(engine, "documents@index_template").body
    assert template["composed_of"] == ["{{prefix}}-blobs", "{{prefix}}-vectors"]
    assert f"vectors-{VECTORS[engine]}@component_template" in there
    models = {name.partition("@")[0] for name in there if name.endswith("@model")}
    assert models == {name.partition("@")[0] for name in there if name.endswith("@connector")}
    pipelines = [Resource.load(engine, name).body for name in there if name.endswith("@search_pipeline")]
    asked = {name.removesuffix("_model_id") for body in pipelines for name in placeholders(body)} - {
        "description",
        "text_field",
    }
    assert asked == models


FORMS = [(engine, form) for engine in ENGINES for form in vectors_of(engine)]


@pytest.mark.parametrize(("engine", "form"), FORMS)
def test_vectors_are_what_the_server_reads(engine: str, form: str) -> None:
    values = options(engine, vectors=form).values
    rendered = [
        Resource.load(engine, name).render(values)["template"]["mappings"]
        for name in (f"vectors-{form}@component_template", "blobs@component_template")
    ]
    fields = rendered[0]["properties"] | rendered[1]["properties"]
    assert set(fields) == {WINDOWS, BLOB, BUNDLE, DIGEST}
    mapped = Mapped.of(rendered[1] | {"properties": fields})
    assert (mapped.dimension, mapped.byte, mapped.blob) == (384, form.endswith("byte"), True)
    assert mapped.expect("any", 384) is mapped
    assert mapped.meta == {"fingerprint": "00" * 8, "bundle": "test", "vectors": form}
    # faiss has no cosine of bytes, so these scores are products
    assert mapped.space == ("innerproduct" if form == "faiss-byte" else "cosine")


#: Of a k-NN method, by engine and type of numbers: its spaces, after the OpenSearch documentation, "Spaces" and
#: "Byte vectors" in "Supported data types".
SPACES = {
    ("lucene", "float"): {"l2", "cosinesimil", "innerproduct"},
    ("lucene", "byte"): {"l2", "cosinesimil", "innerproduct"},
    ("faiss", "float"): {"l2", "cosinesimil", "innerproduct"},
    ("faiss", "byte"): {"l2", "innerproduct"},
}


@pytest.mark.parametrize("form", vectors_of("opensearch"))
def test_method_can_do_its_space(form: str) -> None:
    """faiss cannot run in the tests' nodes, whose k-NN has no native library: a refresh of such an index ends them."""
    body = Resource.load("opensearch", f"vectors-{form}@component_template").render(options().values)
    assert body["template"]["settings"] == {"index": {"knn": True}}
    vector = body["template"]["mappings"]["properties"][WINDOWS]["properties"]["vector"]
    engine, numbers = form.split("-")
    assert set(vector) == {"type", "dimension", "data_type", "method"}
    assert (vector["type"], vector["data_type"], vector["method"]["engine"]) == ("knn_vector", numbers, engine)
    assert set(vector["method"]) == {"name", "engine", "space_type", "parameters"}
    assert set(vector["method"]["parameters"]) == {"m", "ef_construction"}
    assert vector["method"]["name"] == "hnsw" and vector["method"]["space_type"] in SPACES[engine, numbers]


@pytest.mark.parametrize(
    ("given", "words", "remark"),
    [
        ({"prefix": "Shop"}, "prefix: 'Shop': give small letters", "capital"),
        ({"prefix": ""}, "prefix: '': give", "empty"),
        ({"prefix": "-a"}, "prefix: '-a': give", "begins with a sign"),
        ({"prefix": "a" * 65}, "at most 64", "too long"),
        ({"prefix": "a*"}, "prefix: 'a*': give", "a pattern is no prefix"),
        ({"prefix": "a/b"}, "prefix: 'a/b': give", "would be another path"),
        ({"prefix": "a\n"}, "prefix: 'a\\n': give", "a line end is no letter"),
        (
            {"vectors": "float"},
            "'float' is not known for opensearch: choose one of faiss-byte, faiss-float, lu",
            "ES's",
        ),
        ({"sidecar": "127.0.0.1:8080"}, "sidecar: '127.0.0.1:8080' is no address", "no scheme"),
        ({"sidecar": "grpc://a:1"}, "sidecar: 'grpc://a:1' is no address", "another scheme"),
        ({"sidecar": "http://"}, "is no address", "no host"),
        ({"sidecar": "http://a:1/v2"}, "is no address", "with a path"),
        ({"sidecar": "http://a:1?b=c"}, "is no address", "with a query"),
        ({"sidecar": "http://a:1#b"}, "is no address", "with a fragment"),
        ({"sidecar": "http://me:pw@a:1"}, "is no address", "with a password, which would be shown"),
        ({"sidecar": "http://a:port"}, "is no address", "a port is a number"),
        ({"sidecar": "http://[::1:8080"}, "is no address", "half an IPv6 address"),
        ({"sidecar": 'http://a"b:1'}, "is no address", "a quote would end the connector's text"),
        ({"sidecar": "http://a b"}, "is no address", "a space"),
    ],
)
def test_options_that_cannot_be_used(given: dict[str, str], words: str, remark: str) -> None:
    with pytest.raises(TemplateError, match=re.escape(words)):
        options(**given)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("http://simgate:8080", "http://simgate:8080/v2/rerank"),
        ("http://simgate:8080/", "http://simgate:8080/v2/rerank"),
        ("https://simgate.example.org", "https://simgate.example.org/v2/rerank"),
        ("http://[2001:db8::1]:80", "http://[2001:db8::1]:80/v2/rerank"),
    ],
)
def test_trusted_is_that_address_alone(address: str, url: str) -> None:
    trusted = re.compile(options(sidecar=address).values["trusted"])
    assert trusted.fullmatch(url)
    assert not trusted.fullmatch(url.replace("simgate", "simgatee").replace("db8", "db9"))
    assert not trusted.fullmatch("http://evil/?" + url)
    assert not re.compile(options(sidecar="http://a.b").values["trusted"]).fullmatch("http://axb/v2")


#: What `_nodes/plugins,search_pipelines` gives for one node, by its line and plugins, and what it can do.
RERANK = {"request_processors": [{"type": "ml_inference"}], "response_processors": [{"type": "rerank"}]}
SEEN: list[tuple[dict[str, Any], str, str, str]] = [
    ({"plugins": [{"name": "opensearch-knn"}], "search_pipelines": {}}, "rerank@connector", "no ML Commons",
     "k-NN alone"),
    ({"plugins": [{"name": "opensearch-knn"}]}, "rerank@search_pipeline", "no processor rerank", "none listed"),
    ({"plugins": [{"name": "opensearch-ml"}], "search_pipelines": {}}, "hybrid@search_pipeline",
     "no processor normalization-processor", "without neural-search"),
    ({"plugins": [{"name": "opensearch-ml"}, {"name": "opensearch-neural-search"}], "search_pipelines": RERANK},
     "hybrid@search_pipeline", "", "2.19 does not list it, but has it"),
    ({"plugins": [{"name": "opensearch-ml"}], "search_pipelines": RERANK}, "rerank-oversample@search_pipeline",
     "no processor oversample, truncate_hits", "2.19 without search-pipeline-common"),
    ({"plugins": [{"name": "opensearch-ml"}], "search_pipelines": RERANK}, "rerank@search_pipeline", "", "has it"),
    ({"plugins": [{"name": "opensearch-ml"}], "search_pipelines": RERANK}, "filter@search_pipeline", "", "has it"),
    ({"plugins": [{"name": "opensearch-ml"}]}, "blobs@component_template", "", "templates need nothing"),
]  # fmt: skip


def asked(*nodes: dict[str, Any]) -> Abilities:
    """What a cluster of such nodes is taken for."""

    async def request(method: str, path: str, body: Any) -> Any:
        return {"nodes": dict(enumerate(nodes))}

    coroutine = Abilities.ask(request, "opensearch")
    try:
        coroutine.send(None)
    except StopIteration as end:
        found: Abilities = end.value
        return found
    raise AssertionError("it waits for something")


@pytest.mark.parametrize(("node", "name", "missing", "remark"), SEEN)
def test_what_a_cluster_cannot_do(node: dict[str, Any], name: str, missing: str, remark: str) -> None:
    resource = Resource.load("opensearch", name)
    assert missing in asked(node).missing(resource.body, resource.kind, True)
    assert bool(asked(node).missing(resource.body, resource.kind, True)) == bool(missing)


def test_a_cluster_can_do_what_all_of_its_nodes_can() -> None:
    able = {"plugins": [{"name": "opensearch-ml"}], "search_pipelines": RERANK}
    mixed = asked(able, {"plugins": [{"name": "opensearch-knn"}], "search_pipelines": {}})
    assert asked(able, able) == Abilities(True, frozenset({"ml_inference", "rerank"}), False)
    assert mixed == Abilities(False, frozenset(), False)


@pytest.mark.parametrize("kind", ["connector", "model", "model_group", "search_pipeline", "inference"])
def test_what_calls_the_sidecar_needs_one(kind: str) -> None:
    able = Abilities(True, frozenset({"rerank", "ml_inference"}), True)
    body = {"response_processors": [{"rerank": {"ml_opensearch": {"model_id": "{{rerank_model_id}}"}}}]}
    assert able.missing(body, kind, False) == "calls the sidecar: give --sidecar"
    assert able.missing(body, kind, True) == ""
