"""``simgate templates``: an engine made ready for documents with verification."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

import click

from index_templates.apply import Change, Options
from index_templates.apply import apply as put
from index_templates.apply import remove as take
from index_templates.resource import Resource, names
from index_templates.store import TemplateError
from plugin_server.bundle import Bundle
from plugin_server.commands.common import bundle_option, console, emit, json_option, profile_option, settings
from plugin_server.commands.engine import engine_options, engine_settings
from plugin_server.engines.connection import Engine
from plugin_server.engines.settings import ENGINES, EngineSettings
from plugin_server.errors import EngineMissing, InvalidField

Pass = Callable[..., AsyncIterator[Change]]


def _shared(command: Any) -> Any:
    """The options of apply and remove."""
    for option in (
        json_option,
        bundle_option,
        profile_option("passages"),
        click.option("--dry-run", is_flag=True, help="Only tell what would change."),
        click.option("--sidecar", metavar="URL", default="", help="simgate's HTTP address as the engine reaches it; "
                     "without it, what calls the sidecar is left out."),
        click.option("--vectors", metavar="FORM", default="", help="Form of the vectors, see `templates list`."),
        click.option("--pattern", metavar="PATTERN", default="", help="Indices with the mapping.  [default: PREFIX-*]"),
        click.option("--prefix", metavar="NAME", default="simgate", show_default=True, help="Names begin with it."),
        engine_options,
    ):  # fmt: skip
        command = option(command)
    return command


@click.group()
def templates() -> None:
    """Make a search engine ready: index template, search pipelines, connectors."""


@templates.command("list")
@json_option
def list_(as_json: bool) -> None:
    """Show every resource with its description.

    \b
    Example:
      simgate templates list

    Exit codes: 0 shown.
    """
    out = console()
    for engine in ENGINES:
        if not as_json:
            out.print(engine, style="bold")
        for name in names(engine):
            resource = Resource.load(engine, name)
            if as_json:
                told = {"version": resource.version, "description": resource.description}
                emit({"engine": engine, "name": name} | told)
                continue
            out.print(f"  {name} v{resource.version}: {resource.description}", soft_wrap=True)


@templates.command("apply")
@_shared
def apply_(**given: Any) -> None:
    """Put everything in place that searches with verification need.

    That is an index template for documents with vectors and blobs; on OpenSearch, with --sidecar, also connectors,
    models and search pipelines for its own rerank and ml_inference processors; on Elasticsearch an inference endpoint.
    What is there already stays as it is; an older version is replaced, a newer one kept. What the cluster cannot do is
    left out, and told. Where the sidecar asks for an API key, give it in $SIMGATE_API_KEY: the engine shows it.

    \b
    Example:
      simgate templates apply --engine opensearch --url http://127.0.0.1:9200 --dry-run
      simgate templates apply --prefix shop --pattern 'products-*' --sidecar http://simgate:8080

    Exit codes: 0 everything is in place; 1 the engine cannot be reached or refused something.
    """
    _pass(put, **given)


@templates.command("remove")
@_shared
def remove_(**given: Any) -> None:
    """Take away what `apply` put in place; indices and their documents stay.

    \b
    Example:
      simgate templates remove --engine opensearch --prefix shop --sidecar http://simgate:8080

    Exit codes: 0 everything is gone; 1 the engine cannot be reached or refused something.
    """
    _pass(take, **given)


def requester(engine: Engine) -> Callable[[str, str, Any], Any]:
    """Requests as `index_templates` makes them: None where the engine has nothing of that name."""

    async def request(method: str, path: str, body: Any) -> Any:
        bare, _, query = path.partition("?")
        params = dict(item.split("=", 1) for item in query.split("&")) if query else None
        try:
            return await engine.request(method, bare, body, params)
        except EngineMissing:
            return None

    return request


def _key() -> str:
    """The API key that the engine is to show to the sidecar; empty for none.

    Raises:
        InvalidField: it cannot be a key.
    """
    key = os.environ.get("SIMGATE_API_KEY", "")
    if key:
        from plugin_server.channel import metadata  # with gRPC, which most commands do not need

        metadata(key)
    return key


def _pass(
    work: Pass, dry_run: bool, as_json: bool, bundle: str, profile: str, prefix: str, pattern: str, vectors: str,
    sidecar: str, **engine: Any,
) -> None:  # fmt: skip
    """Nothing; the pass is made, and each change printed."""
    where, manifest = engine_settings(**engine), Bundle.open(settings(bundle).bundle).manifest
    if where is None:
        raise click.UsageError("give --engine")
    try:
        options = Options(
            where.engine, manifest.recall_dimension, manifest.fingerprint, manifest.name, prefix, pattern, vectors,
            where.text_field, sidecar, _key(), profile,
        )  # fmt: skip
        asyncio.run(_changes(work, where, options, dry_run, as_json))
    except TemplateError as error:
        raise InvalidField(str(error)) from error


async def _changes(work: Pass, where: EngineSettings, options: Options, dry: bool, as_json: bool) -> None:
    out = console()
    async with Engine(where) as engine:
        async for change in work(requester(engine), options, dry):
            if as_json:
                emit({"kind": change.kind, "name": change.name, "action": change.action, "detail": change.detail})
            else:
                line = f"{change.action:<9} {change.kind} {change.name} {change.detail}"
                out.print(f"{'would be ' if dry else ''}{line}".rstrip(), soft_wrap=True)
