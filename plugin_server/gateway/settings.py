"""The gateway's settings."""

from __future__ import annotations

from dataclasses import dataclass

from plugin_server.engines.layout import BLOB, WINDOWS
from plugin_server.engines.reach import Reach
from plugin_server.engines.settings import bare, holds_credentials, is_address
from plugin_server.errors import InvalidField, UnknownChoice
from plugin_server.settings import FAILURE, MAX_REQUEST_BYTES

#: What a length in bytes can be at most.
MAX_BODY = 2**63 - 1


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What can be set, with the defaults.

    Attributes:
        url: the engine's, ``http://`` or ``https://``, without credentials: the callers' own are forwarded.
        text_field: the field of a document that holds its text.
        blob_field: the field that holds its token blob.
        windows_field: a field of simgate's layout that, like the blob, callers do not get to see unless they ask.
        timeout: seconds for the engine to answer a search that is verified; all other requests wait as long as the
            caller does.
        verify_timeout: seconds for verifying one search.
        fail: when verification as a whole fails, ``open`` answers with the engine's order, every hit marked
            unverified; ``closed`` answers 503.
        ca: file of the certificates that the engine's is checked against; empty for the system's.
        max_body_bytes: of a search, uncompressed.
        indices: names and patterns, parted by commas, outside of which no request is passed on; empty for no limit.

    Example:
        >>> GatewaySettings("http://localhost:9200/").url
        'http://localhost:9200'
    """

    url: str
    text_field: str = "text"
    blob_field: str = BLOB
    windows_field: str = WINDOWS
    timeout: float = 60.0
    verify_timeout: float = 10.0
    fail: str = "open"
    ca: str = ""
    max_body_bytes: int = MAX_REQUEST_BYTES
    indices: str = ""

    def __post_init__(self) -> None:
        if not is_address(self.url):
            raise InvalidField(
                f"url: {bare(self.url)!r:.200} is no address: give http://host:port or https://host:port"
            )
        if holds_credentials(self.url):
            raise InvalidField("url: holds credentials: leave them out, the callers' own are forwarded")
        object.__setattr__(self, "url", self.url.rstrip("/"))
        for name in ("text_field", "blob_field", "windows_field"):
            if not getattr(self, name):
                raise InvalidField(f"{name}: is empty: give the name of a field")
        for name in ("timeout", "verify_timeout"):
            if not 0 < getattr(self, name) < 3600:
                raise InvalidField(f"{name}: {getattr(self, name):g} is not between 0 and 3600 seconds")
        if not 0 < self.max_body_bytes <= MAX_BODY:
            raise InvalidField(f"max_body_bytes: is not a whole number from 1 to {MAX_BODY}")
        if self.fail not in FAILURE:
            raise UnknownChoice("fail", self.fail, list(FAILURE))
        Reach.of(self.indices)
