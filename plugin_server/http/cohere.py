"""``POST /v2/rerank``, ``POST /v1/rerank``: the forms of Cohere and Jina, which OpenSearch's connectors speak too."""

from __future__ import annotations

from uuid import uuid4

from fastapi import APIRouter
from pydantic import BaseModel, Field

from plugin_server.http.details import (
    Calibrated,
    Outcome,
    Probability,
    Ranked,
    Reason,
    Threshold,
    Wanted,
    details,
    text_of,
)
from plugin_server.http.document import AnyDocument
from plugin_server.http.door import Door
from plugin_server.http.fault import Message
from plugin_server.http.request import TEXTS, RerankRequest
from plugin_server.http.worker import Worker
from plugin_server.relevance import Relevant


class V2Request(RerankRequest):
    """A request in Cohere's v2 form."""

    documents: list[AnyDocument] = Field(
        description="What to rerank: texts, token blobs, or objects.", examples=[TEXTS]
    )


class V1Request(V2Request):
    """A request in Cohere's v1 form and in Jina's."""

    return_documents: bool = Field(False, description="Whether each result has the document's text.")


class Text(BaseModel):
    """A document as it is given back."""

    text: str = Field(description="Its text, without the token blob that may have stood before it.")


class Result(BaseModel):
    """One document with its score."""

    index: int = Field(description="Its place in the request, from 0.")
    relevance_score: float = Field(
        description="Above 0 and below 1, in 8 digits; under `demote` and `filter` at least 0.5 if and only if the "
        "document is not rejected."
    )
    document: Text | None = Field(None, description="If `return_documents` is true.")
    verdict: Outcome = None
    probability: Probability = None
    threshold: Threshold = None
    calibration: Calibrated = None
    reason: Reason = None


class Version(BaseModel):
    """A version of Cohere's form."""

    version: str


class Meta(BaseModel):
    """What answered."""

    api_version: Version
    fingerprint: str = Field(description="Of the model bundle.")


class V2Response(BaseModel):
    """The results, most relevant first."""

    id: str = Field(description="Of this answer.")
    results: list[Result]
    meta: Meta


class Usage(BaseModel):
    """What is billed: nothing."""

    total_tokens: int = 0
    prompt_tokens: int = 0


class V1Response(V2Response):
    """The results, most relevant first, with what Jina adds."""

    model: str = Field(description="With the profile that was used.")
    usage: Usage


def routes(worker: Worker) -> APIRouter:
    """The two doors."""
    router = APIRouter(route_class=Door, tags=["rerank"], responses={"4XX": {"model": Message}})

    def meta(number: str) -> Meta:
        return Meta(api_version=Version(version=number), fingerprint=worker.reranker.manifest.fingerprint)

    @router.post("/v2/rerank", response_model_exclude_none=True)
    async def v2_rerank(request: V2Request, extras: Wanted = True, ranked: Ranked = False) -> V2Response:
        """Rerank documents in Cohere's v2 form."""
        found = await worker.rerank(request, request.documents, request.policy, "documents", ranked, request.top_n)
        results = [result(item, extras) for item in found[: request.top_n]]
        return V2Response(id=str(uuid4()), results=results, meta=meta("2"))

    @router.post("/v1/rerank", response_model_exclude_none=True)
    async def v1_rerank(request: V1Request, extras: Wanted = True, ranked: Ranked = False) -> V1Response:
        """Rerank documents in Cohere's v1 form and in Jina's."""
        found = await worker.rerank(request, request.documents, request.policy, "documents", ranked, request.top_n)
        results = [result(item, extras, request.return_documents) for item in found[: request.top_n]]
        name = f"simgate-{request.chosen_profile()}"
        return V1Response(id=str(uuid4()), results=results, meta=meta("1"), model=name, usage=Usage())

    return router


def result(item: Relevant, extras: bool, with_text: bool = False) -> Result:
    """One document as a result."""
    text = Text(text=text_of(item)) if with_text else None
    return Result(index=item.hit.position, relevance_score=item.score, document=text, **details(item, extras))
