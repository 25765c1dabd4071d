"""A search engine: requests in, JSON or one of simgate's errors out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from plugin_server.engines.clients import Answered, client
from plugin_server.engines.layout import Layout
from plugin_server.engines.settings import EngineSettings
from plugin_server.errors import (
    EngineBusy,
    EngineDenied,
    EngineError,
    EngineMissing,
    EngineNotReady,
    EngineRefused,
    EngineTimeout,
    EngineTooLarge,
    EngineUnavailable,
)

JSON, NDJSON = "application/json", "application/x-ndjson"
#: Characters of the engine's own words in a message.
REASON = 500
STATUSES = {
    401: EngineDenied,
    403: EngineDenied,
    404: EngineMissing,
    413: EngineTooLarge,
    429: EngineBusy,
    502: EngineNotReady,
    503: EngineNotReady,
    504: EngineNotReady,
}


class Engine:
    """A connection pool to one engine, for one event loop; an asynchronous context manager that closes it.

    Nothing is sent again by itself: a search has a caller who waits, and bulk writing has rules of its own.

    Args:
        settings: where and how; nothing is sent yet.

    Raises:
        InvalidField: the engine's client is not installed, or the certificate file cannot be read.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self._client = client(settings)

    @property
    def kind(self) -> str:
        """``opensearch`` or ``elasticsearch``."""
        return self.settings.engine

    @property
    def layout(self) -> Layout:
        """The names of the fields."""
        return self.settings.layout

    async def request(self, method: str, path: str, body: Any = None, params: Mapping[str, str] | None = None) -> Any:
        """The engine's answer, parsed.

        Args:
            path: from the slash on, its parts quoted.
            body: bytes of NDJSON, or what `json.dumps` takes.

        Raises:
            EngineUnavailable, EngineTimeout: no answer.
            EngineBusy: 429. EngineNotReady: 502 to 504. EngineDenied: 401 and 403. EngineMissing: 404.
            EngineTooLarge: 413. EngineRefused: any other 4xx.
            EngineError: any other 5xx, or an answer that cannot be parsed.
        """
        kind = NDJSON if isinstance(body, bytes) else JSON
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        url = self.settings.engine_url
        try:
            answer = await self._client.perform(method, path, params or {}, raw, kind)
        except Answered as error:
            raise engine_error(error.status, error.body) from None
        except TimeoutError:
            raise EngineTimeout(url, self.settings.engine_timeout) from None
        except ConnectionError as error:
            raise EngineUnavailable(url, str(error)) from None
        except (ValueError, RecursionError) as error:
            raise EngineError(f"{url}: {error}"[:REASON]) from None
        if not isinstance(answer, dict | list):
            raise EngineError(f"{url}: gave an answer that is not JSON: {shortened(answer)!r}")
        return answer

    async def close(self) -> None:
        """Nothing; the connections are closed."""
        await self._client.close()

    async def __aenter__(self) -> Engine:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


@contextmanager
def shaped(request: str) -> Iterator[None]:
    """Nothing; what cannot be read in an answer means that it is not the engine's.

    Args:
        request: what it should answer, such as ``a search``.

    Raises:
        EngineError: reading it failed.

    Example:
        >>> with shaped("a search"):
        ...     {}["hits"]
        Traceback (most recent call last):
        plugin_server.errors.EngineError: the engine's answer is not that of a search: KeyError('hits')
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise EngineError(f"the engine's answer is not that of {request}: {error!r}"[:REASON]) from error


def engine_error(status: int, body: Any) -> EngineError:
    """The error for a status of the engine, with the engine's reason.

    Example:
        >>> engine_error(400, {"error": {"type": "parsing_exception", "reason": "unknown query [knm]"}})
        EngineRefused('the engine answered 400: parsing_exception: unknown query [knm]')
        >>> engine_error(429, "slow down")
        EngineBusy('the engine answered 429: slow down')
    """
    kind = STATUSES.get(status, EngineRefused if 400 <= status < 500 else EngineError)
    return kind(f"the engine answered {status}: {reason(body)}")


def reason(body: Any) -> str:
    """What an error of the engine says: its type and reason and the innermost cause; at most `REASON` characters."""
    try:
        return _reason(body)
    except (TypeError, AttributeError, RecursionError):
        return "an error that cannot be read"


def _reason(body: Any) -> str:
    fault = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(fault, dict):
        return shortened(fault)
    parts = [f"{fault.get('type', 'error')}: {fault.get('reason', '')}"]
    cause = fault
    for shard in fault.get("failed_shards", [])[:1]:
        cause = shard.get("reason", cause)
    while isinstance(cause.get("caused_by"), dict):
        cause = cause["caused_by"]
    if cause is not fault:
        parts.append(f"{cause.get('type', 'error')}: {cause.get('reason', '')}")
    return "; ".join(parts)[:REASON]


def shortened(body: Any) -> str:
    """An answer in one line of at most `REASON` characters."""
    return " ".join(str(body).split())[:REASON]
