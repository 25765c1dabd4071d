"""``POST /v1/search``: recall and reranking in one request, and a query for exactly the hits that are left."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from plugin_server import search as core
from plugin_server.backend import Search
from plugin_server.choices import Policy
from plugin_server.http.door import Door
from plugin_server.http.fault import Message
from plugin_server.http.request import Question
from plugin_server.ranking import Hit


class SearchRequest(Question):
    """A query, and how candidates are found and ranked."""

    index: str = Field("", description="Name, alias or pattern; empty for the one the server was started with.")
    k: int = Field(core.DEFAULT_K, ge=1, description="Dense hits to verify.")
    top_n: int | None = Field(None, ge=1, description="Hits to return; all that are left if it is not given.")
    policy: str = Field(
        Policy.FILTER.value,
        description="What happens to a rejected hit: `filter` drops it, `demote` puts it last, `annotate` marks it.",
        json_schema_extra={"enum": [policy.value for policy in Policy]},
    )
    filter: dict[str, Any] | None = Field(None, description="A query in the engine's DSL that hits must match.")
    recall_query: dict[str, Any] | None = Field(
        None, description="A query in place of the dense one; its scores are taken as they are."
    )
    hybrid: bool = Field(False, description="Words (BM25) beside vectors.")

    def question(self, index: str) -> core.Question:
        """The search that is asked for.

        Args:
            index: when the request names none.

        Raises:
            UnknownChoice: there is no model of that name.
        """
        return core.Question(
            self.query, self.k, self.top_n or self.k, self.chosen_profile(), self.policy, self.index or index,
            self.filter, self.recall_query, self.hybrid, self.calibration or "",
            self.verification or "",
        )  # fmt: skip


class FoundHit(BaseModel):
    """A document that was found."""

    id: str
    score: float = Field(description="What hits are ordered by, higher first; comparable within one answer only.")
    position: int = Field(description="Its rank in recall, from 0.")
    verdict: str
    probability: float | None = Field(description="That it holds up, 0 to 1; null if it is unverified.")
    threshold: float
    calibration: str = Field(description="Name of the calibration whose threshold it is; empty for the bundle's own.")
    reason: str = Field(description="Why it is unverified, else empty.")
    title: str
    text: str
    extra: dict[str, Any] = Field(description="The document's other fields.")


class SearchResponse(BaseModel):
    """The hits, best first."""

    hits: list[FoundHit]
    dropped: int = Field(description="How many hits the policy dropped.")
    incomplete: str = Field(description="Why hits may be missing, as when shards of the engine failed; else empty.")
    query: str = Field(
        description="A query for exactly these hits in their order, as JSON in a text: OpenSearch's ml_inference "
        "request processor puts it in the place of the one it was given."
    )


def routes(search: Search, index: str) -> APIRouter:
    """The door."""
    router = APIRouter(route_class=Door, tags=["search"], responses={"4XX": {"model": Message}})

    @router.post("/v1/search")
    async def v1_search(request: SearchRequest) -> SearchResponse:
        """Search, verify and rank."""
        answer = await search(request.question(index))
        hits = [_hit(hit, answer) for hit in answer.ranking.hits]
        exactly = json.dumps(query_for([hit.id for hit in hits]))
        return SearchResponse(
            hits=hits, dropped=len(answer.ranking.dropped), incomplete=answer.incomplete, query=exactly
        )

    return router


def query_for(ids: list[str]) -> dict[str, Any]:
    """A query in the engine's DSL that finds the documents of these ids, in this order.

    Example:
        >>> query_for([])
        {'match_none': {}}
        >>> query_for(["b", "a"])["bool"]["should"][0]["constant_score"]
        {'filter': {'ids': {'values': ['b']}}, 'boost': 2}
    """
    if not ids:
        return {"match_none": {}}
    ranked = [
        {"constant_score": {"filter": {"ids": {"values": [identity]}}, "boost": len(ids) - place}}
        for place, identity in enumerate(ids)
    ]
    return {"bool": {"should": ranked}}


def _hit(hit: Hit, answer: core.Answer) -> FoundHit:
    document, verdict = answer.found(hit).document, hit.verdict
    return FoundHit(
        id=document.id,
        score=hit.score,
        position=hit.position,
        verdict=verdict.outcome.value,
        probability=verdict.probability,
        threshold=verdict.threshold,
        calibration=verdict.calibration,
        reason=verdict.reason,
        title=document.title,
        text=document.text,
        extra=document.extra,
    )
