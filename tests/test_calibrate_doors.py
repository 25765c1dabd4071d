"""A calibration by every way in: Python, gRPC, HTTP, search, the gateway; and what a wrong name is answered with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from calibrating import calibration
from conftest import Run
from test_gateway_app import Engine, call, gateway

from plugin_server import Candidate, Outcome, Policy, Reranker, Settings
from plugin_server.backend import Source
from plugin_server.calibration import OWN
from plugin_server.client import AsyncClient, Client
from plugin_server.corpus import Document
from plugin_server.errors import SimgateError, UnknownCalibration
from plugin_server.index import Found, Index
from plugin_server.relevance import rerank as relevant
from plugin_server.remote import RemoteInvalidRequest
from plugin_server.search import Question, Searcher, verified
from plugin_server.server import Server

QUERY = "The station stands on a hill."
TEXTS = ["The station is on a hill.", "The hill is on a station.", "Bread is sold here."]
WORDS = "calibration: 'pear' is not loaded for profile"


@pytest.fixture(scope="module")
def strict(reranker: Reranker, tmp_path_factory: pytest.TempPathFactory) -> Reranker:
    """The default bundle with calibrations `shop`, for both profiles, that reject everything."""
    folder = tmp_path_factory.mktemp("calibrations")
    for profile in ("pairs", "passages"):
        calibration(reranker.manifest, profile=profile).write(folder / f"shop.{profile}.calibration.json")
    return Reranker.load(Settings(calibrations=str(folder)))


@pytest.fixture(scope="module")
def server(strict: Reranker, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It serves by gRPC and HTTP, with an index."""
    path: Path = tmp_path_factory.mktemp("index") / "index.db"
    with Index.create(path, strict.manifest) as index:
        index.add([Document(str(number), text) for number, text in enumerate(TEXTS)], strict.encode(TEXTS))
        started = run(Server.start(strict, "127.0.0.1:0", Source(index), http_address="127.0.0.1:0"))
        yield started
        run(started.stop(0))


@pytest.mark.parametrize("profile", ["pairs", "passages"])
def test_its_threshold_counts_and_is_told(strict: Reranker, profile: str) -> None:
    held, own = (strict.verify(QUERY, TEXTS[0], profile, name) for name in ("shop", ""))
    assert (held.outcome, held.threshold, held.calibration) == (Outcome.REJECTED, 0.9999, "shop")
    assert (own.outcome, own.calibration) == (Outcome.ACCEPTED, "")
    assert held.probability == own.probability, "this one has the bundle's own scale and bias"
    assert strict.verify(QUERY, TEXTS[0], profile, OWN) == own


def test_its_scale_and_bias_count(reranker: Reranker, tmp_path: Path) -> None:
    made = calibration(reranker.manifest, name="default", scale=0.25, bias=-1.0, threshold=0.25)
    made.write(tmp_path / "a.calibration.json")
    changed = Reranker.load(Settings(calibrations=str(tmp_path)))
    own, other = (item.verify(QUERY, TEXTS[1], "pairs") for item in (reranker, changed))
    logit = (odds(own.probability) - reranker.manifest.profile("pairs").bias) / reranker.manifest.profile("pairs").scale
    assert odds(other.probability) == pytest.approx(0.25 * logit - 1)
    assert (other.calibration, other.threshold) == ("default", 0.25), "it counts where a request names none"
    assert changed.verify(QUERY, TEXTS[1], "pairs", OWN) == own
    assert changed.verify(QUERY, TEXTS[1], "passages").calibration == "", "the other profile has none"


def odds(probability: float | None) -> float:
    import math

    assert probability
    return math.log(probability / (1 - probability))


def test_a_long_document_has_the_same_threshold(strict: Reranker) -> None:
    long = "A lamp stands by the door. " * 60
    assert {strict.verify(QUERY, text, "passages", "shop").threshold for text in (long, TEXTS[0])} == {0.9999}
    assert len({strict.verify(QUERY, text, "passages").threshold for text in (long, TEXTS[0])}) == 2


def test_it_does_not_change_the_order(reranker: Reranker, tmp_path: Path) -> None:
    made = calibration(reranker.manifest, profile="passages", scale=2.0, bias=1.0, threshold=0.5)
    made.write(tmp_path / "a.calibration.json")
    changed = Reranker.load(Settings(calibrations=str(tmp_path)))
    texts = [*TEXTS, "A hill is near.", "The station stands beside the hill.", "Trains leave from the hill."]
    before, after = (
        [hit.position for hit in changed.rerank(QUERY, texts, policy="annotate", calibration=name).hits]
        for name in ("", "shop")
    )
    assert before == after


def test_what_cannot_be_read_is_held_against_it_too(strict: Reranker) -> None:
    ranking = strict.rerank(QUERY, ["", TEXTS[0]], lenient=True, calibration="shop")
    (hit,) = ranking.hits
    assert (hit.verdict.outcome, hit.verdict.threshold, hit.verdict.calibration) == ("unverified", 0.9999, "shop")
    failed = strict.unverified([Candidate("a")], "passages", "it broke", "shop")
    assert failed.hits[0].verdict.calibration == "shop"


UNKNOWN: list[Callable[[Reranker], Any]] = [
    lambda reranker: reranker.rerank(QUERY, TEXTS, calibration="pear"),
    lambda reranker: reranker.verify(QUERY, TEXTS[0], calibration="pear"),
    lambda reranker: reranker.verify_pairs([], calibration="pear"),
    lambda reranker: relevant(reranker, QUERY, [Candidate("a")], "pairs", Policy.DEMOTE, "texts", "pear"),
    lambda reranker: Question(QUERY, calibration="pear").check(reranker),
    lambda reranker: reranker.rerank(QUERY, TEXTS, calibration="../shop"),
    lambda reranker: reranker.rerank(QUERY, TEXTS, calibration="SHOP"),
]


@pytest.mark.parametrize("number", range(len(UNKNOWN)))
def test_an_unknown_name_is_an_error_that_tells_no_other_names(strict: Reranker, number: int) -> None:
    with pytest.raises(UnknownCalibration, match="is not loaded for profile") as caught:
        UNKNOWN[number](strict)
    assert "'shop'" not in str(caught.value).replace("../shop", "")


def test_grpc(server: Server, strict: Reranker, run: Run) -> None:
    with Client(server.address, timeout=60) as client:
        for name in ("shop", "", OWN):
            assert client.rerank(QUERY, TEXTS, calibration=name) == strict.rerank(QUERY, TEXTS, calibration=name)
            pairs = [(QUERY, text) for text in TEXTS]
            assert client.verify(pairs, calibration=name) == strict.verify_pairs(pairs, calibration=name)
        assert not client.search(Question(QUERY, calibration="shop")).hits
        assert {hit.verdict.calibration for hit in client.search(Question(QUERY, calibration="shop")).dropped} == {
            "shop"
        }
        assert client.search(QUERY).hits
        calls: list[Callable[[], Any]] = [
            lambda: client.rerank(QUERY, TEXTS, calibration="pear"),
            lambda: client.verify([(QUERY, TEXTS[0])], calibration="pear"),
            lambda: client.search(Question(QUERY, calibration="pear")),
        ]
        for ask in calls:
            with pytest.raises(RemoteInvalidRequest, match=WORDS):
                ask()

    async def asked() -> Any:
        async with AsyncClient(server.address, timeout=60) as client:
            return await client.rerank(QUERY, TEXTS, calibration="shop"), await client.verify(
                [(QUERY, "a")], calibration="shop"
            )

    ranking, verdicts = run(asked())
    assert ranking == strict.rerank(QUERY, TEXTS, calibration="shop")
    assert verdicts[0].calibration == "shop"


HTTP = [("/v2/rerank", "documents"), ("/v1/rerank", "documents"), ("/rerank?details=true", "texts")]


@pytest.mark.parametrize(("path", "field"), HTTP)
def test_http_rerank(server: Server, path: str, field: str) -> None:
    url = f"http://{server.http_address}{path}"
    body = {"query": QUERY, field: TEXTS}
    held, own, wrong, bad = (
        httpx.post(url, json=body | extra, timeout=60)
        for extra in ({"calibration": "shop"}, {"calibration": None}, {"calibration": "pear"}, {"calibration": 3})
    )
    rows = held.json() if isinstance(held.json(), list) else held.json()["results"]
    assert {(row["verdict"], row["threshold"], row["calibration"]) for row in rows} == {("rejected", 0.9999, "shop")}
    assert all(row.get("relevance_score", row.get("score")) < 0.5 for row in rows)
    assert "calibration" not in str(own.json())
    assert (wrong.status_code, WORDS in wrong.text) == (400, True)
    assert bad.status_code in (400, 422)
    assert "calibration: is not a text" in bad.text


def test_http_verify_and_search(server: Server) -> None:
    url = f"http://{server.http_address}"
    told = httpx.post(f"{url}/v1/verify", json={"query": QUERY, "documents": TEXTS, "calibration": "shop"}).json()
    assert (told["calibration"], told["verdict"]) == (["shop"] * 3, ["rejected"] * 3)
    found = httpx.post(f"{url}/v1/search", json={"query": QUERY, "calibration": "shop", "policy": "demote"}).json()
    assert {(hit["calibration"], hit["verdict"]) for hit in found["hits"]} == {("shop", "rejected")}
    assert httpx.post(f"{url}/v1/search", json={"query": QUERY, "calibration": "pear"}).status_code == 400


@pytest.mark.parametrize(
    ("index", "name", "expected", "remark"),
    [
        ("shop", "", "shop", "the index's own"),
        ("shop", OWN, "", "the bundle's, asked for"),
        ("other", "", "", "an index without one"),
        ("other", "shop", "shop", "named"),
        ("shop,other", "", "", "several indices have none of their own"),
        ("", "", "", "the embedded index has no name"),
    ],
)
def test_search_over_an_index_takes_its_own(
    strict: Reranker, index: str, name: str, expected: str, remark: str
) -> None:
    found = (Found(Document("0", TEXTS[0]), 0.9, ""),)
    question = Question(QUERY, index=index, calibration=name, policy="annotate")
    answer = verified(strict, question, strict.encoder.query(QUERY), found)
    assert answer.ranking.hits[0].verdict.calibration == expected, remark


def test_search_over_the_embedded_index(strict: Reranker, tmp_path: Path) -> None:
    with Index.create(tmp_path / "index.db", strict.manifest) as index:
        searcher = Searcher(strict, index)
        with pytest.raises(SimgateError, match=WORDS):
            searcher.search(Question(QUERY, calibration="pear"))


CONTEXT = {"query_context": {"query_text": QUERY}}
HITS = [
    {"_index": "a", "_id": str(number), "_score": 0.9, "fields": {"text": [text]}} for number, text in enumerate(TEXTS)
]
RESPONSE = {"took": 1, "hits": {"total": {"value": 3, "relation": "eq"}, "max_score": 0.9, "hits": HITS}}


def body(**knobs: Any) -> dict[str, Any]:
    return {"ext": {"rerank": CONTEXT, "simgate": {"policy": "annotate"} | knobs}}


def marks(response: dict[str, Any]) -> set[tuple[str, float]]:
    found = [hit["fields"]["simgate"][0] for hit in response["hits"]["hits"]]
    return {(mark["calibration"], mark["threshold"]) for mark in found}


@pytest.mark.parametrize(
    ("path", "knobs", "name"),
    [
        ("/shop/_search", {}, "shop"),
        ("/sh%6Fp/_search/", {}, "shop"),
        ("/shop/_search", {"calibration": OWN}, ""),
        ("/shop,b/_search", {}, ""),
        ("/*/_search", {}, ""),
        ("/_search", {}, ""),
        ("/_search", {"calibration": "shop"}, "shop"),
    ],
)
def test_gateway(strict: Reranker, path: str, knobs: dict[str, Any], name: str) -> None:
    with gateway(Engine(RESPONSE), strict) as url:
        status, _, raw = call(url, "POST", path, body(**knobs))
    assert status == 200
    threshold = 0.9999 if name else strict.manifest.profile("passages").short_threshold
    assert marks(json.loads(raw)) == {(name, threshold)}


@pytest.mark.parametrize(
    ("knob", "words"), [("pear", WORDS), (3, "ext.simgate.calibration: is not a text"), (None, "is not a text")]
)
def test_gateway_refuses(strict: Reranker, knob: Any, words: str) -> None:
    engine = Engine(RESPONSE)
    with gateway(engine, strict) as url:
        status, _, raw = call(url, "POST", "/a/_search", body(calibration=knob))
    assert (status, words in raw.decode(), engine.requests) == (400, True, []), "before the engine is asked"


def test_gateway_searches_of_several(strict: Reranker) -> None:
    headers = [{"index": "shop"}, {"index": ["shop"]}, {}, {"index": ["shop", "b"]}, {"index": "b"}, {"index": "b"}]
    bodies = [body()] * 4 + [body(calibration="shop"), body(calibration="pear")]
    lines = b"".join(json.dumps(part).encode() + b"\n" for pair in zip(headers, bodies, strict=True) for part in pair)
    with gateway(Engine({"took": 1, "responses": [RESPONSE] * 5}), strict) as url:
        status, _, raw = call(url, "POST", "/shop/_msearch", lines, {"content-type": "application/x-ndjson"})
    *found, refused = json.loads(raw)["responses"]
    assert status == 200
    assert [marks(item).pop()[0] for item in found] == ["shop", "shop", "shop", "", "shop"]
    assert (refused["status"], WORDS in json.dumps(refused)) == (400, True)
