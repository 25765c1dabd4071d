"""``POST /rerank``: the form of text-embeddings-inference, which Elasticsearch's ``hugging_face`` service speaks."""

from __future__ import annotations

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
from plugin_server.http.door import TeiDoor
from plugin_server.http.fault import TeiError
from plugin_server.http.request import TEXTS, RerankRequest
from plugin_server.http.worker import Worker
from plugin_server.relevance import Relevant


class TeiRequest(RerankRequest):
    """A request in text-embeddings-inference's form."""

    texts: list[AnyDocument] = Field(description="What to rerank: texts, token blobs, or objects.", examples=[TEXTS])
    raw_scores: bool = Field(False, description="Scores as log-odds, 0 at the cut, instead of between 0 and 1.")
    return_text: bool = Field(False, description="Whether each rank has the text.")
    truncate: bool | None = Field(
        False, description="Accepted and without effect: a long text is split into windows, and none of it is cut off."
    )


class Rank(BaseModel):
    """One text with its score."""

    index: int = Field(description="Its place in the request, from 0.")
    score: float = Field(
        description="In 8 digits; under `demote` and `filter` at least 0.5 (raw: 0) if and only if the text is not "
        "rejected."
    )
    text: str | None = Field(None, description="If `return_text` is true; without a token blob before it.")
    verdict: Outcome = None
    probability: Probability = None
    threshold: Threshold = None
    calibration: Calibrated = None
    reason: Reason = None


def routes(worker: Worker) -> APIRouter:
    """The door."""
    router = APIRouter(route_class=TeiDoor, tags=["rerank"], responses={"4XX": {"model": TeiError}})

    @router.post("/rerank", response_model_exclude_none=True)
    async def tei_rerank(request: TeiRequest, extras: Wanted = False, ranked: Ranked = False) -> list[Rank]:
        """Rerank texts in text-embeddings-inference's form, best first."""
        found = await worker.rerank(request, request.texts, request.policy, "texts", ranked, request.top_n)
        return [rank(item, request, extras) for item in found[: request.top_n]]

    return router


def rank(item: Relevant, request: TeiRequest, extras: bool) -> Rank:
    """One text with its score, as the request wants it."""
    text = text_of(item) if request.return_text else None
    return Rank(index=item.hit.position, score=item.told(request.raw_scores), text=text, **details(item, extras))
