"""Spans without anything that may hold a text, whichever library made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

#: Attributes that quote requests.
TEXTS = {"db.query.text", "db.statement", "exception.message", "exception.stacktrace", "url.query"}
#: Attributes whose part behind the question mark does.
ADDRESSES = {"http.target", "http.url", "url.full"}


class Reticent(SpanExporter):
    """An exporter that passes spans on without texts: no words of errors, no queries, no query strings.

    Args:
        exporter: sends them.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """What the exporter says of the spans."""
        return self._exporter.export([without_texts(span) for span in spans])

    def shutdown(self) -> None:
        """Nothing; the exporter is shut down."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Whether the exporter has sent everything."""
        return self._exporter.force_flush(timeout_millis)


def without_texts(span: ReadableSpan) -> ReadableSpan:
    """The span as it is, less what may hold a text."""
    events = [Event(event.name, _kept(event.attributes), event.timestamp) for event in span.events]
    return ReadableSpan(
        span.name,
        span.context,
        span.parent,
        span.resource,
        _kept(span.attributes),
        events,
        span.links,
        span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _kept(attributes: Any) -> dict[str, Any]:
    """The attributes that hold no text.

    Example:
        >>> _kept({"url.full": "http://localhost:9200/docs/_search?q=secret", "url.query": "q=secret", "url.port": 1})
        {'url.full': 'http://localhost:9200/docs/_search', 'url.port': 1}
    """
    return {
        name: str(value).partition("?")[0] if name in ADDRESSES else value
        for name, value in (attributes or {}).items()
        if name not in TEXTS
    }
