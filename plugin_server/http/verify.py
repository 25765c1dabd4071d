"""``POST /v1/verify``: verdicts as lists in the order of the documents, which OpenSearch's ml_inference can spread."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from plugin_server.http.details import Ranked
from plugin_server.http.document import AnyDocument
from plugin_server.http.door import Door
from plugin_server.http.fault import Message
from plugin_server.http.request import TEXTS, Question
from plugin_server.http.worker import Worker

#: Stands for the probability of an unverified document: processors that sort by a field cannot sort null.
UNKNOWN = -1.0


class VerifyRequest(Question):
    """A query and documents."""

    documents: list[AnyDocument] = Field(
        description="What to verify: texts, token blobs, or objects.", examples=[TEXTS]
    )


class VerifyResponse(BaseModel):
    """Lists with an element for each document, in the order of the request."""

    probability: list[float] = Field(
        description="That the document holds up under the profile, 0 to 1; -1.0 if it is unverified."
    )
    verdict: list[str] = Field(description="`accepted`, `rejected`, or `unverified` if the document could not be read.")
    threshold: list[float] = Field(description="The probability from which a document like this is accepted.")
    calibration: list[str] = Field(
        description="Name of the calibration whose threshold it is, empty for the bundle's own."
    )
    reason: list[str] = Field(description="Why the document is unverified, else empty.")
    relevance_score: list[float] = Field(
        description="What to sort by: above 0 and below 1, in 8 digits, at least 0.5 if and only if the document is "
        "not rejected."
    )


def routes(worker: Worker) -> APIRouter:
    """The door."""
    router = APIRouter(route_class=Door, tags=["verify"], responses={"4XX": {"model": Message}})

    @router.post("/v1/verify")
    async def verify(request: VerifyRequest, ranked: Ranked = False) -> VerifyResponse:
        """Verify documents: every list of the answer is in their order."""
        found = await worker.verify(request, request.documents, "documents", ranked)
        verdicts = [item.hit.verdict for item in found]
        return VerifyResponse(
            probability=[UNKNOWN if verdict.probability is None else verdict.probability for verdict in verdicts],
            verdict=[verdict.outcome.value for verdict in verdicts],
            threshold=[verdict.threshold for verdict in verdicts],
            calibration=[verdict.calibration for verdict in verdicts],
            reason=[verdict.reason for verdict in verdicts],
            relevance_score=[item.score for item in found],
        )

    return router
