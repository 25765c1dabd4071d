"""OpenTelemetry: spans sent by OTLP as its own environment variables say; of the extra ``tracing``."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from plugin_server import spans
from plugin_server.errors import InvalidField
from plugin_server.spans import Attributes, Headers

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

NAME = "simgate"
#: Chooses the stable names of attributes where a library of OpenTelemetry still has older ones too.
STABLE_NAMES = ("OTEL_SEMCONV_STABILITY_OPT_IN", "http")


class Tracing:
    """OpenTelemetry's tracer as `plugin_server.spans` uses it.

    What an exception says may quote a text, so none is recorded.

    Args:
        provider: makes the tracer.
    """

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry import propagate, trace

        self._api, self._extract = trace, propagate.extract
        self._tracer = provider.get_tracer(NAME, version("simgate"))

    def span(self, name: str, attributes: Attributes) -> AbstractContextManager[Any]:
        """See `plugin_server.spans.Tracer`."""
        return self._tracer.start_as_current_span(name, attributes=dict(attributes), record_exception=False)

    def request(self, name: str, headers: Headers) -> AbstractContextManager[Any]:
        """See `plugin_server.spans.Tracer`."""
        return self._tracer.start_as_current_span(
            name,
            context=self._extract(dict(headers)),
            kind=self._api.SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        )

    def outcome(self, name: str, attributes: Attributes, failed: bool) -> None:
        """See `plugin_server.spans.Tracer`."""
        current = self._api.get_current_span()
        current.update_name(name)
        current.set_attributes(dict(attributes))
        if failed:
            current.set_status(self._api.StatusCode.ERROR)

    def trace(self) -> str:
        """See `plugin_server.spans.Tracer`."""
        context = self._api.get_current_span().get_span_context()
        return self._api.format_trace_id(context.trace_id) if context.is_valid else ""


def begin() -> Callable[[], None]:
    """What ends tracing, once spans are made of every request and of what is asked of engines, and sent.

    For a process that serves; before the engines' clients are made.

    Raises:
        InvalidField: the extra is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from plugin_server.reticent import Reticent
    except ImportError:
        raise InvalidField("tracing: OpenTelemetry is not installed: pip install 'simgate[tracing]'") from None
    os.environ.setdefault(*STABLE_NAMES)
    provider = TracerProvider(resource=_resource())
    if not isinstance(provider, TracerProvider):  # OTEL_SDK_DISABLED
        return lambda: None
    provider.add_span_processor(BatchSpanProcessor(Reticent(OTLPSpanExporter())))
    # not the provider of the whole process: libraries that find one make spans of their own, with query strings
    AioHttpClientInstrumentor().instrument(tracer_provider=provider, url_filter=lambda url: str(url.with_query(None)))
    spans.use(Tracing(provider))
    return lambda: _end(provider)


def _resource() -> Resource:
    """What sends the spans, as the environment names it, else simgate."""
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource

    given = Resource.create()
    named = str(given.attributes[SERVICE_NAME])
    called = Resource({SERVICE_NAME: NAME if named.startswith("unknown_service") else named})
    return Resource({SERVICE_VERSION: version("simgate")}).merge(given).merge(called)


def _end(provider: TracerProvider) -> None:
    spans.use(None)
    provider.shutdown()
