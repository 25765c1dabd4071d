"""``simgate serve``: the sidecar."""

from __future__ import annotations

import asyncio
import os
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import click

from plugin_server.commands.common import bundle_option, load, place, settings
from plugin_server.commands.doors import NAMES, door_options, server_settings
from plugin_server.commands.engine import engine_options, engine_settings, indices_option
from plugin_server.commands.index import name_option
from plugin_server.index import Index
from plugin_server.session import limit_numpy


@click.command()
@click.option("--address", default="127.0.0.1:50051", show_default=True, help="Host and port for gRPC.")
@click.option(
    "--http", metavar="HOST:PORT", default="127.0.0.1:8080", show_default=True, help="Host and port for HTTP."
)
@click.option("--no-http", is_flag=True, help="Serve gRPC alone.")
@name_option
@engine_options
@indices_option
@click.option("--no-index", is_flag=True, help="Serve without an index: no Search.")
@door_options
@bundle_option
def serve(address: str, http: str, no_http: bool, name: str | None, no_index: bool, bundle: str, **where: Any) -> None:
    """Serve gRPC and HTTP until interrupted or told to end (SIGTERM).

    Over HTTP existing rerank clients find the forms of Cohere, Jina and text-embeddings-inference;
    GET /openapi.json describes them.

    Without --index the default index is served if it is there. SIGHUP loads bundle and calibrations anew from where
    they were; if they cannot be loaded, the old ones stay.

    \b
    Example:
      simgate serve
      simgate serve --address 0.0.0.0:50051 --http 0.0.0.0:8080 --tls-certificate tls.crt --tls-key tls.key
      simgate serve --no-http

    An address that other machines reach needs TLS, or --insecure where a proxy or the network does it.

    Exit codes: 0 ended in order; 1 bundle, index, certificates or keys cannot be loaded, or an address cannot be taken.
    """
    if name and no_index:
        raise click.UsageError("--index and --no-index exclude each other")
    from prometheus_client import disable_created_metrics

    from plugin_server import logs, tracing
    from plugin_server.backend import Source
    from plugin_server.server import Server  # neither gRPC nor HTTP is needed by the other commands
    from plugin_server.server import serve as run

    taken = server_settings(os.environ, {name: where.pop(name) for name in NAMES})
    limit_numpy(settings(bundle).threads)
    logs.begin(taken)
    disable_created_metrics()  # they double the series, and only OpenMetrics reads them
    end_tracing = tracing.begin() if taken.tracing else None
    engine, reranker = engine_settings(**where), load(bundle)
    file = place(Path(name) if name else None)
    opened = engine is None and not no_index and (name is not None or file.exists())
    source = f"with {engine.engine} at {engine.engine_url}" if engine else f"with {file}" if opened else ""

    def ready(server: Server) -> None:
        over = "https" if server.certificates else "http"
        doors = f"{server.address} and {over}://{server.http_address}" if server.http_address else server.address
        own = f", calibrations: {len(reranker.calibrations)}" if len(reranker.calibrations) else ""
        shadow = f", in shadow mode: no verdict is applied, all go into {taken.shadow}" if taken.shadow else ""
        if taken.log_format != "text":  # every line is JSON, and the log has this one too
            return
        with suppress(OSError):  # a full disk behind standard error is no reason not to serve
            click.echo(f"Serving on {doors}, {source or 'without an index'}{own}{shadow}", err=True)

    with Index.open(file, reranker.manifest) if opened else nullcontext() as index:
        found = Source(index, engine, name or "")
        doors = "" if no_http else http
        try:
            asyncio.run(run(reranker, address, found, taken, ready, doors, lambda: load(bundle)))
        finally:
            if end_tracing:
                end_tracing()
