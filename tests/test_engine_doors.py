"""Search over an engine by gRPC, HTTP and command: one answer; and what is left of it when verification fails."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import onnx
import pytest
from click.testing import CliRunner
from conftest import Run
from grpc import StatusCode as Code
from indices import Demo, search, settings_of
from nodes.engine import Engine as Node
from onnx import TensorProto, helper

from plugin_server import Bundle, Outcome, Reranker, Settings
from plugin_server.backend import Source
from plugin_server.bundle import VERIFIER, sha256
from plugin_server.cli import main
from plugin_server.client import Client
from plugin_server.errors import VerificationFailed
from plugin_server.remote import RemoteError
from plugin_server.search import Question
from plugin_server.server import Server

CLIENTS = pytest.mark.parametrize("engine", ["opensearch_2", "elasticsearch_9"], indirect=True)
QUERY = "A refund after the parcel was handed over"


@pytest.fixture(scope="session")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The bundle in the package, with a verifier that loads but fails whenever it is run."""
    folder = tmp_path_factory.mktemp("failing") / "bundle"
    bundle = Bundle.open("")
    shutil.copytree(bundle.folder, folder)
    wide = bundle.manifest.token_dimension
    integers = [("query_length", ["b"]), ("document_length", ["b"])]
    rows = [("query", ["b", "q", wide]), ("document", ["b", "d", wide])]
    table = helper.make_tensor("table", TensorProto.FLOAT, [2, 2], [0.0] * 4)
    # no row of the table has a number as high as that of a text's tokens and a thousand
    nodes = [
        helper.make_node("Add", ["query_length", "thousand"], ["row"]),
        helper.make_node("Gather", ["table", "row"], ["logits"]),
        helper.make_node("Gather", ["table", "row"], ["best"]),
    ]
    graph = helper.make_graph(
        nodes,
        "failing",
        [helper.make_tensor_value_info(name, TensorProto.INT8, shape) for name, shape in rows]
        + [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name, shape in integers],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", 2]) for name in ("logits", "best")],
        [table, helper.make_tensor("thousand", TensorProto.INT64, [1], [1000])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / VERIFIER)
    manifest = bundle.manifest
    replace(manifest, files=manifest.files | {VERIFIER: sha256(folder / VERIFIER)}).write(folder)
    return Bundle.open(folder)


@CLIENTS
def test_a_search_that_cannot_be_verified_gives_the_engines_hits(
    engine: Node, demo: Demo, reranker: Reranker, failing: Bundle, caplog: pytest.LogCaptureFixture
) -> None:
    question = Question(QUERY, k=20, top_n=5, index=demo.index(engine))
    wanted = search(settings_of(engine), reranker, replace(question, policy="annotate")).recall
    answer = search(settings_of(engine), Reranker(failing), question)
    assert answer.recall == wanted
    assert [hit.candidate.id for hit in answer.ranking.hits] == [item.document.id for item in wanted[:5]]
    assert answer.ranking.dropped == ()
    for hit in answer.ranking.hits:
        assert hit.verdict.outcome is Outcome.UNVERIFIED
        assert hit.verdict.reason.startswith("verification failed")
    assert "verification failed" in caplog.text


@CLIENTS
def test_or_fails_where_the_settings_say_so(engine: Node, demo: Demo, failing: Bundle) -> None:
    closed = Reranker(failing, Settings(on_failure="closed"))
    with pytest.raises(VerificationFailed, match="the hits could not be verified"):
        search(settings_of(engine), closed, Question(QUERY, index=demo.index(engine)))
    nothing = Question(QUERY, index=demo.index(engine), filter={"term": {"kind": 9}})
    assert search(settings_of(engine), closed, nothing).recall == (), "nothing is left to verify"


class Doors:
    """A server with an engine, and what each of its doors says."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def http(self, **asked: Any) -> httpx.Response:
        return httpx.post(f"http://{self.server.http_address}/v1/search", json=asked, timeout=60)

    def grpc(self, question: Question) -> Any:
        with Client(self.server.address) as client:
            return client.search(question)


@pytest.fixture
def doors(engine: Node, demo: Demo, reranker: Reranker, run: Run) -> Iterator[Doors]:
    server = run(
        Server.start(
            reranker, "127.0.0.1:0", Source(engine=settings_of(engine), name=demo.index(engine)),
            http_address="127.0.0.1:0",
        )
    )  # fmt: skip
    yield Doors(server)
    run(server.stop(0))


#: Of a question, by HTTP's and the core's names, and the options of the command.
ASKED: list[tuple[dict[str, Any], list[str], str]] = [
    ({}, [], "nothing but a query"),
    ({"policy": "annotate", "k": 30}, ["--policy", "annotate", "-k", "30"], "everything is kept"),
    ({"policy": "demote", "top_n": 3}, ["--policy", "demote", "--top-n", "3"], "few hits"),
    ({"filter": {"term": {"kind": 1}}}, ["--filter", '{"term": {"kind": 1}}'], "a filter"),
    (
        {"recall_query": {"match": {"text": "parcel"}}, "policy": "annotate"},
        ["--recall-query", '{"match": {"text": "parcel"}}', "--policy", "annotate"],
        "a query of one's own",
    ),
]


@pytest.mark.parametrize("engine", ["opensearch_3", "elasticsearch_9"], indirect=True)
@pytest.mark.parametrize(("asked", "options", "remark"), ASKED, ids=[row[2] for row in ASKED])
def test_every_door_gives_the_same(
    engine: Node,
    demo: Demo,
    reranker: Reranker,
    doors: Doors,
    asked: dict[str, Any],
    options: list[str],
    remark: str,
) -> None:
    question = Question(**{"query": QUERY, "top_n": 10, **asked})
    answer = search(settings_of(engine), reranker, replace(question, index=demo.index(engine)))
    wanted = [
        (hit.candidate.id, hit.verdict.outcome.value, hit.position, hit.verdict.reason) for hit in answer.ranking.hits
    ]
    chances = pytest.approx([hit.verdict.probability for hit in answer.ranking.hits], abs=1e-5)
    scores = pytest.approx([hit.score for hit in answer.ranking.hits], abs=1e-5)
    assert wanted

    by_grpc = doors.grpc(question)
    assert [
        (hit.document.id, hit.verdict.outcome.value, hit.position, hit.verdict.reason) for hit in by_grpc.hits
    ] == wanted
    assert [hit.verdict.probability for hit in by_grpc.hits] == chances
    assert [hit.score for hit in by_grpc.hits] == scores
    assert [hit.document for hit in by_grpc.hits] == [answer.found(hit).document for hit in answer.ranking.hits]
    assert len(by_grpc.dropped) == len(answer.ranking.dropped)

    by_http = doors.http(model="simgate-passages", query=QUERY, **{"top_n": 10, **asked}).raise_for_status().json()
    command = ["search", QUERY, "--json", "--engine", engine.kind, "--url", engine.url, "--index", demo.index(engine)]
    result = CliRunner().invoke(main, [*command, *options])
    assert result.exit_code == 0, result.stderr
    by_command = json.loads(result.stdout)
    for found in (by_http["hits"], by_command["hits"]):
        assert [(hit["id"], hit["verdict"], hit["position"], hit["reason"]) for hit in found] == wanted
        assert [hit["probability"] for hit in found] == chances
        assert [hit["score"] for hit in found] == scores
        assert [(hit["text"], hit["extra"]) for hit in found] == [
            (hit.document.text, hit.document.extra) for hit in by_grpc.hits
        ]
    assert by_http["dropped"] == by_command["dropped_count"] == len(answer.ranking.dropped)

    again = engine.request(
        "POST", f"/{demo.index(engine)}/_search", {"size": 100, "_source": False, "query": json.loads(by_http["query"])}
    )
    assert [hit["_id"] for hit in again["hits"]["hits"]] == [row[0] for row in wanted], "exactly these, in this order"


REFUSED: list[tuple[dict[str, Any], int, Code, str]] = [
    ({"index": "st-absent"}, 404, Code.NOT_FOUND, "an index that is not there"),
    ({"filter": {"pear": {}}}, 400, Code.INVALID_ARGUMENT, "a filter that is none"),
    ({"k": 1001}, 400, Code.INVALID_ARGUMENT, "too many"),
    ({"index": "_all"}, 400, Code.INVALID_ARGUMENT, "a name that is none"),
]


@CLIENTS
@pytest.mark.parametrize(("asked", "status", "code", "remark"), REFUSED, ids=[row[3] for row in REFUSED])
def test_every_door_refuses_the_same(
    engine: Node, doors: Doors, asked: dict[str, Any], status: int, code: Code, remark: str
) -> None:
    assert doors.http(query=QUERY, **asked).status_code == status
    with pytest.raises(RemoteError) as caught:
        doors.grpc(Question(**{"query": QUERY, **asked}))
    assert caught.value.code is code


@CLIENTS
@pytest.mark.parametrize("on_failure", ["open", "closed"])
def test_a_server_that_cannot_verify(engine: Node, demo: Demo, failing: Bundle, run: Run, on_failure: str) -> None:
    server = run(
        Server.start(
            Reranker(failing, Settings(on_failure=on_failure)), "127.0.0.1:0", http_address="127.0.0.1:0",
            source=Source(engine=settings_of(engine), name=demo.index(engine)),
        )
    )  # fmt: skip
    try:
        doors = Doors(server)
        answer = doors.http(query=QUERY, k=10)
        metrics = httpx.get(f"http://{server.http_address}/metrics").text
        if on_failure == "open":
            assert [hit["verdict"] for hit in answer.json()["hits"]] == ["unverified"] * 10
            assert {hit.verdict.outcome for hit in doors.grpc(Question(QUERY)).hits} == {Outcome.UNVERIFIED}
            assert 'simgate_unverified_total{cause="failure"} 10.0' in metrics
        else:
            assert answer.status_code == 503
            with pytest.raises(RemoteError, match="could not be verified") as caught:
                doors.grpc(Question(QUERY))
            assert caught.value.code is Code.UNAVAILABLE
    finally:
        run(server.stop(0))
