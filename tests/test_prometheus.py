"""What is counted of verdicts, blobs, batches and the cache, and how it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from conftest import Run
from prometheus_client.parser import text_string_to_metric_families

from plugin_server import Reranker, Settings
from plugin_server.blob import TokenBlob
from plugin_server.candidate import Candidate
from plugin_server.gather import Gathered
from plugin_server.metrics import MAX_WARNINGS, Metrics
from plugin_server.server import Server
from plugin_server.verdict import Outcome, Verdict

QUERY, TEXTS = "a red car", ["a car that is red", "a blue house"]


def values(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The samples of that name by their labels' values, in the order of the labels' names; those at 0 left out."""
    families = text_string_to_metric_families(metrics.text().decode())
    samples = [sample for family in families for sample in family.samples if sample.name == name and sample.value]
    return {tuple(value for _, value in sorted(sample.labels.items())): sample.value for sample in samples}


@pytest.fixture
def metrics(reranker: Reranker) -> Metrics:
    return Metrics(reranker.manifest.fingerprint)


Use = Callable[[Reranker], Any]
SCORED = [Candidate(text, score=0.5) for text in TEXTS * 9]
USES: list[tuple[Use, dict[tuple[str, ...], float], str]] = [
    (lambda one: one.rerank(QUERY, TEXTS, policy="filter"), {("filter", "passages"): 2}, "as it is asked"),
    (lambda one: one.rerank(QUERY, TEXTS, "pairs", "demote"), {("demote", "pairs"): 2}, "another profile"),
    (lambda one: one.rerank(QUERY, TEXTS, policy="annotate", told="demote"), {("demote", "passages"): 2}, "as told"),
    (lambda one: one.verify(QUERY, TEXTS[0]), {("none", "pairs"): 1}, "no policy"),
    (lambda one: one.rerank(QUERY, TEXTS, verification="light"), {("filter", "passages"): 2}, "unverified ones too"),
    (
        lambda one: one.rerank(QUERY, SCORED, verification="cascade", wanted=1),
        {("filter", "passages"): 18},
        "in steps",
    ),
    (lambda one: one.unverified([Candidate("a")], "pairs", "", policy="filter"), {("filter", "pairs"): 1}, "failed"),
]  # fmt: skip


@pytest.mark.parametrize(("use", "expected", "remark"), USES, ids=[case[2] for case in USES])
def test_verdicts_by_policy_and_profile(
    reranker: Reranker, metrics: Metrics, use: Use, expected: dict[tuple[str, ...], float], remark: str
) -> None:
    use(reranker.observed(metrics.observe))
    found: dict[tuple[str, ...], float] = {}
    for (_, policy, profile), value in values(metrics, "simgate_verdicts_total").items():
        found[policy, profile] = found.get((policy, profile), 0) + value
    assert found == expected, remark


@pytest.mark.parametrize(
    ("policy", "remark"), [("filter", "left out"), ("demote", "below the cut"), ("annotate", "told alone")]
)
def test_a_door_tells_the_policy_of_its_request(http_url: str, policy: str, remark: str) -> None:
    def counted() -> float:
        lines = httpx.get(f"{http_url}/metrics").text.splitlines()
        name = f'simgate_verdicts_total{{outcome="accepted",policy="{policy}",profile="pairs"}} '
        return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    before, body = counted(), {"query": QUERY, "documents": TEXTS[:1], "profile": "pairs", "policy": policy}
    assert httpx.post(f"{http_url}/v2/rerank", json=body, timeout=60).status_code == 200
    assert counted() == before + 1, remark


def test_probabilities(reranker: Reranker, metrics: Metrics) -> None:
    ranking = reranker.observed(metrics.observe).rerank(QUERY, [*TEXTS, ""], policy="annotate", lenient=True)
    known = [hit.verdict.probability for hit in ranking.hits if hit.verdict.probability is not None]
    assert values(metrics, "simgate_probability_count") == {("passages",): len(known) == 2 and 2}
    assert values(metrics, "simgate_probability_sum")["passages",] == pytest.approx(sum(known))
    buckets = values(metrics, "simgate_probability_bucket")
    for bound in ("0.05", "0.5", "0.95", "1.0"):
        assert buckets.get((bound, "passages"), 0) == sum(chance <= float(bound) for chance in known)


def test_blobs_by_fingerprint_are_bounded(metrics: Metrics) -> None:
    verdict = Verdict(Outcome.UNVERIFIED, None, 0.5, "pairs")
    metrics.loaded(metrics.fingerprint, "ab" * 8)
    makers = [metrics.fingerprint, "ab" * 8, *(f"{number:016x}" for number in range(MAX_WARNINGS + 5)), "", "0" * 16]
    metrics.observe([Gathered(fingerprint=maker) for maker in makers], [verdict] * len(makers))
    found = values(metrics, "simgate_blob_fingerprints_total")
    assert len(found) == MAX_WARNINGS + 3, "those loaded, the first others, and the rest as one"
    expected = {(metrics.fingerprint,): 1, ("ab" * 8,): 1, ("0" * 16,): 2, ("other",): 5}
    assert {name: found[name] for name in expected} == expected


def test_batches_and_cache_are_those_of_the_reranker(reranker: Reranker) -> None:
    one = Reranker(reranker.bundle, Settings(threads=1))
    metrics = Metrics("")
    watched = metrics.watched(one)
    watched.rerank(QUERY, TEXTS)
    watched.rerank(QUERY, TEXTS)
    assert values(metrics, "simgate_batch_pairs_sum") == {(): 4}
    assert values(metrics, "simgate_batch_windows_sum") == {(): 3}, "the query and the texts, once"
    assert values(metrics, "simgate_batch_wait_seconds_count") == {
        ("verifier",): values(metrics, "simgate_batch_pairs_count")[()],
        ("encoder",): values(metrics, "simgate_batch_windows_count")[()],
    }
    cache = one.encoder.cache
    assert (cache.hits, cache.misses) == (3, 3)
    for name in ("hits_total", "misses_total", "evictions_total", "bytes"):
        expected = getattr(cache, name.removesuffix("_total"))
        assert values(metrics, f"simgate_cache_{name}") == ({(): expected} if expected else {})


def test_the_bundle_that_is_loaded(reranker: Reranker, tiny_reranker: Reranker, run: Run) -> None:
    server = run(Server.start(reranker, "127.0.0.1:0", http_address="127.0.0.1:0"))

    def told() -> list[str]:
        lines = httpx.get(f"http://{server.http_address}/metrics").text.splitlines()
        return [line for line in lines if line.startswith("simgate_bundle_info{")]

    try:
        for loaded in (reranker, tiny_reranker):
            (line,) = told()
            assert f'fingerprint="{loaded.manifest.fingerprint}",name="{loaded.manifest.name}",version="' in line
            run(server.reload(lambda: tiny_reranker))
        foreign = TokenBlob(reranker.manifest.fingerprint, reranker.encode(TEXTS)[0].windows).text()
        httpx.post(f"http://{server.http_address}/v2/rerank", json={"query": QUERY, "documents": [foreign]}, timeout=60)
        lines = httpx.get(f"http://{server.http_address}/metrics").text.splitlines()
        assert 'simgate_blobs_total{bundle="other"} 1.0' in lines
    finally:
        run(server.stop(0))


def test_a_certificate_is_told_once_there_is_one(metrics: Metrics) -> None:
    assert not values(metrics, "simgate_certificate_expiry_seconds")
    metrics.certificate(lambda: 17.0)
    assert values(metrics, "simgate_certificate_expiry_seconds") == {(): 17}
