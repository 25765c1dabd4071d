"""Requests to the engine, judged by the indices they can reach: the tables say how each endpoint is read."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any
from urllib.parse import unquote_to_bytes

from plugin_server import strict
from plugin_server.engines.reach import Reach
from plugin_server.engines.references import check_references
from plugin_server.errors import IndexDenied, InvalidField
from plugin_server.gateway import multi
from plugin_server.gateway.params import Params

#: A path as clients write it; the rest is read in different ways by those on the way to the engine.
PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,=:@/<>|-]|%[0-9A-Fa-f]{2})*")
#: URL parameters that name an index, or that hold a body.
PARAMS = ("index", "indices", "target", "target_index", "new_index", "source", "source_content_type")
#: Types whose bodies are JSON for every engine.
TYPES = ("application/json", "application/x-ndjson")
VENDOR = re.compile(r"application/vnd\.(elasticsearch|opensearch)\+(json|x-ndjson)")


class Body(StrEnum):
    """What the body of a request is, and so where it may name indices."""

    DATA = "data"  # a document, or none: it names no index, and is not read
    QUERY = "query"  # one object
    SEARCHES = "searches"  # lines of headers and bodies
    WRITES = "writes"  # lines of actions and documents


#: What may stand behind an index in the path. Not here are those that name further indices in the path or in a text
#: (clone, split, shrink, rollover, search templates), or carry them in an id (points in time, asynchronous searches).
BELOW = {
    **dict.fromkeys(("_doc", "_create", "_update", "_source"), Body.DATA),
    **dict.fromkeys(("_refresh", "_flush", "_forcemerge", "_cache", "_open", "_close", "_analyze"), Body.DATA),
    **dict.fromkeys(("_stats", "_segments", "_recovery", "_shard_stores", "_search_shards"), Body.DATA),
    **dict.fromkeys(("_search", "_count", "_validate", "_explain", "_knn_search", "_mvt"), Body.QUERY),
    **dict.fromkeys(("_delete_by_query", "_update_by_query"), Body.QUERY),
    **dict.fromkeys(("_field_caps", "_terms_enum", "_termvectors", "_mtermvectors", "_mget"), Body.QUERY),
    **dict.fromkeys(("_mapping", "_mappings", "_settings", "_alias", "_aliases"), Body.QUERY),
    "_msearch": Body.SEARCHES,
    "_bulk": Body.WRITES,
}
#: Those of them that may stand alone, if their bodies name the indices.
ALONE = ("_msearch", "_mget", "_bulk")
#: Those behind which nothing may stand: templates and points in time. Behind none may stand another of them, as engines
#: did that had types.
LAST = ("_search", "_msearch", "_bulk", "_mget", "_knn_search")
#: Those behind which further names of indices stand.
NAMED = ("_alias", "_aliases")
ACTIONS = ("index", "create", "update", "delete")


class Guard:
    """Lets only those requests pass that stay within a reach; the callers' credentials are not what it judges."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def target(self, method: str, path: str, params: Params) -> tuple[Body, str]:
        """What the request's body is, and the indices that its path names, empty for none.

        Raises:
            IndexDenied: the path or a parameter reaches further, or cannot be judged.
        """
        for name in params.names():
            if name in PARAMS:
                raise self._denied(f"parameter {name}", "is not read: name the index in the path, send what it holds")
        parts = self._parts(path)
        if not parts and method in ("GET", "HEAD"):
            return Body.DATA, ""
        if len(parts) == 1 and parts[0] in ALONE:
            return BELOW[parts[0]], ""
        if not parts or parts[0].startswith("_"):
            raise self._denied("path", "begins with no index: write /index/_search, and so on")
        self._reach.check(parts[0], "path")
        if len(parts) == 1:
            return Body.QUERY, parts[0]
        further = parts[1] in LAST and len(parts) > 2
        if parts[1] not in BELOW or further or any(part in BELOW for part in parts[2:]):
            raise self._denied(f"path /{'/'.join(parts[1:3])[:80]}", "may reach further than the index before it")
        if parts[1] in NAMED and len(parts) > 2:
            self._reach.check(parts[2], "path")
        return BELOW[parts[1]], parts[0]

    def body(self, kind: Body, indices: str, content_type: str, raw: bytes | None) -> None:
        """Nothing, if a body names no index beyond the reach.

        Args:
            kind: as `target` gives it.
            indices: that count where the body names none.
            raw: uncompressed; None if it cannot be.

        Raises:
            IndexDenied: it does, or it may: a point in time has indices of its own.
            InvalidField: it cannot be read.
        """
        if raw == b"" or kind is Body.DATA:
            return
        given = content_type.partition(";")[0].strip().lower()
        if raw is None or not (given in TYPES or VENDOR.fullmatch(given)):
            raise InvalidField("body: cannot be read for the indices it names: send JSON, with its content-type")
        try:
            if kind is Body.QUERY:
                self._query(_parsed(raw), "body")
            elif kind is Body.SEARCHES:
                self._searches(raw, indices)
            else:
                self._writes(raw, indices)
        except ValueError as error:
            raise InvalidField(f"body: cannot be read for the indices it names: {error}") from None

    def _parts(self, path: str) -> list[str]:
        """The decoded parts of a path."""
        if not PATH.fullmatch(path):
            raise self._denied("path", "holds signs that are read in different ways")
        if path == "/":
            return []
        parts = path.removeprefix("/").removesuffix("/").split("/")
        decoded = [unquote_to_bytes(part).decode("utf-8", "replace") for part in parts]
        for raw, part in zip(parts, decoded, strict=True):
            if not part or {".", ".."} & set(re.split(r"[/\\]", part)) or (part.startswith("_") and raw != part):
                raise self._denied("path", "holds an empty part, a dot or an endpoint in disguise")
        return decoded

    def _query(self, body: Any, place: str) -> None:
        if isinstance(body, dict) and body.get("pit") is not None:
            raise self._denied(f"{place}.pit", "carries indices of its own: use search_after without it")
        check_references(self._reach, body, place)

    def _searches(self, raw: bytes, indices: str) -> None:
        for number, (header, body) in enumerate(multi.split(raw)):
            place = f"body[{number}]"
            given = _parsed(header) if header.strip() else {}
            if not isinstance(given, dict):
                raise InvalidField(f"{place}: the header is no object")
            named = [given[name] for name in ("index", "indices", "_index") if name in given]
            for value in named or [indices]:
                for name in value if isinstance(value, list) and value else [value]:
                    self._reach.check(name if isinstance(name, str) else "", f"{place}.index")
            self._query(_parsed(body), place)

    def _writes(self, raw: bytes, indices: str) -> None:
        lines = enumerate(raw.split(b"\n"))
        for number, line in lines:
            if not line.strip():
                continue
            action = _parsed(line)
            operation, meta = next(iter(action.items()), ("", None)) if isinstance(action, dict) else ("", None)
            if operation not in ACTIONS or not isinstance(meta, dict) or len(action) != 1:
                raise InvalidField(f"body: line {number + 1} is none of the actions {', '.join(ACTIONS)}")
            name = meta.get("_index", indices)
            self._reach.check(name if isinstance(name, str) else "", f"body line {number + 1}._index")
            if operation != "delete":
                next(lines, None)

    def _denied(self, field: str, fault: str) -> IndexDenied:
        return IndexDenied(field, "", fault, self._reach.patterns)


def _parsed(raw: bytes) -> Any:
    """The JSON of bytes that every engine reads as UTF-8."""
    return strict.parse(raw.decode("utf-8"))
