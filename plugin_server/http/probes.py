"""``GET /livez``, ``/readyz`` and ``/metrics``: what an orchestrator and Prometheus ask."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from plugin_server.metrics import Metrics


def routes(metrics: Metrics, ready: Callable[[], bool]) -> APIRouter:
    """The three.

    Args:
        metrics: what ``/metrics`` gives.
        ready: whether new requests are welcome.
    """
    router = APIRouter(tags=["operation"], default_response_class=PlainTextResponse)

    @router.get("/livez")
    async def livez() -> str:
        """Say that the server runs."""
        return "ok"

    @router.get("/readyz", responses={503: {"description": "The server is stopping."}})
    async def readyz(response: Response) -> str:
        """Say whether the server takes requests: 503 once it is stopping."""
        if ready():
            return "ok"
        response.status_code = 503
        return "stopping"

    @router.get("/metrics")
    async def scrape() -> Response:
        """Give every counter in Prometheus' text format."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router
