"""The HTTP application: every door, the probes, and room for a gateway behind them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from plugin_server.backend import Backend
from plugin_server.core import Core
from plugin_server.http import cohere, probes, searching, tei, verify
from plugin_server.http.worker import Worker
from plugin_server.metrics import Metrics
from plugin_server.settings import MAX_REQUEST_BYTES

DESCRIPTION = """Reranks the hits of a dense search and drops the near-misses: same words, other meaning.

A document is a text, a token blob (`sgb1:…`), a blob with its text right behind it, or an object with `text`, `blob`,
`id` and `score`. One that is empty or cannot be read does not fail the request: it is `unverified`, with a reason.

Limits: {candidates} documents of a request, {characters} characters of a document, {tokens} tokens of a query,
{body} bytes of a body."""

#: No search, and no gateway.
NOTHING = Backend()


def app(
    core: Core,
    metrics: Metrics,
    ready: Callable[[], bool] = lambda: True,
    max_body_bytes: int = MAX_REQUEST_BYTES,
    backend: Backend = NOTHING,
) -> FastAPI:
    """The application.

    Args:
        core: for all requests; make its reranker with `Reranker.observed` to have them counted.
        metrics: what ``/metrics`` gives.
        ready: what ``/readyz`` asks.
        max_body_bytes: of one request to a door; a larger one is answered with 413.
        backend: for ``/v1/search``, which is left out without. Its gateway takes every request that no door takes; they
            are answered with 404 or 405 if there is none.
    """
    reranker = core.newest
    made = FastAPI(
        title="simgate",
        version=version("simgate"),
        description=DESCRIPTION.format(
            candidates=reranker.settings.max_candidates,
            characters=reranker.settings.max_characters,
            tokens=reranker.encoder.max_query_tokens,
            body=max_body_bytes,
        ),
        docs_url=None,  # these pages load scripts from other hosts
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={} if backend.gateway else {HTTPException: no_such_door},
    )
    made.state.max_body_bytes = max_body_bytes
    worker = Worker(core)
    for router in (cohere.routes(worker), tei.routes(worker), verify.routes(worker), probes.routes(metrics, ready)):
        made.include_router(router)
    if backend.search:
        made.include_router(searching.routes(backend.search, backend.name))
    if backend.gateway:
        made.mount("", backend.gateway)
    return made


def paths(application: FastAPI) -> list[str]:
    """The paths of all doors, of the description too."""
    return [*application.openapi()["paths"], application.openapi_url or ""]


async def no_such_door(request: Request, error: Exception) -> JSONResponse:
    """The answer to a request that no door takes."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    words = f"{request.method} {request.url.path}: there is no such door: GET /openapi.json lists them"
    return JSONResponse({"message": words}, status)
