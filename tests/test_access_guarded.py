"""Requests behind keys and certificates, as they are counted and logged."""

from __future__ import annotations

import logging
from pathlib import Path

import grpc
import httpx
import pytest
from conftest import Run
from test_guard import GOOD, KEYS, table

from plugin_server import Reranker
from plugin_server import simgate_v1_pb2 as pb
from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server.server import Server
from plugin_server.server_settings import ServerSettings
from plugin_server.service import NAME


def test_who_has_no_key_is_seen_too(
    reranker: Reranker, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "plugin_server.access")
    (tmp_path / "keys.toml").write_text(table("one"))
    settings = ServerSettings(api_keys=str(tmp_path / "keys.toml"))
    server = run(Server.start(reranker, "127.0.0.1:0", settings=settings, http_address="127.0.0.1:0"))
    url, key = f"http://{server.http_address}", {"x-api-key": KEYS["one"]}
    try:
        with grpc.insecure_channel(server.address) as channel:
            stub = pb_grpc.SimgateStub(channel)
            stub.Info(pb.InfoRequest(), metadata=(("x-api-key", KEYS["one"]),))
            for method in (stub.Info, channel.unary_unary("/made.Up/Name", lambda request: b"")):
                with pytest.raises(grpc.RpcError) as refused:
                    method(pb.InfoRequest(), timeout=60)
                assert len(dict(refused.value.trailing_metadata())["x-request-id"]) == 32
        refusal = httpx.post(f"{url}/v2/rerank", json=GOOD, timeout=60)
        assert (refusal.status_code, len(refusal.headers["x-request-id"])) == (401, 32)
        assert httpx.post(f"{url}/v2/rerank", json=GOOD, headers=key, timeout=60).status_code == 200
        with httpx.Client(headers=key) as http:
            text = http.get(f"{url}/metrics").text
    finally:
        run(server.stop(0))
    handled = {line.rsplit(" ", 1)[0] for line in text.splitlines() if line.startswith("grpc_server_handled_total")}
    info = f'grpc_method="Info",grpc_service="{NAME}",grpc_type="unary"'
    assert f'grpc_server_handled_total{{grpc_code="Unauthenticated",{info}}}' in handled
    assert not any("made" in name or "bidi" in name for name in handled), "callers make no series"
    lines = [record.fields for record in caplog.records if record.name == "plugin_server.access"]
    told = [(line["route"], line["code"], line.get("key", "")) for line in lines]
    assert sorted(line for line in told if line[0] != "/metrics") == [
        ("/v2/rerank", "200", "one"),
        ("/v2/rerank", "401", ""),
        (f"{NAME}/Info", "OK", "one"),
        (f"{NAME}/Info", "Unauthenticated", ""),
        ("unknown/unknown", "Unauthenticated", ""),
    ]
