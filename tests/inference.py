"""Elasticsearch's inference endpoints as far as a reranker meets them: what they accept, send and read.

The nodes of the tests have none, because x-pack is not published as artifacts. So this says what its documentation and
its sources say, and no more:

- what an endpoint is made of: elastic/elasticsearch-specification, ``specification/inference/_types/CommonTypes.ts``,
  classes ``HuggingFaceServiceSettings``, ``HuggingFaceTaskSettings``, ``CustomServiceSettings``,
  ``CustomResponseParams``, and ``put_custom/PutCustomRequest.ts`` for the templates of the custom service, whose
  ``request`` is a text in every example there and in ``CustomServiceSettings.fromMap``;
- what is sent and read: elastic/elasticsearch, ``x-pack/plugin/inference``, package
  ``org.elasticsearch.xpack.inference``: ``services.huggingface.request.rerank.HuggingFaceRerankRequestEntity``,
  ``services.huggingface.response.HuggingFaceRerankResponseEntity``, ``services.custom.request.CustomRequest`` and
  ``RerankParameters``, ``services.custom.response.RerankResponseParser``;
- what becomes of the scores: ``rank.textsimilarity.TextSimilarityRankFeaturePhaseRankCoordinatorContext``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from nodes.proxy import Answer, Proxy, Rule, Seen
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

#: What the parsers call a ranked document: its place in the request, and its score in 32 bits.
Ranked = tuple[int, np.float32]


class Strict(BaseModel):
    """An object without a key that is not named here, and without a value that is only nearly of its type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class RateLimit(Strict):
    requests_per_minute: int


class HuggingFaceServiceSettings(Strict):
    api_key: str = Field(min_length=1)
    url: str
    model_id: str | None = None
    rate_limit: RateLimit | None = None


class HuggingFaceTaskSettings(Strict):
    return_documents: bool | None = None
    top_n: int | None = Field(None, ge=1)


class HuggingFace(Strict):
    service: Literal["hugging_face"]
    service_settings: HuggingFaceServiceSettings
    task_settings: HuggingFaceTaskSettings | None = None


class JsonParser(Strict):
    relevance_score: str = Field(pattern=r"^\$(\.[^.\[]+(\[\*\])?)+$")
    reranked_index: str | None = Field(None, pattern=r"^\$(\.[^.\[]+(\[\*\])?)+$")
    document_text: str | None = None


class Response(Strict):
    json_parser: JsonParser


class CustomServiceSettings(Strict):
    secret_parameters: dict[str, str]
    url: str
    headers: dict[str, str] | None = None
    query_parameters: list[tuple[str, str]] | None = None
    request: str
    response: Response
    batch_size: int | None = Field(None, ge=1)
    rate_limit: RateLimit | None = None


class Custom(Strict):
    service: Literal["custom"]
    service_settings: CustomServiceSettings
    task_settings: dict[str, Any] | None = None


ENDPOINT: TypeAdapter[HuggingFace | Custom] = TypeAdapter(HuggingFace | Custom)
SECRET = ("api_key", "secret_parameters")
#: Requests a minute that an endpoint tells of when none were given.
LIMITS = {"hugging_face": 3000, "custom": 10_000}


def hugging_face_request(settings: HuggingFace, query: str, documents: Sequence[str | None]) -> tuple[str, Any, str]:
    """Address, headers and body of what the hugging_face service sends."""
    body: dict[str, Any] = {"texts": documents, "query": query}
    task = settings.task_settings
    if task and task.return_documents is not None:
        body["return_text"] = task.return_documents
    if task and task.top_n is not None:
        body["top_n"] = task.top_n
    own = settings.service_settings
    return own.url, {"Content-Type": "application/json", "Authorization": f"Bearer {own.api_key}"}, json.dumps(body)


def hugging_face_ranked(answer: bytes) -> list[Ranked]:
    """What the hugging_face service reads: a list of objects with index, score and perhaps text.

    Some versions pass over other keys, others fail; here they fail.
    """

    class Entry(Strict):
        index: int
        score: float
        text: str | None = None

    entries = TypeAdapter(list[Entry]).validate_python(json.loads(answer))
    return sorted(((entry.index, np.float32(entry.score)) for entry in entries), key=lambda item: -item[1])


def custom_request(settings: Custom, query: str, documents: Sequence[str | None]) -> tuple[str, Any, str]:
    """Address, headers and body of what the custom service sends: every placeholder in its template replaced as JSON.

    Raises:
        KeyError: a placeholder is none of a rerank request's.
    """
    own = settings.service_settings
    values = {"query": json.dumps(query), "input": json.dumps(documents)}
    values |= {name: json.dumps(value) for name, value in own.secret_parameters.items()}
    headers = {name: filled(text, own.secret_parameters) for name, text in (own.headers or {}).items()}
    return filled(own.url, own.secret_parameters), headers, filled(own.request, values)


def custom_ranked(settings: Custom, answer: bytes) -> list[Ranked]:
    """What the custom service reads, by the paths of its settings.

    Raises:
        ValueError: a list is missing, holds no number, or the two differ in length.
    """
    parser = settings.service_settings.response.json_parser
    scores = extracted(json.loads(answer), parser.relevance_score)
    indices = extracted(json.loads(answer), parser.reranked_index) if parser.reranked_index else [*range(len(scores))]
    if len(scores) != len(indices) or not scores:
        raise ValueError(f"{len(indices)} indices, {len(scores)} scores")
    return [(int(index), np.float32(score)) for index, score in zip(indices, scores, strict=True)]


def extracted(value: Any, path: str) -> list[float]:
    """The numbers at a path such as ``$.results[*].index``."""
    for name, every in re.findall(r"\.([^.\[]+)(\[\*\])?", path):
        value = [item[name] for item in value] if isinstance(value, list) else value[name]
        if every and not isinstance(value, list):
            raise ValueError(f"{name} is no list")
    if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
        raise ValueError(f"{path} gives something that is no number")
    return list(value)


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with every ``${name}`` replaced; no other placeholder is allowed."""
    return re.sub(r"\$\{(.*?)\}", lambda found: values[found[1]], template)


def reranked(ranked: Sequence[Ranked], count: int, min_score: float | None = None) -> dict[int, float]:
    """The documents that text_similarity_reranker keeps, best first, with the scores that hits show.

    Raises:
        ValueError: there is not exactly one score for each document.
    """
    if len(ranked) != count or {index for index, _ in ranked} != set(range(count)):
        raise ValueError(f"{count} documents, {len(ranked)} scores")
    kept = [(index, score) for index, score in ranked if min_score is None or score >= np.float32(min_score)]
    shown = {index: float(max(score, 0) + min(np.exp(score), np.float32(1))) for index, score in kept}
    return dict(sorted(shown.items(), key=lambda item: -item[1]))


class WithInference(Proxy):
    """A real Elasticsearch, with ``/_inference/rerank/<id>`` beside it as documented: put, got, deleted.

    Attributes:
        endpoints: as they were put, by their ids.
    """

    @property
    def endpoints(self) -> dict[str, dict[str, Any]]:
        """What was put, secrets and all."""
        kept: dict[str, dict[str, Any]] = self.__dict__.setdefault("_endpoints", {})
        return kept

    async def _answer(self, seen: Seen, rule: Rule) -> Answer:
        parts = seen.path.partition("?")[0].strip("/").split("/")
        if parts[0] != "_inference":
            return await super()._answer(seen, rule)
        status, body = self._inference(seen, parts[-1] if len(parts) == 3 else "")
        headers = {"Content-Type": "application/json", "X-elastic-product": "Elasticsearch"}
        return Answer(status, headers, json.dumps(body).encode())

    def _inference(self, seen: Seen, name: str) -> tuple[int, Any]:
        if seen.method == "PUT":
            if name in self.endpoints:
                return 400, fault("resource_already_exists_exception", f"Inference endpoint [{name}] already exists")
            try:
                ENDPOINT.validate_json(seen.body)
            except ValidationError as error:
                return 400, fault("validation_exception", str(error))
            self.endpoints[name] = json.loads(seen.body)
            return 200, told(name, self.endpoints[name])
        if name and name not in self.endpoints:
            return 404, fault("resource_not_found_exception", f"Inference endpoint not found [{name}]")
        if seen.method == "DELETE":
            del self.endpoints[name]
            return 200, {"acknowledged": True, "pipelines": [], "indexes": []}
        names = [name] if name else [*self.endpoints]
        return 200, {"endpoints": [told(each, self.endpoints[each]) for each in names]}


def told(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """An endpoint as it is shown: without secrets, with the limit that it has."""
    settings = {key: value for key, value in body["service_settings"].items() if key not in SECRET}
    settings = {"rate_limit": {"requests_per_minute": LIMITS.get(body["service"], 10_000)}} | settings
    shown = {"inference_id": name, "task_type": "rerank", "service": body["service"], "service_settings": settings}
    return shown | {"task_settings": body.get("task_settings", {})}


def fault(kind: str, reason: str) -> dict[str, Any]:
    """An error as Elasticsearch words it."""
    return {"error": {"type": kind, "reason": reason, "root_cause": []}, "status": 0}
