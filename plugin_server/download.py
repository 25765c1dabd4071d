"""A file got over https, or copied, with its checksum on the way."""

from __future__ import annotations

import hashlib
import ssl
import time
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import NoReturn
from urllib.error import HTTPError, URLError
from urllib.request import (
    BaseHandler,
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    getproxies,
)

from plugin_server import content
from plugin_server.errors import BundleNotFetched

#: Bytes read at a time.
CHUNK = 1 << 20
#: Seconds without a byte.
SILENCE = 60.0


def fetch(source: str, target: Path, limit: int, seconds: float, ca: str = "") -> str:
    """The SHA-256, as 64 hexadecimal digits, of what now lies in a new file.

    Args:
        source: an https URL, whose redirects lead to https alone, or the path of a file.
        limit: of its bytes.
        seconds: for all of it.
        ca: file in PEM of the authorities that are trusted; empty for the system's.

    Raises:
        BundleNotFetched: it cannot be had, is larger, or takes longer.
    """
    place = told(source)
    try:
        if "://" in source:
            with opener(ca).open(Request(source, headers={"Accept-Encoding": "identity"}), timeout=SILENCE) as answer:
                return _copy(answer.read1, target, place, limit, time.monotonic() + seconds)
        with content.opened(Path(source), limit) as file:
            return _copy(file.read1, target, place, limit, time.monotonic() + seconds)
    except HTTPError as error:
        with error:
            fault = f"answers {error.code}: look whether the archive is there and may be read"
        raise BundleNotFetched(place, fault) from None
    except (OSError, HTTPException, ValueError) as error:
        reason = " ".join(str(getattr(error, "reason", None) or error).split())
        raise BundleNotFetched(place, f"cannot be read: {reason or type(error).__name__}") from error


def told(source: str) -> str:
    """A source as messages show it: without login and query, which may be secret.

    Example:
        >>> told("https://ann:pw@store.example/b.tar.gz?token=secret"), told("b.tar.gz")
        ('https://store.example/b.tar.gz', 'b.tar.gz')
    """
    if "://" not in source:
        return source
    scheme, _, rest = source.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0].partition('#')[0]}"


def opener(ca: str) -> OpenerDirector:
    """What opens https URLs and no others, not by a redirect either; proxies are the environment's.

    Raises:
        OSError: the authorities cannot be read.
    """
    made = OpenerDirector()
    proxies = {scheme: proxy for scheme, proxy in getproxies().items() if scheme == "https"}
    secured = HTTPSHandler(context=ssl.create_default_context(cafile=ca or None))
    faults = (HTTPErrorProcessor(), HTTPDefaultErrorHandler(), Refusal())
    for handler in (ProxyHandler(proxies), secured, HTTPRedirectHandler(), *faults):
        made.add_handler(handler)
    return made


class Refusal(BaseHandler):
    """Takes what no other handler does."""

    def unknown_open(self, request: Request) -> NoReturn:
        """Nothing comes back.

        Raises:
            URLError: always.
        """
        raise URLError(f"that leads to {request.type}://, and only https is taken: give an https URL, or a path")


def _copy(read: Callable[[int], bytes], target: Path, place: str, limit: int, end: float) -> str:
    """The SHA-256 of what was read into the file; raises as `fetch`."""
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as file:
        while chunk := read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise BundleNotFetched(place, f"has more than {limit} bytes, which is the limit: see --max-bytes")
            if time.monotonic() > end:
                raise BundleNotFetched(place, "takes longer than it may: give more time with --timeout")
            file.write(chunk)
            digest.update(chunk)
    return digest.hexdigest()
