"""The model of sizing: cases worked by hand with round constants, the page's formulas as an oracle, and wrong needs."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest

from plugin_server import Bundle
from plugin_server.blob import TokenBlob
from plugin_server.errors import InvalidField, InvalidRequest, UnknownChoice
from plugin_server.sizing import Constants, Need, Nodes, Prices, plan
from plugin_server.sizing.advice import changed, monthly
from plugin_server.sizing.model import blob_bytes, document
from plugin_server.sizing.report import bottleneck, savings, table

PACKAGED = Constants.read()
#: Round numbers, so that a plan can be worked out on paper.
ROUND = replace(
    PACKAGED,
    recall_numbers=100,
    token_numbers=60,
    token_bits=4,
    window_tokens=102,
    window_overlap_tokens=20,
    request_core_ms=10.0,
    recall_vector_core_ms=5.0,
    carried_candidate_core_us=100.0,
    verified_candidate_core_us=200.0,
    verified_query_token_core_us=10.0,
    verified_cell_core_ns=100.0,
    light_candidate_core_us=50.0,
    encoded_token_core_ms=0.5,
    indexing_share=0.8,
    rest_mib=300.0,
    text_index_bytes_per_token=10.0,
    blob_index_bytes_per_token=40.0,
    text_bytes_per_token=5.0,
    answer_bytes_per_hit=100.0,
    engine_documents=1000,
    engine_query_core_ms=2.0,
    engine_hit_core_us=50.0,
    exchange_core_ms=1.0,
    exchange_hit_core_us=10.0,
)
#: 1,000,000 documents of one window of 100 tokens; queries of 10 tokens.
PAPER = Need(documents=1e6, tokens=100, query_tokens=10, requests_per_second=100, candidates=100)


def test_a_document_by_hand() -> None:
    """Blob 18 + 2 + 30 × 100 bytes, which are 5 + 4 × 1,007 as text; index 400 + 1,000 + 4,000; memory 1.1 × 528."""
    one = document(PAPER, ROUND)
    assert (one.windows, one.tokens_stored) == (1, 100)
    assert one.blob_bytes == 4033
    assert one.index_bytes == pytest.approx(5400)
    assert one.vector_memory_bytes == pytest.approx(580.8)
    assert one.encoding_core_ms == pytest.approx(62.5)


@pytest.mark.parametrize(
    ("tokens", "windows", "stored", "remark"),
    [
        (3, 1, 3, "the shortest text"),
        (102, 1, 102, "just one window"),
        (103, 2, 125, "one token more: the second window repeats 20 and has marks of its own"),
        (182, 2, 204, "two full windows, 100 + 80 tokens and four marks"),
        (183, 3, 227, "one more"),
    ],
)
def test_windows_by_hand(tokens: int, windows: int, stored: int, remark: str) -> None:
    one = document(replace(PAPER, tokens=tokens), ROUND)
    assert (one.windows, one.tokens_stored) == (windows, stored), remark


@pytest.mark.parametrize("tokens", [3, 16, 128, 256, 257, 478, 479, 1000])
def test_windows_and_blobs_are_those_of_the_encoder(tokens: int, reranker: Any) -> None:
    """One word is one token: the model's windows, tokens and blob bytes are those of a real text, to the byte."""
    (encoded,) = reranker.encode([" ".join(["red"] * (tokens - 2))])
    blob = encoded.blob(reranker.manifest.fingerprint).text()
    one = document(Need(tokens=tokens), PACKAGED)
    assert one.windows == len(encoded.windows)
    assert one.tokens_stored == sum(map(len, encoded.windows))
    assert one.blob_bytes == len(blob) == blob_bytes(one.tokens_stored, one.windows, PACKAGED)
    assert len(TokenBlob.parse(blob).windows) == one.windows


@pytest.mark.parametrize(
    ("change", "milliseconds", "remark"),
    [
        ({"way": "rerank"}, 60.0, "10 + 100 × 0.1 + 100 × (0.2 + 10 × 0.01 + 10 × 100 × 0.0001)"),
        ({}, 67.0, "and 5 + 1 + 100 × 0.01"),
        ({"way": "rerank", "verification": "light"}, 25.0, "10 + 100 × 0.1 + 100 × 0.05"),
        ({"way": "rerank", "verification": "cascade", "accepted_share": 0.5}, 28.0, "20 verified"),
        ({"way": "rerank", "verification": "cascade", "accepted_share": 0.01}, 60.0, "all are verified, not 1,000"),
        ({"way": "rerank", "query_tokens": 26.0}, 97.0, "16 × 0.01 + 16 × 0.01 more each, and ten tokens of 0.5"),
    ],
)
def test_a_search_by_hand(change: dict[str, Any], milliseconds: float, remark: str) -> None:
    found = plan(replace(PAPER, **change), Nodes(), Prices(), ROUND)
    assert found.search.sidecar_core_ms == pytest.approx(milliseconds), remark
    assert found.search.answer_bytes == pytest.approx(100 * (4033 + 500 + 100))
    # one shard of a million where a thousand were measured: twice as deep
    assert found.search.engine_core_ms == pytest.approx(1 * 2 * 2 + 100 * 0.05)


def test_a_plan_by_hand() -> None:
    nodes = Nodes(
        node_memory_gb=4, node_cores=2, node_disk_gb=10, disk_fill=0.5, sidecar_cores=2, busy=0.5, encoding_cores=10
    )
    prices = Prices(price_core_hour=0.1, price_memory_gb_hour=0.01, price_disk_gb_month=0.2)
    found = plan(PAPER, nodes, prices, ROUND)
    assert (found.shards, found.copies) == (1, 2)
    assert found.index_gb == pytest.approx(5.4)
    assert found.vector_memory_gb == pytest.approx(2 * 0.5808)
    assert nodes.vector_memory_gb == 1
    assert found.nodes_by_memory == 2  # 1.1616 / 1
    assert found.nodes_by_disk == 3  # 10.8 / 5
    assert found.nodes_by_cores == 1  # 100 × 9 ms / 1000 / 1
    assert (found.data_nodes, found.bound) == (3, "disk")
    assert found.wanted == [("disk", 3), ("memory", 2), ("copies", 2), ("cores", 1)]
    assert found.sidecars == 7  # 100 × 67 ms / 1000 / 1, rounded up
    assert found.sidecar_memory_mib == 364
    assert found.requests_per_second_and_core == pytest.approx(1000 / 67)
    assert found.fetch_mb_per_second == pytest.approx(46.33)
    assert found.reads_per_second == 10_000
    assert found.encoding_core_hours == pytest.approx(62.5e6 / 3.6e6)
    assert found.encoding_hours == pytest.approx(6.25e6 / 3.6e6)
    assert found.encoding_price == pytest.approx(6.25e6 / 3.6e6)
    assert found.engine_price_per_month == pytest.approx(3 * (730 * (0.2 + 0.04) + 2))
    assert found.sidecar_price_per_month == pytest.approx(7 * 730 * (0.2 + 364 * 2**20 / 1e9 * 0.01))
    assert found.price_per_million_searches == pytest.approx(monthly(found) / (100 * 3600 * 730 / 1e6))


@pytest.mark.parametrize(
    ("change", "shards", "remark"),
    [
        ({"documents": 1e8}, 18, "540 GB"),
        ({"documents": 1e8, "shard_gb": 50.0}, 11, "540 / 50"),
        ({"documents": 1e9, "shard_gb": 1000.0}, 10, "two billion of Lucene's documents, one of each window"),
        ({"documents": 1.0}, 1, "one at least"),
    ],
)
def test_shards_by_hand(change: dict[str, Any], shards: int, remark: str) -> None:
    assert plan(replace(PAPER, **change), Nodes(), Prices(), ROUND).shards == shards, remark


def up(number: float) -> int:
    """The next whole number, but for what floats leave over."""
    return math.ceil(round(number, 6))


NEEDS = [
    Need(),
    Need(documents=1e8, requests_per_second=200, vectors="byte"),
    Need(documents=1e10, tokens=700, vectors="binary", searched_share=0.02, shard_gb=50, verification="cascade"),
    Need(documents=3e7, tokens=40, query_tokens=30, candidates=30, verification="light", way="rerank", replicas=2),
    Need(documents=5e5, vectors="fp16", verification="cascade", accepted_share=0.5, replicas=0),
]


@pytest.mark.parametrize("need", NEEDS)
def test_the_formulas_of_the_page(need: Need) -> None:
    """Written here as they stand on the page, each letter as there."""
    c, nodes = PACKAGED, Nodes()
    D, t, q, k, r = need.documents, need.tokens, need.query_tokens, need.candidates, need.requests_per_second
    number = {"float": 4, "fp16": 2, "byte": 1, "binary": 1 / 8}[need.vectors]
    w = 1 if t <= 256 else 1 + up((t - 256) / 222)
    s = t + (w - 1) * 34
    b = 5 + 4 * up((18 + 2 * w + 32 * s) / 3)
    kept = number + (4 if need.vectors in ("fp16", "binary") else 0)
    i = w * 384 * kept + c.text_index_bytes_per_token * t + c.blob_index_bytes_per_token * s
    m = w * 1.1 * (384 * number + 8 * 16)
    v = {"full": k, "cascade": min(k, 10 / need.accepted_share), "light": 0}[need.verification]
    each = (
        c.verified_candidate_core_us + w * q * c.verified_query_token_core_us + q * s * c.verified_cell_core_ns / 1000
    )
    core = c.request_core_ms + (k * c.carried_candidate_core_us + v * each) / 1000
    core += max(0, q - 16) * c.encoded_token_core_ms
    if need.verification == "light":
        core += k * c.light_candidate_core_us / 1000
    if need.way == "search":
        core += c.recall_vector_core_ms + c.exchange_core_ms + k * c.exchange_hit_core_us / 1000
    shards = max(1, up(D * i / 1e9 / need.shard_gb), up(D * (1 + w) / 200e6))
    deep = max(1, math.log(D * w / shards) / math.log(c.engine_documents))
    asked = max(1, shards * need.searched_share)
    g = asked * c.engine_query_core_ms * deep + k * c.engine_hit_core_us / 1000
    a = k * (b + c.text_bytes_per_token * t + c.answer_bytes_per_hit)
    copies = 1 + need.replicas
    found = plan(need, nodes, Prices(), c)
    assert (found.shards, found.copies) == (shards, copies)
    assert found.search.sidecar_core_ms == pytest.approx(core)
    assert found.search.engine_core_ms == pytest.approx(g)
    assert found.fetch_mb_per_second == pytest.approx(r * a / 1e6)
    assert found.nodes_by_memory == up(copies * D * m / 1e9 / 16.5)
    assert found.nodes_by_disk == up(copies * D * i / 1e9 / (2000 * 0.75))
    assert found.nodes_by_cores == up(r * g / 1000 / (16 * 0.6))
    assert found.sidecars == max(2, up(r * core / 1000 / (2 * 0.6)))
    assert found.encoding_core_hours == pytest.approx(D * c.encoded_token_core_ms * s / c.indexing_share / 3.6e6)


@pytest.mark.parametrize("need", NEEDS)
def test_every_change_saves_and_is_told(need: Need) -> None:
    before = plan(need, Nodes(), Prices(), PACKAGED)
    others = changed(need, Nodes(), Prices(), PACKAGED)
    assert [monthly(found) for _, found in others] == sorted(monthly(found) for _, found in others)
    assert all(monthly(found) < monthly(before) for _, found in others)
    told = savings(before, others)
    assert all(name in told for name, _ in others) and told.count("\n") == 2 + len(others)
    assert bottleneck(before).startswith(f"{before.data_nodes:,} data nodes, because of {before.bound}: ")
    assert table([("one", before), ("other", before)]).count("\n") == 22


def test_the_constants_are_of_the_bundle_that_ships() -> None:
    manifest = Bundle.open().manifest
    assert (PACKAGED.recall_numbers, PACKAGED.token_numbers) == (manifest.recall_dimension, manifest.token_dimension)
    assert PACKAGED.token_bits == manifest.token_bits
    assert (PACKAGED.window_tokens, PACKAGED.window_overlap_tokens) == (manifest.window_tokens, manifest.window_overlap)


@pytest.mark.parametrize("kind", [Need, Nodes, Prices])
def test_a_number_out_of_range_is_refused(kind: Any) -> None:
    for item in fields(kind):
        if "known" in item.metadata:
            with pytest.raises(UnknownChoice, match=f"^{item.name}: 'pear' is not known: choose one of "):
                kind(**{item.name: "pear"})
            continue
        least, most = item.metadata["least"], item.metadata["most"]
        assert getattr(kind(**{item.name: least}), item.name) == least
        assert getattr(kind(**{item.name: most}), item.name) == most
        for wrong in (least - 1, most * 2, math.nan, math.inf, -math.inf):
            with pytest.raises(InvalidField, match=f"^{item.name}: .* is out of range: give a number from "):
                kind(**{item.name: wrong})


def test_the_ends_of_every_range_give_a_plan() -> None:
    """No need that is allowed divides by zero or overflows."""
    kinds: list[Any] = [Need, Nodes, Prices]
    for kind in kinds:
        for item in fields(kind):
            ends = item.metadata.get("known") or (item.metadata["least"], item.metadata["most"])
            for end in ends:
                need, nodes, prices = (other(**({item.name: end} if other is kind else {})) for other in kinds)
                found = plan(need, nodes, prices, PACKAGED)
                assert math.isfinite(monthly(found)) and math.isfinite(found.price_per_million_searches), (item, end)
                assert bottleneck(found) and savings(found, changed(need, nodes, prices, PACKAGED))


WRONG = [
    # what a file of constants holds, part of the error
    ("{", "Expecting property name"),
    ("[]", "is no object"),
    ('{"a": 1, "a": 2}', "the key 'a' occurs twice"),
    (json.dumps(asdict(PACKAGED) | {"pear": 1}), "pear is not known"),
    (json.dumps({key: value for key, value in asdict(PACKAGED).items() if key != "grpc_ms"}), "grpc_ms is missing"),
    (json.dumps(asdict(PACKAGED) | {"grpc_ms": 0}), "grpc_ms: 0 is not above 0"),
    (json.dumps(asdict(PACKAGED) | {"grpc_ms": -2.5}), "grpc_ms: -2.5 is not above 0"),
    (json.dumps(asdict(PACKAGED) | {"grpc_ms": "2"}), "grpc_ms: is no number"),
    (json.dumps(asdict(PACKAGED) | {"token_bits": 4.5}), "token_bits: is no whole number"),
    (json.dumps(asdict(PACKAGED) | {"token_bits": True}), "token_bits: is no whole number"),
    (json.dumps(asdict(PACKAGED) | {"machine": 2}), "machine: is no text"),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_constants_that_are_none(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "constants.json"
    file.write_text(text)
    with pytest.raises(InvalidRequest) as raised:
        Constants.read(file)
    assert told in str(raised.value) and str(raised.value).startswith(str(file))


def test_constants_are_read_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(ROUND.text(), encoding="utf-8")
    assert Constants.read(tmp_path / "a.json") == ROUND
    with pytest.raises(InvalidField, match=r"nowhere\.json: No such file"):
        Constants.read(tmp_path / "nowhere.json")
