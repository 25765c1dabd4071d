"""Clients that do not send what they announced, and connections that grow old."""

from __future__ import annotations

import json
import queue
import socket

import grpc
import pytest
from conftest import Run
from serving import serving
from test_gateway_app import RESPONSE, Engine

from plugin_server import Reranker
from plugin_server import simgate_v1_pb2 as pb
from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server.backend import Source
from plugin_server.engines.settings import EngineSettings
from plugin_server.server import Server
from plugin_server.server_settings import ServerSettings


@pytest.mark.parametrize(
    ("path", "field"),
    [("/v2/rerank", "message"), ("/rerank", "error"), ("/a/_search", "error"), ("/_msearch", "error")],
)
@pytest.mark.parametrize("length", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_body_that_never_ends(path: str, field: str, length: str, reranker: Reranker, run: Run) -> None:
    engine = Engine(RESPONSE)
    with serving(engine) as url:
        source, settings = Source(engine=EngineSettings(engine_url=url)), ServerSettings(deadline=0.2)
        server = run(Server.start(reranker, "127.0.0.1:0", source, settings, "127.0.0.1:0"))
        try:
            host, _, port = server.http_address.rpartition(":")
            with socket.create_connection((host, int(port)), 60) as connection:
                head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
                connection.sendall(head.encode() + (b"2\r\n{\n\r\n" if "chunked" in length else b"{\n"))
                answer = b"".join(iter(lambda: connection.recv(10_000), b""))  # to its end: the connection is closed
        finally:
            run(server.stop(0))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert "body: the deadline has passed before its end came" in str(
        json.loads(answer.partition(b"\r\n\r\n")[2])[field]
    )
    assert not engine.requests


def test_old_connections_end_and_calls_go_on(reranker: Reranker, run: Run) -> None:
    settings = ServerSettings(max_connection_age=0.5)
    server = run(Server.start(reranker, "127.0.0.1:0", settings=settings))
    states: queue.Queue[grpc.ChannelConnectivity] = queue.Queue()
    try:
        with grpc.insecure_channel(server.address) as channel:
            channel.subscribe(states.put)
            stub = pb_grpc.SimgateStub(channel)
            for _ in range(2):
                assert stub.Info(pb.InfoRequest(), timeout=60).version
                while states.get(timeout=60) is not grpc.ChannelConnectivity.READY:
                    pass
                while states.get(timeout=60) is not grpc.ChannelConnectivity.IDLE:
                    pass
    finally:
        run(server.stop(0))
