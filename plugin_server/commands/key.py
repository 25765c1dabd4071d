"""``simgate key``: API keys for ``simgate serve``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import click


@click.group()
def key() -> None:
    """Make API keys for `simgate serve --api-keys`."""


@key.command()
@click.argument("name")
@click.option("--requests-per-second", metavar="N", type=float, help="Requests it may send a second.  [default: any]")
@click.option("--burst", metavar="N", type=int, help="Requests at once, after a pause.  [default: those of a second]")
@click.option("--days", metavar="N", type=click.IntRange(1, 36500), help="Days until it expires.  [default: never]")
def new(name: str, requests_per_second: float | None, burst: int | None, days: int | None) -> None:
    """Make a key for NAME, which logs and metrics call it by.

    The key is shown once, on standard error; its entry for the file of keys, which does not tell it, goes to standard
    output. A server that runs reads the file again. For a change of keys put two under two names, and take the old
    one away once nobody sends it.

    \b
    Example:
      simgate key new search-team >> keys.toml
      simgate key new nightly --requests-per-second 20 --burst 100 --days 90 >> keys.toml

    Exit codes: 0 made; 1 a value cannot be used.
    """
    from plugin_server.keys import Key, entry, new_key

    made = new_key()
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days) if days else None
    table = entry(Key(name, sha256(made.encode()).hexdigest(), requests_per_second, burst, until))
    click.echo(f"Key of {name}, shown this once: {made}", err=True)
    click.echo(f"{table}\n")
