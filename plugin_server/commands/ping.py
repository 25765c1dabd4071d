"""``simgate ping``: whether a running server serves, as a client sees it."""

from __future__ import annotations

import asyncio
import os

import click

#: Seconds for each of the questions.
TIMEOUT = 10.0


@click.command()
@click.argument("address", default="127.0.0.1:50051")
@click.option("--http", metavar="URL", default="", help="Ask HTTP too, URL/readyz, such as http://127.0.0.1:8080.")
@click.option("--tls", "with_tls", is_flag=True, help="The server has TLS; the options below say so by themselves.")
@click.option("--ca", metavar="FILE", default="", help="Authorities in PEM to trust.  [default: the system's]")
@click.option("--certificate", metavar="FILE", default="", help="Certificate in PEM to show to the server (mTLS).")
@click.option("--key", metavar="FILE", default="", help="Its key in PEM.")
@click.option("--server-name", metavar="NAME", default="", help="Name in the server's certificate, if not the address.")
@click.option("--api-key-env", metavar="NAME", default="SIMGATE_API_KEY", show_default=True, help="Holds the API key.")
@click.option("--health-only", is_flag=True, help="No rerank: needs no API key, and is answered under any load.")
@click.option("--timeout", metavar="SECONDS", type=click.FloatRange(0.1, 3600), default=TIMEOUT, show_default=True)
def ping(
    address: str, http: str, with_tls: bool, ca: str, certificate: str, key: str, server_name: str, api_key_env: str,
    health_only: bool, timeout: float,
) -> None:  # fmt: skip
    """Ask a running server for its health, and for one real rerank of a near-miss and a paraphrase.

    ADDRESS is its gRPC address, host:port.  [default: 127.0.0.1:50051]

    \b
    Example:
      simgate ping
      simgate ping rerank.example:50051 --ca ca.crt --http https://rerank.example:8080

    Exit codes: 0 it serves; 1 it does not, and standard error says why.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # else gRPC's own lines stand beside ours
    from plugin_server import probe  # with gRPC, which most commands do not need
    from plugin_server.channel import Tls

    given = Tls(ca, certificate, key, server_name)
    tls = given if with_tls or given != Tls() else None
    door = probe.Door(address, tls, os.environ.get(api_key_env, ""), api_key_env, timeout)
    click.echo(f"health  {address}: {probe.health(door)}")
    for line in () if health_only else probe.rerank(door):
        click.echo(f"rerank  {line}")
    if http:
        click.echo(f"http    {asyncio.run(probe.ready(http.rstrip('/') + '/readyz', given, timeout))}")
