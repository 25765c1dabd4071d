"""``simgate serve``: the sidecar."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from pathlib import Path

import click

from plugin_server.cli_common import bundle_option, index_option, load, place
from plugin_server.index import Index


@click.command()
@click.option("--address", default="127.0.0.1:50051", show_default=True, help="Host and port to listen on.")
@index_option
@click.option("--no-index", is_flag=True, help="Serve without an index: no Search.")
@bundle_option
def serve(address: str, path: Path | None, no_index: bool, bundle: str) -> None:
    """Serve gRPC until interrupted or told to end (SIGTERM).

    Without --index the default index is served if it is there.

    \b
    Example:
      simgate serve
      simgate serve --address 0.0.0.0:50051 --no-index

    Exit codes: 0 ended in order; 1 bundle or index cannot be loaded, or the address cannot be taken.
    """
    if path and no_index:
        raise click.UsageError("--index and --no-index exclude each other")
    from plugin_server.server import serve as run  # gRPC is not needed by the other commands

    def ready(bound: str) -> None:
        click.echo(f"Serving on {bound}, {'with ' + str(file) if index else 'without an index'}", err=True)

    reranker, file = load(bundle), place(path)
    served = not no_index and (path is not None or file.exists())
    with Index.open(file, reranker.manifest) if served else nullcontext() as index:
        asyncio.run(run(reranker, address, index, ready=ready))
