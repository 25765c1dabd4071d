"""Elasticsearch's inference endpoints: made as documented, and answered as their services read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from conftest import Run
from inference import (
    ENDPOINT,
    Custom,
    HuggingFace,
    Ranked,
    WithInference,
    custom_ranked,
    custom_request,
    hugging_face_ranked,
    hugging_face_request,
    reranked,
)
from nodes.engine import Engine
from pydantic import ValidationError
from templating import SIDECAR, Cluster, options

from index_templates.resource import Resource, names
from plugin_server import Reranker

QUERY = "Turn left at the church."
TEXTS = ["Turn right at the church.", "At the church, turn left.", "The mill makes bread.", "Left at the church."]
ENDPOINTS = ("rerank", "rerank-custom")


def endpoint(reranker: Reranker, subject: str, url: str = SIDECAR, profile: str = "pairs") -> HuggingFace | Custom:
    """An endpoint as it is put, checked against what is documented."""
    values = options(Engine("", "elasticsearch", ""), reranker, "a", sidecar=url, profile=profile).values
    body = Resource.load("elasticsearch", f"{subject}@inference").render(values)
    return ENDPOINT.validate_python({key: value for key, value in body.items() if key not in ("_meta", "version")})


def ask(settings: HuggingFace | Custom, query: str, documents: list[str | None]) -> tuple[int, Any, list[Ranked]]:
    """What the service makes of simgate's answer: the status, the answer, and the ranked documents."""
    send = hugging_face_request if isinstance(settings, HuggingFace) else custom_request
    url, headers, body = send(settings, query, documents)  # type: ignore[arg-type]
    answer = httpx.post(url, headers=headers, content=body.encode(), timeout=60)
    if answer.status_code != 200:
        return answer.status_code, answer.json(), []
    if isinstance(settings, HuggingFace):
        return 200, answer.json(), hugging_face_ranked(answer.content)
    return 200, answer.json(), custom_ranked(settings, answer.content)


@pytest.mark.parametrize("subject", ENDPOINTS)
def test_endpoint_is_as_documented(reranker: Reranker, subject: str) -> None:
    settings = endpoint(reranker, subject)
    assert settings.service_settings.url.startswith(f"{SIDECAR}/")
    broken = settings.model_dump(exclude_none=True) | {"version": 1}
    with pytest.raises(ValidationError):  # or the check would pass anything
        ENDPOINT.validate_python(broken)


@pytest.mark.parametrize("subject", ENDPOINTS)
def test_every_input_gets_its_score(http_url: str, reranker: Reranker, subject: str) -> None:
    """min_score drops exactly what the core rejects; what a service reads is in 32 bits."""
    profile = "pairs" if subject == "rerank-custom" else "passages"  # the other form has nowhere to say it
    settings = endpoint(reranker, subject, http_url, profile)
    stored = [item.blob(reranker.manifest.fingerprint).text() for item in reranker.encode(TEXTS)]
    expected = reranker.rerank(QUERY, TEXTS, profile, "annotate")
    accepted = {hit.position for hit in expected.hits if hit.verdict.accepted}
    assert 0 < len(accepted) < len(TEXTS)
    for documents in (TEXTS, stored):
        status, _, ranked = ask(settings, QUERY, [*documents])
        assert status == 200
        assert set(reranked(ranked, len(TEXTS), 0.5)) == accepted
        shown = reranked(ranked, len(TEXTS))
        assert set(shown) == set(range(len(TEXTS))) and list(shown)[: len(accepted)] == list(
            reranked(ranked, len(TEXTS), 0.5)
        )
        assert all(1 < score < 2 for score in shown.values())


@pytest.mark.parametrize("subject", ENDPOINTS)
@pytest.mark.parametrize(
    ("documents", "kept", "remark"),
    [
        ([TEXTS[1]], {0}, "one"),
        ([TEXTS[1], None, "", "sgb1:AAAA"], {0, 1, 2, 3}, "what cannot be read is not rejected"),
        ([TEXTS[1]] * 100, set(range(100)), "the default window"),
        (['"quoted" \\ back\nslash', "${query}", "🚂 עברית", '{"a": 1}'], set(), "no text is a template or JSON"),
    ],
)
def test_whatever_is_sent(
    http_url: str, reranker: Reranker, subject: str, documents: list[str | None], kept: set[int], remark: str
) -> None:
    status, _, ranked = ask(endpoint(reranker, subject, http_url, "passages"), QUERY, documents)
    assert status == 200
    assert set(reranked(ranked, len(documents), 0.5)) == kept


@pytest.mark.parametrize("subject", ENDPOINTS)
@pytest.mark.parametrize("query", ['say "left"', "a\nb", "back\\slash", "🚂", "${input}", '{"a": [1]}'])
def test_whatever_is_asked(http_url: str, reranker: Reranker, subject: str, query: str) -> None:
    """The same scores as from a client that knows nothing of templates."""
    settings = endpoint(reranker, subject, http_url, "passages")
    _, _, ranked = ask(settings, query, [*TEXTS])
    plain = httpx.post(
        f"{http_url}/v2/rerank?ranked=true", json={"query": query, "documents": TEXTS}, timeout=60
    ).json()["results"]
    assert {index: float(score) for index, score in ranked} == pytest.approx(
        {row["index"]: row["relevance_score"] for row in plain}, abs=1e-6
    )


@pytest.mark.parametrize("subject", ENDPOINTS)
def test_a_fault_is_told(http_url: str, reranker: Reranker, subject: str) -> None:
    status, body, _ = ask(endpoint(reranker, subject, http_url), " ", [*TEXTS])
    assert status == 400 and "query: holds no words" in (body.get("error") or body["message"])


def test_example_of_a_search(reranker: Reranker) -> None:
    """It names the endpoint that is applied, and the field that is stored."""
    values = options(Engine("", "elasticsearch", ""), reranker, "a").values | {"query": "q", "query_vector": [0.5]}
    body = Resource.load("elasticsearch", "rerank@search").render(values)
    retriever = body["retriever"]["text_similarity_reranker"]
    # TextSimilarityRankRetrieverBuilder: retriever, inference_id, inference_text, field, rank_window_size, min_score
    assert set(retriever) == {"retriever", "inference_id", "inference_text", "field", "rank_window_size", "min_score"}
    assert retriever["inference_id"] == "a-rerank" and "rerank@inference" in names("elasticsearch")
    assert (retriever["field"], retriever["min_score"]) == ("simgate_blob", 0.5)
    near = retriever["retriever"]["knn"]
    assert near["field"] == "simgate_windows.vector" and near["query_vector"] == [0.5]
    assert retriever["rank_window_size"] <= near["k"] <= near["num_candidates"]


@pytest.fixture
def there(elasticsearch_9: Engine, reranker: Reranker, run: Run) -> Iterator[tuple[Cluster, WithInference]]:
    """Elasticsearch with inference endpoints."""
    proxy = run(WithInference.start(elasticsearch_9.url))
    cluster = Cluster(Engine(proxy.url, "elasticsearch", elasticsearch_9.version), reranker, run, "inf")
    yield cluster, proxy
    cluster.remove()
    run(proxy.stop())


def words(told: dict[str, str]) -> list[str]:
    return [told[f"inference {name}"] for name in ENDPOINTS]


def test_endpoints_are_applied(there: tuple[Cluster, WithInference]) -> None:
    cluster, proxy = there
    assert words(cluster.apply(dry=True)) == ["created v1"] * 2 and not proxy.endpoints
    assert words(cluster.apply()) == ["created v1"] * 2
    put = json.dumps(proxy.endpoints)
    assert words(cluster.apply()) == ["unchanged v1"] * 2 == words(cluster.apply(dry=True))
    assert json.dumps(proxy.endpoints) == put
    # the form of text-embeddings-inference has no place for a profile
    assert words(cluster.apply(profile="pairs")) == ["unchanged v1", "updated v1 to v1"]
    assert "simgate-pairs" in proxy.endpoints["inf-rerank-custom"]["service_settings"]["request"]
    assert words(cluster.apply(profile="pairs", sidecar="https://other")) == ["updated v1 to v1"] * 2
    assert proxy.endpoints["inf-rerank"]["service_settings"]["url"] == "https://other/rerank?ranked=true"
    assert words(cluster.apply(sidecar="")) == ["skipped calls the sidecar: give --sidecar"] * 2
    assert words(cluster.remove(dry=True)) == ["removed v1"] * 2 and len(proxy.endpoints) == 2
    assert words(cluster.remove(sidecar="")) == ["removed v1"] * 2 and not proxy.endpoints
    assert cluster.remove() == {}


@pytest.mark.parametrize(
    ("body", "remark"),
    [
        ({"service": "hugging_face", "service_settings": {"api_key": "k", "url": "http://tei/rerank"}}, "TEI itself"),
        ({"service": "cohere", "service_settings": {"model_id": "rerank-v3.5"}}, "another service"),
    ],
)
def test_somebody_elses_endpoint_is_kept(
    there: tuple[Cluster, WithInference], body: dict[str, Any], remark: str
) -> None:
    cluster, proxy = there
    proxy.endpoints["inf-rerank"] = body
    kept = "kept was not made by simgate"
    told = cluster.apply()
    assert words(told) == [f"{kept}: delete it, or choose another prefix", "created v1"]
    assert words(cluster.remove()) == [kept, "removed v1"]
    assert proxy.endpoints == {"inf-rerank": body}
