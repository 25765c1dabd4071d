"""What templates make of indices on real engines, clusters that can do less, faults, and the command."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import Run
from nodes.engine import Engine
from nodes.node import Node
from nodes.proxy import Proxy, Rule
from templating import SIDECAR, Cluster, changes, options, where

from index_templates.apply import Change, Options, vectors_of
from index_templates.resource import ENGINES, names
from index_templates.store import TemplateError
from plugin_server import Reranker
from plugin_server.cli import main
from plugin_server.core import Core
from plugin_server.engines.connection import Engine as Connection
from plugin_server.engines.document import encoding
from plugin_server.engines.layout import BLOB, BUNDLE, WINDOWS, Mapped
from plugin_server.engines.search import EngineSearcher
from plugin_server.engines.target import Target
from plugin_server.errors import EngineBusy, EngineDenied, EngineError, EngineUnavailable
from plugin_server.search import Question

Make = Callable[[Engine, str], Cluster]
TEXTS = ["Turn left at the church.", "At the church, turn left.", "Turn right at the church.", "The mill makes bread."]
#: The k-NN plugin from Maven has no native library: a refresh of an index with faiss would end the node.
RUNNING = [(name, form) for name in ("opensearch_2", "opensearch_3") for form in ("lucene-float", "lucene-byte")]
RUNNING += [("elasticsearch_9", "float"), ("elasticsearch_9", "byte")]


def named(request: pytest.FixtureRequest, name: str) -> Engine:
    engine: Engine = request.getfixturevalue(name)
    return engine


@pytest.mark.parametrize(("name", "form"), RUNNING)
def test_an_index_takes_documents_and_finds_them(
    request: pytest.FixtureRequest, cluster: Make, reranker: Reranker, run: Run, name: str, form: str
) -> None:
    """The same hits in the same order from float and byte vectors, with cosines as the encoder's."""
    engine = named(request, name)
    there, index = cluster(engine, "forms"), "forms-a"
    there.apply(sidecar="", vectors=form)
    manifest = reranker.manifest

    async def stored() -> Any:
        async with Connection(where(engine)) as connection:
            target = await Target.open(connection, index, manifest)
            assert target.mapped.byte == form.endswith("byte")
            for number, (text, item) in enumerate(zip(TEXTS, reranker.encode(TEXTS), strict=True)):
                body = {"text": text} | encoding(item, manifest.fingerprint, target.mapped, True)
                await connection.request("PUT", f"/{index}/_doc/{number}", body)
            await connection.request("POST", f"/{index}/_refresh")
            question = Question(TEXTS[0], k=4, top_n=4, profile="pairs", policy="annotate", index=index)
            return await EngineSearcher(Core(reranker), connection).search(question)

    try:
        answer = run(stored())
        mapping = engine.request("GET", f"/{index}/_mapping")[index]["mappings"]
        assert set(mapping["properties"]) == {"text", "title", "simgate_digest", BLOB, BUNDLE, WINDOWS}
        found = {item.document.id: item.score for item in answer.recall}
        query = reranker.encoder.query(TEXTS[0]).vectors[0]
        cosines = [float(item.vectors[0] @ query) for item in reranker.encode(TEXTS)]
        assert found == {str(place): pytest.approx(cosine, abs=0.01) for place, cosine in enumerate(cosines)}
        verdicts = {hit.candidate.id: hit.verdict.outcome.value for hit in answer.ranking.hits}
        expected = reranker.rerank(TEXTS[0], TEXTS, "pairs", "annotate")
        assert verdicts == {str(hit.position): hit.verdict.outcome.value for hit in expected.hits}
        assert set(verdicts.values()) == {"accepted", "rejected"}
    finally:
        engine.request("DELETE", f"/{index}?ignore_unavailable=true")


@pytest.mark.parametrize("form", vectors_of("opensearch"))
def test_every_form_is_composed(opensearch: Engine, cluster: Make, form: str) -> None:
    """What an index would get, without one: the engine reads the mapping of the faiss forms, too."""
    there = cluster(opensearch, "composed")
    there.apply(sidecar="", vectors=form)
    made = opensearch.request("POST", "/_index_template/_simulate_index/composed-a")["template"]
    vector = made["mappings"]["properties"][WINDOWS]["properties"]["vector"]
    assert Mapped.of(made["mappings"]).byte == (form.split("-")[1] == "byte")
    assert vector["dimension"] == 384
    assert vector["method"]["engine"] == form.split("-")[0]
    assert made["settings"]["index"]["knn"] == "true"
    assert made["mappings"]["_meta"]["simgate"]["vectors"] == form


def matched(engine: Engine, index: str) -> bool:
    """Whether a template makes fields for a new index of that name."""
    found = engine.request("POST", f"/_index_template/_simulate_index/{index}")
    return bool(found.get("template", {}).get("mappings"))


def test_prefix_pattern_and_text_field(engine: Engine, cluster: Make) -> None:
    there = cluster(engine, "first")
    given = {"sidecar": "", "pattern": "goods-*", "text_field": "body"}
    there.apply(**given)
    made = engine.request("POST", "/_index_template/_simulate_index/goods-2024")["template"]["mappings"]
    assert made["properties"]["body"] == {"type": "text"} and "text" not in made["properties"]
    assert not matched(engine, "first-a")
    # another prefix is a world of its own
    other = cluster(engine, "second")
    assert "created v1" in other.apply(sidecar="", pattern="services-*").values()
    assert not [word for word in there.apply(**given).values() if word.startswith(("created", "updated"))]
    assert matched(engine, "services-2024") and matched(engine, "goods-2024")


def test_dotted_text_field(engine: Engine, cluster: Make) -> None:
    there = cluster(engine, "dotted")
    there.apply(sidecar="", text_field="body.en")
    made = engine.request("POST", "/_index_template/_simulate_index/dotted-a")["template"]["mappings"]
    assert made["properties"]["body"]["properties"] == {"en": {"type": "text"}}


@pytest.fixture(scope="module")
def knn_only(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """OpenSearch 2.19 with k-NN, without ML Commons and neural-search."""
    request.getfixturevalue("opensearch_2")  # skips where no node can run
    with Node.launch("opensearch-2.19") as node:
        node.kill()
        for plugin in ("opensearch-ml", "opensearch-neural-search"):
            shutil.rmtree(node.folder / "plugins" / plugin)
        yield node.restart()


def test_without_ml_commons(knn_only: Engine, reranker: Reranker, run: Run) -> None:
    chosen = options(knn_only, reranker, "bare")
    told = {f"{change.kind} {change.name}": change for change in run(changes(knn_only, chosen))}
    created = {name for name, change in told.items() if change.action == "created"}
    assert created == {
        "component_template bare-blobs", "component_template bare-vectors", "index_template bare-documents",
    }  # fmt: skip
    left_out = {name: change.detail for name, change in told.items() if change.action == "skipped"}
    assert created | set(left_out) == set(told)
    assert left_out["connector bare-rerank"] == "this cluster has no ML Commons"
    assert left_out["search_pipeline bare-rerank"] == "this cluster has no processor rerank"
    assert left_out["search_pipeline bare-hybrid"] == "this cluster has no processor normalization-processor"
    assert {change.action for change in run(changes(knn_only, chosen))} == {"unchanged", "skipped"}
    gone = run(changes(knn_only, chosen, gone=True))
    assert {f"{change.kind} {change.name}" for change in gone} == created


def test_engine_that_cannot_be_used(
    elasticsearch_9: Engine, opensearch_2: Engine, reranker: Reranker, run: Run, proxied: Callable[..., Proxy]
) -> None:
    proxy = proxied(opensearch_2)
    chosen = options(opensearch_2, reranker, "faults")
    behind = Engine(proxy.url, "opensearch", "")
    proxy.authorization = "Basic bm9ib2R5"
    with pytest.raises(EngineDenied, match="401"):
        run(changes(behind, chosen))
    proxy.authorization = None
    proxy.rules.append(Rule(status=429, times=1))
    with pytest.raises(EngineBusy, match="429"):
        run(changes(behind, chosen))
    proxy.rules.append(Rule(status=404, body=b"not here", times=1))
    with pytest.raises(TemplateError, match="engine: tells of no node"):
        run(changes(behind, chosen))
    with pytest.raises(TemplateError, match="is it elasticsearch"):
        run(changes(Engine(elasticsearch_9.url, "opensearch", ""), chosen))
    with pytest.raises(EngineError, match=r"is not Elasticsearch|406"):
        run(changes(Engine(opensearch_2.url, "elasticsearch", ""), options(elasticsearch_9, reranker, "faults")))
    run(proxy.stop())
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        run(changes(behind, chosen))


def command(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["templates", *arguments])


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_command_lists_every_resource() -> None:
    listed = lines(command("list", "--json"))
    assert [(line["engine"], line["name"]) for line in listed] == [
        (engine, name) for engine in ENGINES for name in names(engine)
    ]
    shown = command("list").stdout
    assert all(f"{line['name']} v{line['version']}: {line['description']}" in shown for line in listed)


@pytest.mark.parametrize("engine", ["opensearch_2", "elasticsearch_9"], indirect=True)
def test_command(engine: Engine, cluster: Make) -> None:
    there = cluster(engine, "cmd")
    before = there.state()
    given = ["--engine", engine.kind, "--url", engine.url, "--prefix", "cmd", "--sidecar", SIDECAR]
    dry = lines(command("apply", *given, "--json", "--dry-run"))
    assert there.state() == before
    shown = command("apply", *given, "--dry-run").stdout.splitlines()
    assert shown == [
        f"would be {line['action']:<9} {line['kind']} {line['name']} {line['detail']}".rstrip() for line in dry
    ]
    assert lines(command("apply", *given, "--json")) == dry
    assert {(line["kind"], line["name"]) for line in dry if line["action"] == "created"} >= {
        ("component_template", "cmd-blobs"), ("index_template", "cmd-documents"),
    }  # fmt: skip
    again = lines(command("apply", *given, "--json"))
    assert {line["action"] for line in again} == {"unchanged", "skipped"}
    gone = lines(command("remove", *given, "--json"))
    assert there.state() == before
    assert [line["name"] for line in reversed(gone) if line["action"] == "removed"] == [
        line["name"] for line in dry if line["action"] == "created"
    ]


@pytest.mark.parametrize("work", ["apply", "remove"])
@pytest.mark.parametrize(("key", "shown"), [("sg_a", "sg_a"), (None, "none")])
def test_the_engine_gets_the_key_of_the_environment(
    work: str, key: str | None, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Options] = []

    async def noted(_request: object, chosen: Options, _dry: bool) -> AsyncIterator[Change]:
        seen.append(chosen)
        yield Change("connector", chosen.prefix, "created")

    monkeypatch.setattr("plugin_server.commands.templates.put", noted)
    monkeypatch.setattr("plugin_server.commands.templates.take", noted)
    if key is None:
        monkeypatch.delenv("SIMGATE_API_KEY", raising=False)
    else:
        monkeypatch.setenv("SIMGATE_API_KEY", key)
    (line,) = lines(command(work, "--engine", "opensearch", "--profile", "pairs", "--sidecar", SIDECAR, "--json"))
    assert line["name"] == "simgate"
    (chosen,) = seen
    assert (chosen.values["api_key"], chosen.values["profile"]) == (shown, "pairs")


def test_another_key_of_the_environment_updates_what_shows_it(
    opensearch_2: Engine, cluster: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster(opensearch_2, "key")
    given = ["--engine", "opensearch", "--url", opensearch_2.url, "--prefix", "key", "--sidecar", SIDECAR, "--json"]

    def updated() -> set[str]:
        return {line["kind"] for line in lines(command("apply", *given)) if line["action"] == "updated"}

    monkeypatch.setenv("SIMGATE_API_KEY", "sg_a")
    lines(command("apply", *given))
    assert updated() == set()
    monkeypatch.setenv("SIMGATE_API_KEY", "sg_b")
    assert updated() == {"connector"}


def test_a_key_that_is_none_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMGATE_API_KEY", "sg_a\n")
    result = command("apply", "--engine", "opensearch", "--url", "http://127.0.0.1:1")
    assert result.exit_code == 1 and "api_key: has characters that keys have not" in result.stderr
    assert "sg_a" not in result.output


@pytest.mark.parametrize(
    ("arguments", "code", "words", "remark"),
    [
        (["apply"], 2, "give --engine", "which engine"),
        (["apply", "--engine", "opensearch", "--prefix", "A"], 1, "prefix: 'A': give small letters", "wrong prefix"),
        (
            ["apply", "--engine", "opensearch", "--vectors", "float"],
            1,
            "vectors: 'float' is not known",
            "another engine's",
        ),
        (["apply", "--engine", "opensearch", "--sidecar", "simgate"], 1, "sidecar: 'simgate' is no address", "no URL"),
        (["remove", "--engine", "opensearch", "--url", "http://127.0.0.1:1"], 1, "cannot be reached", "nobody there"),
        (["apply", "--engine", "opensearch", "--url", "nowhere"], 1, "engine_url: 'nowhere' is no address", "no URL"),
    ],
)
def test_command_refuses(arguments: list[str], code: int, words: str, remark: str) -> None:
    result = command(*arguments)
    assert result.exit_code == code and words in result.stderr
    assert "Traceback" not in result.output
