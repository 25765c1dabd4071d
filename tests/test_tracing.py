"""Traces as a real collector gets them, from the caller's span to the engine's request; and what they do not hold."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as otlp_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from served import Served, served
from serving import serving
from test_gateway_app import RESPONSE, Engine

from plugin_server import simgate_v1_pb2 as pb
from plugin_server import simgate_v1_pb2_grpc as pb_grpc

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
#: Stands in every text that is sent, and may stand nowhere in a trace.
MARK = "xylophone"
QUERY = f"The {MARK} stands on a hill."
SEARCH = {"size": 2, "ext": {"rerank": {"query_context": {"query_text": QUERY}}}}


class Collector(otlp_grpc.TraceServiceServicer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.resources: list[dict[str, str]] = []
        self._news = threading.Condition()

    def Export(self, request: Any, context: Any) -> Any:
        with self._news:
            for part in request.resource_spans:
                self.resources.append({item.key: item.value.string_value for item in part.resource.attributes})
                self.spans += [span for scope in part.scope_spans for span in scope.spans]
            self._news.notify_all()
        return otlp.ExportTraceServiceResponse()

    def wait_for(self, name: str) -> Span:
        """The span of that name, as soon as it is there."""
        with self._news:
            assert self._news.wait_for(lambda: any(span.name == name for span in self.spans), 60), self.names()
            return next(span for span in self.spans if span.name == name)

    def names(self) -> list[str]:
        return sorted(span.name for span in self.spans)

    def below(self, span: Span) -> list[Span]:
        """Every span below one."""
        children = [item for item in self.spans if item.parent_span_id == span.span_id]
        return children + [one for child in children for one in self.below(child)]


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    """A collector and its address."""
    collector, server = Collector(), grpc.server(ThreadPoolExecutor(2))
    otlp_grpc.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield collector, f"http://127.0.0.1:{port}"
    server.stop(None).wait()


@contextmanager
def traced(address: str, **environment: str) -> Iterator[Served]:
    """A server that sends traces there, soon."""
    sent = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with served("--no-index", tracing="otlp", log_format="json", log_level="debug", **sent, **environment) as server:
        yield server


def attributes(span: Span) -> dict[str, Any]:
    values = {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in span.attributes}
    return {key: value for key, value in values.items() if not key.startswith(("thread.", "server.", "network."))}


def test_a_verified_search_from_the_caller_to_the_engine() -> None:
    engine = Engine(RESPONSE)
    with collecting() as (collector, address), serving(engine) as url:
        with traced(address, engine="opensearch", engine_url=url) as server:
            path = f"{server.http}/hills/_search?pretty=true&preference={MARK}"
            assert [httpx.get(server.http + probe).status_code for probe in ("/readyz", "/metrics")] == [200, 200]
            found = httpx.post(path, json=SEARCH, headers={"traceparent": TRACEPARENT}, timeout=60)
            assert found.status_code == 200
            record = json.loads(server.wait_for(lambda line: "/{index}/_search" in line))
            assert record["trace_id"] == TRACE
        spans = collector.spans  # ended in order: all were sent
    assert {span.trace_id.hex() for span in spans} == {TRACE}, collector.names()
    root = collector.wait_for("POST /{index}/_search")
    assert (root.parent_span_id.hex(), root.kind) == (PARENT, Span.SPAN_KIND_SERVER)
    assert attributes(root) == {
        "http.request.method": "POST",
        "http.route": "/{index}/_search",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "simgate.request_id": found.headers["x-request-id"],
    }
    assert sorted(span.name for span in collector.below(root)) == sorted(
        ["POST", "simgate.encode", "simgate.encode", "simgate.queue", "simgate.queue", "simgate.verify"]
    )
    asked = collector.wait_for("POST")
    assert asked.kind == Span.SPAN_KIND_CLIENT
    assert attributes(asked)["url.full"] == f"{url}/hills/_search"
    assert attributes(collector.wait_for("simgate.verify")) == {"simgate.candidates": 3, "simgate.pairs": 3}
    (seen,) = [dict(request["headers"])["traceparent"] for request in engine.requests]
    assert seen == f"00-{TRACE}-{asked.span_id.hex()}-01", "the engine goes on with the trace"
    assert MARK not in str(spans)
    assert collector.resources[0]["service.name"] == "simgate"
    assert collector.resources[0]["service.version"]


@pytest.mark.parametrize(("kind", "names"), [("opensearch", {"GET"}), ("elasticsearch", {"GET"})])
def test_a_search_that_the_engine_refuses(kind: str, names: set[str]) -> None:
    """The error quotes the query, and so does what the engine's client raises."""
    reason = {"error": {"type": "parsing_exception", "reason": f"unknown query [{MARK}]"}, "status": 400}
    product = {"X-elastic-product": "Elasticsearch"}
    engine = Engine(reason, status=400, headers=product)
    with collecting() as (collector, address), serving(engine) as url:
        with traced(address, engine=kind, engine_url=url, OTEL_SERVICE_NAME="shop-search") as server:
            request = pb.SearchRequest(query=QUERY, index="hills", filter=f'{{"term": {{"text": "{MARK}"}}}}')
            metadata = (("traceparent", TRACEPARENT),)
            with grpc.insecure_channel(server.grpc) as channel:
                stub = pb_grpc.SimgateStub(channel)
                with pytest.raises(grpc.RpcError) as refused:
                    stub.Search(request, metadata=metadata, timeout=60)
            assert MARK in refused.value.details(), "the caller is told"
        assert MARK not in "".join(server.lines)
    root = collector.wait_for("simgate.v1.Simgate/Search")
    assert (root.parent_span_id.hex(), root.kind) == (PARENT, Span.SPAN_KIND_SERVER)
    assert attributes(root)["rpc.grpc.status_code"] == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    below = collector.below(root)
    assert names <= {span.name for span in below}
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    ids = {span.span_id.hex() for span in below if span.kind == Span.SPAN_KIND_CLIENT}
    seen = [dict(request["headers"])["traceparent"].split("-") for request in engine.requests]
    assert seen and all(trace == TRACE and parent in ids for _, trace, parent, _ in seen)
    assert MARK not in str(collector.spans)
    assert collector.resources[0]["service.name"] == "shop-search", "OpenTelemetry's own variable counts"


def test_a_request_without_a_trace_begins_one() -> None:
    with collecting() as (collector, address), traced(address) as server, httpx.Client(base_url=server.http) as http:
        body = {"query": QUERY, "documents": [QUERY]}
        assert http.post("/v2/rerank", json=body, timeout=60).status_code == 200
        root = collector.wait_for("POST /v2/rerank")
        collector.wait_for("simgate.verify")
        assert not root.parent_span_id
        record = json.loads(server.wait_for(lambda line: "/v2/rerank" in line))
        assert record["trace_id"] == root.trace_id.hex()


def test_a_collector_that_is_not_there_harms_nobody() -> None:
    with traced("http://127.0.0.1:1", OTEL_EXPORTER_OTLP_TIMEOUT="1") as server:
        body = {"query": QUERY, "documents": [QUERY]}
        assert httpx.post(f"{server.http}/v2/rerank", json=body, timeout=60).status_code == 200
        server.wait_for(lambda line: "opentelemetry" in line)
    assert MARK not in "".join(server.lines)


def test_without_the_extra() -> None:
    hide = "import sys; sys.modules['opentelemetry'] = None; from plugin_server.cli import main; main()"
    command = [sys.executable, "-c", hide, "serve", "--no-index"]
    found = subprocess.run(command, env={"SIMGATE_TRACING": "otlp"}, capture_output=True, text=True, timeout=120)
    said = "simgate: tracing: OpenTelemetry is not installed: pip install 'simgate[tracing]'\n"
    assert (found.returncode, found.stderr) == (1, said)


def test_without_tracing_nothing_of_it_is_imported() -> None:
    """FastAPI by itself imports OpenTelemetry's bare interface where that is installed."""
    code = "import sys, plugin_server.server, plugin_server.tracing\n"
    code += "assert not {name for name in sys.modules if name.startswith('opentelemetry')}\n"
    code += "import plugin_server.http.access, plugin_server.http.app\n"
    code += "heavy = tuple(f'opentelemetry.{part}' for part in ('sdk', 'exporter', 'instrumentation'))\n"
    code += "assert not {name for name in sys.modules if name.startswith(heavy)}"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
