"""A long list of hits, page by page, of a whole index or of a slice of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from plugin_server.engines.connection import Engine, shaped
from plugin_server.engines.patience import PASSING, patiently
from plugin_server.engines.target import path
from plugin_server.errors import EngineError, EngineMissing

#: How long the engine keeps a list, from one page to the next.
KEEP_ALIVE = "10m"


@dataclass(frozen=True, slots=True)
class Slice:
    """One of so many equal shares of an index: documents are told apart by their ids, so that no two slices share one.

    Example:
        >>> Slice(1, 4).query, Slice().query
        ({'slice': {'id': 1, 'max': 4}}, {})
    """

    number: int = 0
    of: int = 1

    @property
    def query(self) -> dict[str, Any]:
        """What a search's body has for it; engines take no single slice."""
        return {"slice": {"id": self.number, "max": self.of}} if self.of > 1 else {}


WHOLE = Slice()


class ListLost(EngineError):
    """A list that was being read cannot be read on: it must be asked for anew."""


async def pages(
    engine: Engine, index: str, query: Mapping[str, Any]
) -> AsyncGenerator[tuple[list[dict[str, Any]], int]]:
    """The hits of a search, page by page, and how many there are in all, as they were when the first was asked for.

    A page is asked for once: asked again, the engine would skip one.

    Args:
        query: the search's body, with the ``size`` of a page.

    Raises:
        ListLost: the engine lost it, or a page of it was lost on the way.
        EngineError: the list cannot be made.
    """
    params = {"scroll": KEEP_ALIVE, "allow_partial_search_results": "false"}
    hits, total, scroll = _page(await patiently(engine, "POST", f"/{path(index)}/_search", dict(query), params))
    try:
        while hits:
            yield hits, total
            try:
                answer = await engine.request("POST", "/_search/scroll", {"scroll": KEEP_ALIVE, "scroll_id": scroll})
            except (*PASSING, EngineMissing) as error:
                raise ListLost(f"{index}: the list of its documents is lost after a page: {error}") from error
            hits, total, scroll = _page(answer)
    finally:
        with suppress(EngineError):  # it expires
            await engine.request("DELETE", "/_search/scroll", {"scroll_id": [scroll]})


def _page(answer: Any) -> tuple[list[dict[str, Any]], int, str]:
    """The hits of a scroll's answer, how many there are in all, and the scroll's id."""
    with shaped("a search"):
        return answer["hits"]["hits"], int(answer["hits"]["total"]["value"]), answer["_scroll_id"]
