"""Where an engine keeps each kind of resource: found by name, written, deleted."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

#: ``request(method, path, body)`` gives the parsed answer, None for 404, and raises for every other error.
Request = Callable[[str, str, Any], Awaitable[Any]]
#: What `marked` puts behind a description.
MARK = re.compile(r" \(simgate v(\d+) ([0-9a-f]{12})\)$")


class TemplateError(Exception):
    """A resource could not be put in place; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What is there: its id, and the version and digest that its description tells; 0 and empty for somebody else's."""

    id: str
    version: int = 0
    digest: str = ""


def marked(description: str, version: int, digest: str) -> str:
    """A description that tells version and digest, because not every kind of resource has a field for them.

    Example:
        >>> marked("For words.", 3, "0123456789ab")
        'For words. (simgate v3 0123456789ab)'
    """
    return f"{description} (simgate v{version} {digest})"


def installed(identity: str, description: str) -> Installed:
    """What a description tells.

    Example:
        >>> installed("a", "For words. (simgate v3 0123456789ab)"), installed("a", "mine")
        (Installed(id='a', version=3, digest='0123456789ab'), Installed(id='a', version=0, digest=''))
    """
    found = MARK.search(description or "")
    return Installed(identity, int(found[1]), found[2]) if found else Installed(identity)


class Store(Protocol):
    """One kind of resource in an engine."""

    async def find(self, name: str) -> Installed | None:
        """What is there under the name."""

    async def write(self, name: str, body: dict[str, Any], old: Installed | None) -> str:
        """The id of the resource, made or put in the old one's place."""

    async def delete(self, name: str, old: Installed) -> None:
        """Nothing; it is gone."""


class Template:
    """Component templates, index templates: a list in the answer, the description in ``_meta``."""

    def __init__(self, request: Request, kind: str) -> None:
        self.request, self.kind = request, kind

    async def find(self, name: str) -> Installed | None:
        """What is there under the name."""
        found = await self.request("GET", f"/_{self.kind}/{name}", None)
        if found is None:
            return None
        meta = found[f"{self.kind}s"][0][self.kind].get("_meta") or {}
        return installed(name, str(meta.get("description", "")))

    async def write(self, name: str, body: dict[str, Any], old: Installed | None) -> str:
        """The name; a template is put in the old one's place."""
        await self.request("PUT", f"/_{self.kind}/{name}", body)
        return name

    async def delete(self, name: str, old: Installed) -> None:
        """Nothing; it is gone."""
        await self.request("DELETE", f"/_{self.kind}/{name}", None)


class Pipeline:
    """OpenSearch's search pipelines, which take no ``_meta`` and no ``version`` beside a description."""

    def __init__(self, request: Request) -> None:
        self.request = request

    async def find(self, name: str) -> Installed | None:
        """What is there under the name."""
        found = await self.request("GET", f"/_search/pipeline/{name}", None)
        return installed(name, str(found[name].get("description", ""))) if found and name in found else None

    async def write(self, name: str, body: dict[str, Any], old: Installed | None) -> str:
        """The name; a pipeline is put in the old one's place."""
        await self.request("PUT", f"/_search/pipeline/{name}", bare(body))
        return name

    async def delete(self, name: str, old: Installed) -> None:
        """Nothing; it is gone."""
        await self.request("DELETE", f"/_search/pipeline/{name}", None)


class Endpoint:
    """Elasticsearch's inference endpoints, which have no description: what they are set to tells whether one is ours.

    It is if it calls a door of simgate, whatever the host; an API key is not told, and so is not compared.
    """

    def __init__(self, request: Request, task: str = "rerank") -> None:
        self.request, self.path = request, f"/_inference/{task}"
        self._wanted: dict[str, tuple[int, str, dict[str, Any]]] = {}

    def expect(self, name: str, version: int, digest: str, body: dict[str, Any]) -> None:
        """Nothing; an endpoint set up like this counts as that version."""
        self._wanted[name] = (version, digest, body)

    async def find(self, name: str) -> Installed | None:
        """What is there under the name."""
        found = await self.request("GET", f"{self.path}/{name}", None)
        if found is None:
            return None
        version, digest, body = self._wanted[name]
        told, wanted = found["endpoints"][0], body["service_settings"]
        given = told.get("service_settings", {})
        if told.get("service") != body["service"] or _door(str(given.get("url"))) != _door(wanted["url"]):
            return Installed(name)
        same = all(given.get(key, value) == value for key, value in wanted.items())
        return Installed(name, version, digest if same else "")

    async def write(self, name: str, body: dict[str, Any], old: Installed | None) -> str:
        """The name; an endpoint cannot be changed, and is made anew."""
        if old is not None:
            await self.delete(name, old)
        await self.request("PUT", f"{self.path}/{name}", bare(body))
        return name

    async def delete(self, name: str, old: Installed) -> None:
        """Nothing; it is gone."""
        await self.request("DELETE", f"{self.path}/{name}", None)


def _door(url: str) -> tuple[str, str]:
    """Path and query of an address.

    Example:
        >>> _door("http://simgate:8080/rerank?ranked=true")
        ('/rerank', 'ranked=true')
    """
    parts = urlsplit(url)
    return parts.path, parts.query


def bare(body: dict[str, Any]) -> dict[str, Any]:
    """The body without what the engine does not take."""
    return {key: value for key, value in body.items() if key not in ("_meta", "version")}
