"""A search with a rerank context in, what the engine is asked for out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugin_server.errors import InvalidField
from plugin_server.gateway.context import Context, without_context
from plugin_server.gateway.options import Search, check
from plugin_server.gateway.params import Params
from plugin_server.gateway.settings import GatewaySettings

DEFAULT_SIZE = 10
#: Options that say which source a hit comes with, or let the engine send none unless asked.
SOURCE = ("_source", "_source_includes", "_source_excludes", "stored_fields", "script_fields")
#: URL parameters that are read here and written into the body.
READ = ("from", "size", "source", "source_content_type")


@dataclass(frozen=True, slots=True)
class Ask:
    """One search: what the engine is asked, and what the caller asked.

    Attributes:
        body: for the engine.
        params: for the engine.
        search: as the caller sent it.
        start, size: the caller's page.
        shown: patterns of field names that the caller asked for, so that their values stay in the response.
    """

    body: dict[str, Any]
    params: Params
    search: Search
    start: int
    size: int
    shown: tuple[str, ...]

    @property
    def context(self) -> Context:
        """The search's rerank context."""
        return self.search.context

    @property
    def verifies(self) -> bool:
        """Whether there is anything to verify: not without a page, unless aggregations count what is kept."""
        return self.size > 0 or self.search.recounts()


def ask(search: Search, settings: GatewaySettings) -> Ask:
    """The engine's search for a caller's.

    Raises:
        InvalidField: the search cannot be verified as it is; the message names the option.

    Example:
        >>> body = {"size": 2, "ext": {"rerank": {"query_context": {"query_text": "red car"}}}}
        >>> asked = ask(Search(body, Params(), Context("red car", k=50)), GatewaySettings("http://localhost:9200"))
        >>> asked.body["size"], asked.body["fields"], "ext" in asked.body
        (50, ['simgate_blob', 'text'], False)
    """
    check(search)
    body, params, k = search.body, search.params, search.context.k
    start, size = _count(search, "from", 0), _count(search, "size", DEFAULT_SIZE)
    if start + size > k:
        raise InvalidField(f"ext.simgate.k: from {start} and size {size} reach beyond the {k} hits verified: raise it")
    if start and "search_after" in body:
        raise InvalidField("from: must be 0 with search_after")
    asked = without_context(body)
    made = Ask(asked, params.without(READ), search, start, size, _shown(body, params))
    if not made.verifies:
        asked |= {"from": start, "size": 0}
        return made
    asked |= {"from": 0, "size": k}
    given = body.get("fields", [])
    if isinstance(given, list):  # the engine refuses anything else
        asked["fields"] = [*given, *(name for name in (settings.blob_field, settings.text_field) if name not in given)]
    if not any(name in body or params.get(name) is not None for name in SOURCE):
        asked["_source"] = {"excludes": [settings.blob_field, f"{settings.windows_field}*"]}
    return made


def _count(search: Search, name: str, default: int) -> int:
    """A whole number of at least 0, from the URL or else from the body, read as engines do."""
    given = search.params.get(name)
    value = search.body.get(name, default) if given is None else given
    try:
        number = -1 if value is None or isinstance(value, bool) else int(value)
    except (TypeError, ValueError):
        number = -1
    if number < 0:
        raise InvalidField(f"{name}: {value!r} is not a whole number of at least 0")
    return number


def _shown(body: Mapping[str, Any], params: Params) -> tuple[str, ...]:
    """Names and patterns of the fields whose values the caller asked for, by whichever option."""
    names: list[Any] = []
    for option in ("fields", "docvalue_fields", "stored_fields"):
        given = body.get(option, [])
        names += given if isinstance(given, list) else [given]
        if option != "fields":
            names += (params.get(option) or "").split(",")
    names += [*_mapping(body.get("script_fields"))]
    names += [_mapping(body.get("collapse")).get("field")]
    fields = [_mapping(name).get("field") if isinstance(name, dict) else name for name in names]
    return tuple(name for name in fields if isinstance(name, str) and name)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
