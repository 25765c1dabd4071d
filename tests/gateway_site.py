"""Engines with a small corpus of near-misses, a gateway in front of each, and requests as bytes."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from plugin_server import Candidate, Reranker
from plugin_server.blob import TokenBlob

QUERY = "The station stands on a hill."
SENTENCES = [
    "The station is on a hill.",
    "A hill carries the station.",
    "The hill is on a station.",
    "The station stands in a valley.",
    "The station does not stand on a hill.",
    "On the hill there is a station.",
    "The last bus leaves at ten.",
    "The shop sells bread.",
    "You find the station up on the hill.",
    "The school stands on a hill.",
    "The station stood on a hill before it was moved.",
    "The old station is built upon a hill.",
]
TEXTS = [f"{sentence}{more}" for more in ("", " Trains stop there.", " It opened in 1901.") for sentence in SENTENCES]
FIELDS = ("simgate_blob", "simgate_windows")
HITS = len(TEXTS) + 4


@dataclass(frozen=True)
class Site:
    """A node with the corpus, and a gateway in front of it."""

    node: str
    gateway: str
    kind: str
    recall: dict[str, Any]

    @property
    def bases(self) -> tuple[str, str]:
        """Where the engine and the gateway are."""
        return self.node, self.gateway

    def body(self, page: dict[str, Any] | None = None, **knobs: Any) -> dict[str, Any]:
        ext = {"rerank": {"query_context": {"query_text": QUERY}}} | ({"simgate": knobs} if knobs else {})
        return self.recall | {"ext": ext} | (page or {})


def call(base: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """Status, headers and body bytes, nothing decoded on the way."""
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        raw = json.dumps(body).encode() if isinstance(body, dict) else body
        sent = {"Content-Type": "application/json"} if raw is not None else {}
        connection.request(method, path, raw, sent | (headers or {}))
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def search(base: str, body: Any, path: str = "/hills/_search") -> dict[str, Any]:
    status, _, raw = call(base, "POST", path, body)
    assert status == 200, raw
    result: dict[str, Any] = json.loads(raw)
    return result


def refused(base: str, body: Any, path: str = "/hills/_search") -> str:
    status, _, raw = call(base, "POST", path, body)
    assert status == 400, raw
    error = json.loads(raw)["error"]
    assert error["type"] == "simgate_invalid_request"
    reason: str = error["root_cause"][0]["reason"]
    return reason


def ids(response: dict[str, Any]) -> list[str]:
    return [hit["_id"] for hit in response["hits"]["hits"]]


def mark(hit: dict[str, Any]) -> dict[str, Any]:
    (only,) = hit["fields"]["simgate"]
    result: dict[str, Any] = only
    return result


def fill(node: str, kind: str, reranker: Reranker) -> None:
    """The index ``hills``, of two shards, and ``words``, whose field n is a text."""
    opensearch = kind == "opensearch"
    vector: dict[str, Any] = {"type": "dense_vector", "dims": 384, "similarity": "cosine"}
    if opensearch:
        method = {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}
        vector = {"type": "knn_vector", "dimension": 384, "method": method}
    settings: dict[str, Any] = {"number_of_shards": 2, "number_of_replicas": 0}
    properties = {
        "text": {"type": "text"},
        "simgate_blob": {"type": "keyword", "index": False, "doc_values": False},
        "vector": vector,
        "n": {"type": "integer"},
        "group": {"type": "keyword"},
    }
    for name, number in (("hills", "integer"), ("words", "text")):
        call(node, "DELETE", f"/{name}")
        mapping = {"properties": properties | {"n": {"type": number}}}
        made = {"settings": settings | ({"index.knn": True} if opensearch else {}), "mappings": mapping}
        status, _, raw = call(node, "PUT", f"/{name}", made)
        assert status == 200, raw
    encoded, fingerprint = reranker.encode(TEXTS), reranker.manifest.fingerprint
    documents = [
        {"text": text, "simgate_blob": item.blob(fingerprint).text(), "vector": item.vectors[0].tolist()}
        for text, item in zip(TEXTS, encoded, strict=True)
    ]
    foreign, vector_of = TokenBlob("00" * 8, encoded[0].windows).text(), documents[0]["vector"]
    documents += [
        {"text": "The station is built on a hill.", "vector": vector_of},
        {"text": "A hill has a station on it.", "simgate_blob": foreign, "vector": vector_of},
        {"simgate_blob": "sgb1:AAAA", "vector": vector_of},
        {"vector": vector_of},
    ]
    lines = []
    for number, document in enumerate(documents):
        lines += [{"index": {"_index": "hills", "_id": str(number)}}]
        lines += [document | {"n": 100 - number, "group": f"g{number % 5}"}]
    lines += [{"index": {"_index": "words", "_id": "0"}}, documents[0] | {"n": "hill", "group": "g0"}]
    raw = "".join(json.dumps(line) + "\n" for line in lines).encode()
    assert json.loads(call(node, "POST", "/_bulk?refresh=true", raw)[2])["errors"] is False


def oracle(site: Site, reranker: Reranker, policy: str, profile: str = "passages") -> list[tuple[str, str, float]]:
    """Id, verdict and score of every hit, from the engine's own hits and the reranker alone."""
    direct = search(site.node, site.recall | {"size": 100})
    hits = direct["hits"]["hits"]
    assert len(hits) == HITS
    read = [hit for hit in hits if "text" in hit["_source"]]
    candidates = [Candidate(hit["_source"]["text"], hit["_id"], 2 * hit["_score"] - 1) for hit in read]
    ranking = reranker.rerank(QUERY, candidates, profile, policy)
    return [(hit.candidate.id, hit.verdict.outcome.value, hit.score) for hit in ranking.hits]
