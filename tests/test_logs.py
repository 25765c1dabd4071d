"""What a server logs, in either form and at every level: the request of each line, and no text unless it is wanted."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import httpx
import pytest
import quoting
from served import Served, served
from serving import serving
from test_gateway_app import RESPONSE, Engine

from plugin_server import Reranker
from plugin_server import simgate_v1_pb2 as pb
from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server.blob import TokenBlob

#: Stands in every text that is sent.
MARK = "xylophone"
QUERY = f"The {MARK} stands on a hill."
SEARCH = {"size": 2, "ext": {"rerank": {"query_context": {"query_text": QUERY}}}}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@contextmanager
def quoted(reranker: Reranker, **environment: str) -> Iterator[Served]:
    """A server that was sent a query by every way in, and failed at each."""
    with serving(Engine(RESPONSE)) as engine:
        command = (quoting.__file__, str(reranker.bundle.folder), engine, QUERY)
        with served(command=command, **environment) as server, httpx.Client(base_url=server.http, timeout=60) as http:
            with grpc.insecure_channel(server.grpc) as channel, pytest.raises(grpc.RpcError):
                pb_grpc.SimgateStub(channel).Rerank(pb.RerankRequest(query=QUERY, candidates=[{"text": QUERY}]))
            answer = http.post(
                "/v2/rerank", json={"query": QUERY, "documents": [QUERY]}, headers={"x-request-id": "shop/17"}
            )
            assert (answer.status_code, answer.headers["x-request-id"]) == (500, "shop/17")
            assert http.post(f"/hills/_search?q={MARK}", json=SEARCH).status_code == 200, "open"
            assert http.get(f"/{MARK}/{MARK}?q={MARK}").status_code == 200
            assert http.post(f"/v2/rerank?{MARK}", content=QUERY).status_code == 400
            server.wait_for(lambda line: "never retrieved" in line)
            server.wait_for(lambda line: "verification failed" in line)
            http.get("/livez", headers={"x-request-id": "last"})
            if environment["log_level"] == "debug":
                server.wait_for(lambda line: "last" in line)
            yield server


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_text_is_logged(reranker: Reranker, form: str) -> None:
    with quoted(reranker, log_format=form, log_level="debug") as server:
        pass
    log = "".join(server.lines)
    assert MARK not in log
    for sign in ("ValueError", "KeyError", "OSError", "quoting.py", "unforeseen error", "UserWarning"):
        assert sign in log, sign


@pytest.mark.parametrize("form", ["text", "json"])
def test_texts_are_logged_where_they_are_wanted(reranker: Reranker, form: str) -> None:
    with quoted(reranker, log_format=form, log_level="debug", log_texts="true") as server:
        pass
    log = "".join(server.lines)
    assert f"cannot read {QUERY}" in log and f"odd: {QUERY}" in log


@pytest.mark.parametrize(("texts", "found"), [("false", False), ("true", True)])
def test_requests_to_the_engine_are_logged_only_with_texts(texts: str, found: bool) -> None:
    """The engine's clients log every body at level debug."""
    with serving(Engine({"error": {"reason": QUERY}}, status=400)) as engine:
        environment = {"engine": "opensearch", "engine_url": engine, "log_level": "debug", "log_texts": texts}
        with served(**environment) as server, grpc.insecure_channel(server.grpc) as channel:
            search = pb_grpc.SimgateStub(channel).Search
            with pytest.raises(grpc.RpcError):
                search(pb.SearchRequest(query=QUERY, index="hills"), timeout=60)
    assert (MARK in "".join(server.lines)) is found


def test_records(reranker: Reranker) -> None:
    with quoted(reranker, log_format="json", log_level="info") as server:
        pass
    records = server.records()
    for record in records:
        assert {"time", "level", "logger", "message"} <= record.keys()
        assert TIME.fullmatch(record["time"])
    faults = [record for record in records if record["message"] == "unforeseen error"]
    assert [record["request_id"] == "shop/17" for record in faults] == [False, True], "the request that failed"
    assert all("ValueError: (left out" in record["exception"] for record in faults)
    lines = [record for record in records if record["logger"] == "plugin_server.access"]
    assert sorted((line["way"], line["route"], line["code"]) for line in lines) == [
        ("grpc", "simgate.v1.Simgate/Rerank", "Internal"),
        ("http", "/v2/rerank", "400"),
        ("http", "/v2/rerank", "500"),
        ("http", "/{index}/_search", "200"),
        ("http", "/{path}", "200"),
    ], "and no probe"
    assert all(line["milliseconds"] > 0 and line["request_id"] for line in lines)


def test_lines_of_text(reranker: Reranker) -> None:
    foreign = TokenBlob("00" * 8, reranker.encode(["a red car"])[0].windows).text()
    with served("--no-index", log_level="info") as server:
        headers = {"x-request-id": "17", "traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
        body = {"query": "a red car", "documents": ["a car that is red", foreign]}
        assert httpx.post(f"{server.http}/v2/rerank", json=body, headers=headers, timeout=60).status_code == 200
        line = server.wait_for(lambda line: "plugin_server.access" in line)
        warning = server.wait_for(lambda line: "token blobs of bundle" in line)
    assert server.lines[0].startswith("Serving on ")
    origin = f" request_id=17 trace_id={'ab' * 16}\n"
    assert warning.endswith(origin), "from the thread that computes, too"
    time, level, name, rest = line.split(" ", 3)
    assert (level, name) == ("INFO", "plugin_server.access:") and TIME.fullmatch(time)
    shape = r"request: way=http route=/v2/rerank code=200 milliseconds=[\d.]+ candidates=2"
    assert re.fullmatch(shape + re.escape(origin), rest)


@pytest.mark.parametrize(
    ("level", "texts", "logged"),
    [
        ("debug", False, ["ours debug", "ours info", "ours warning", "theirs warning"]),
        ("debug", True, ["ours debug", "ours info", "ours warning", "theirs debug", "theirs info", "theirs warning"]),
        ("info", True, ["ours info", "ours warning", "theirs warning"]),
        ("warning", False, ["ours warning", "theirs warning"]),
        ("error", False, []),
    ],
)
def test_levels(level: str, texts: bool, logged: list[str]) -> None:
    code = f"""
import logging
from plugin_server import logs
from plugin_server.server_settings import ServerSettings
logs.begin(ServerSettings(log_format="json", log_level="{level}", log_texts={texts}))
for name, logger in (("ours", "plugin_server.any"), ("theirs", "opensearch")):
    for level in ("debug", "info", "warning"):
        getattr(logging.getLogger(logger), level)("%s %s", name, level)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert [json.loads(line)["message"] for line in done.stderr.splitlines()] == logged


def test_nothing_forges_a_line_of_json() -> None:
    code = """
import logging
from plugin_server import logs
from plugin_server.server_settings import ServerSettings
logs.begin(ServerSettings(log_format="json"))
logging.getLogger("plugin_server.any").info('a "quote", a\\nbreak and half a pair \\ud800', extra={"secret": "x"})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["message"] == 'a "quote", a\nbreak and half a pair \ud800'
    assert "secret" not in line, "keys are ours"
