"""An engine that answers at a URL: a node of ours, or a cluster somebody else started."""

from __future__ import annotations

import json
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError

from nodes.errors import NodeError

#: What a request that reaches no engine raises.
UNREACHED = (OSError, HTTPException)


class Refused(NodeError):
    """The engine answered with an error.

    Attributes:
        status: of the answer.
        body: of the answer.
    """

    def __init__(self, method: str, path: str, status: int, body: str) -> None:
        super().__init__(f"{method} {path}: {status} {body[:2000]}")
        self.status = status
        self.body = body


class Engine:
    """One OpenSearch or Elasticsearch.

    Attributes:
        url: without a slash at the end.
        kind: ``opensearch`` or ``elasticsearch``.
        version: as the engine names it, such as ``3.6.0``.
    """

    def __init__(self, url: str, kind: str, version: str) -> None:
        self.url = url
        self.kind = kind
        self.version = version

    @classmethod
    def at(cls, url: str, kind: str) -> Engine:
        """The cluster at this URL."""
        engine = cls(url.rstrip("/"), kind, "")
        nodes = engine.request("GET", "/_nodes/_local")["nodes"]
        engine.version = next(iter(nodes.values()))["version"]
        return engine

    def request(self, method: str, path: str, body: object = None, timeout: float = 60) -> Any:
        """What the engine answers, parsed; a list is sent as lines, which is what ``_bulk`` reads.

        Raises:
            Refused: the status is 400 or above.
            OSError, HTTPException: the engine cannot be reached.
        """
        kind = "application/x-ndjson" if isinstance(body, list) else "application/json"
        lines = body if isinstance(body, list) else [] if body is None else [body]
        data = "".join(json.dumps(line) + "\n" for line in lines).encode() or None
        request = urllib.request.Request(self.url + path, data, {"Content-Type": kind}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.load(answer)
        except HTTPError as error:
            with error:
                raise Refused(method, path, error.code, error.read().decode()) from None
