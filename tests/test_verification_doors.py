"""``verification`` by every door: the same candidates are verified, and the answer tells which were not."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from serving import serving
from test_gateway_app import Engine, call

from plugin_server import Outcome, Reranker, Settings
from plugin_server.cli import main
from plugin_server.client import Client
from plugin_server.core import Core
from plugin_server.errors import UnknownChoice
from plugin_server.gateway.app import Gateway
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.search import Question

QUERY = "turn left at the church"
TEXTS = ["at the church, turn left", "turn left at the church!", "Turn left when you reach the church."] * 4
#: Depth, wanted hits, and how many of twelve are verified.
DEPTHS = [("full", 2, 12), ("cascade", 2, 8), ("cascade", 11, 11), ("light", 2, 0)]


@pytest.mark.parametrize(("depth", "wanted", "verified"), DEPTHS)
def test_grpc(address: str, depth: str, wanted: int, verified: int) -> None:
    with Client(address, timeout=60) as client:
        ranking = client.rerank(QUERY, TEXTS, "pairs", "annotate", wanted, verification=depth)
        outcomes = [hit.verdict.outcome for hit in ranking.hits]
        assert len(outcomes) == wanted
        assert (Outcome.UNVERIFIED in outcomes) is (depth == "light")
        with pytest.raises(UnknownChoice, match="verification: 'half' is not known"):
            client.rerank(QUERY, TEXTS, verification="half")
        found = client.search(
            Question("The station is on a hill.", k=3, top_n=3, policy="annotate", verification=depth)
        )
        assert all((hit.verdict.outcome is Outcome.UNVERIFIED) is (depth == "light") for hit in found.hits)
        assert client.info().verification == "full"


@pytest.mark.parametrize(("depth", "wanted", "verified"), DEPTHS)
@pytest.mark.parametrize("door", ["/v2/rerank", "/v1/rerank", "/rerank"])
def test_http(http_url: str, door: str, depth: str, wanted: int, verified: int) -> None:
    names = "texts" if door == "/rerank" else "documents"
    body = {"query": QUERY, names: TEXTS, "profile": "pairs", "policy": "annotate", "verification": depth}
    answer = httpx.post(f"{http_url}{door}?details=true", json=body | {"top_n": wanted}, timeout=60).json()
    results = answer if door == "/rerank" else answer["results"]
    reasons = [result.get("reason", "") for result in results]
    assert len(results) == wanted
    assert all(reason.startswith("light: ") for reason in reasons) if depth == "light" else not any(reasons)
    whole = httpx.post(f"{http_url}{door}?details=true", json=body, timeout=60).json()
    whole = whole if door == "/rerank" else whole["results"]
    expected = 10 if depth == "cascade" else verified
    assert sum(result["verdict"] != "unverified" for result in whole) == expected
    wrong = httpx.post(f"{http_url}{door}", json=body | {"verification": "half"})
    assert wrong.status_code == 400 and "verification: 'half' is not known" in wrong.text


@pytest.mark.parametrize(("depth", "wanted", "verified"), DEPTHS)
def test_gateway(reranker: Reranker, depth: str, wanted: int, verified: int) -> None:
    hits = [
        {"_index": "a", "_id": str(n), "_score": 0.9 - n / 100, "fields": {"text": [text]}}
        for n, text in enumerate(TEXTS)
    ]
    total = {"value": 12, "relation": "eq"}
    response = {"took": 1, "timed_out": False, "hits": {"total": total, "max_score": 0.9, "hits": hits}}
    knobs = {"profile": "pairs", "policy": "annotate", "verification": depth}
    ext = {"rerank": {"query_context": {"query_text": QUERY}}, "simgate": knobs}
    with serving(Engine(response)) as engine, serving(Gateway(Core(reranker), GatewaySettings(engine))) as url:
        for size in (wanted, 12):
            asked = {"query": {"match": {"text": QUERY}}, "size": size, "ext": ext}
            status, _, raw = call(url, "POST", "/a/_search", asked)
            found = json.loads(raw)["hits"]["hits"]
            assert status == 200 and len(found) == size
            marks = [hit["fields"]["simgate"][0] for hit in found]
            if size == wanted:
                assert all((mark["verdict"] == "unverified") is (depth == "light") for mark in marks)
            elif depth != "cascade":
                assert sum(mark["verdict"] != "unverified" for mark in marks) == verified
        ext["simgate"]["verification"] = "half"
        status, _, raw = call(url, "POST", "/a/_search", asked)
        assert status == 400 and b"ext.simgate.verification" in raw


@pytest.mark.parametrize(("depth", "wanted", "verified"), DEPTHS)
def test_command(tmp_path: Path, depth: str, wanted: int, verified: int) -> None:
    file = tmp_path / "candidates.jsonl"
    file.write_text("".join(json.dumps({"text": text, "score": 1 - n / 100}) + "\n" for n, text in enumerate(TEXTS)))
    options = ["--profile", "pairs", "--policy", "annotate", "--verification", depth, "--json"]
    result = CliRunner().invoke(main, ["rerank", QUERY, str(file), *options, "--top-n", str(wanted)])
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, Any]] = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(found) == wanted
    assert all((hit["verdict"] == "unverified") is (depth == "light") for hit in found)


def test_the_setting_counts_where_a_request_does_not_say(reranker: Reranker) -> None:
    light = Reranker(reranker.bundle, Settings.read({"SIMGATE_VERIFICATION": "light"}))
    assert [hit.verdict.outcome for hit in light.rerank(QUERY, TEXTS[:2]).hits] == [Outcome.UNVERIFIED] * 2
