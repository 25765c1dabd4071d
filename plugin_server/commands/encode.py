"""``simgate encode``: a collection encoded offline, into Parquet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from plugin_server.bundle import Bundle
from plugin_server.commands.common import bundle_option, console, json_option, settings
from plugin_server.commands.engine import engine_options, engine_settings
from plugin_server.commands.offline import cluster, offline_options, slices_option
from plugin_server.engines.settings import EngineSettings

if TYPE_CHECKING:
    from plugin_server.offline.part import Part
    from plugin_server.offline.place import Place


@click.command()
@click.argument("inputs", nargs=-1, metavar="[INPUT]...")
@click.option("-o", "--output", required=True, metavar="FOLDER", help="Folder of the Parquet files, or its URI.")
@click.option("--index", metavar="NAME", default="", help="No INPUT: the documents of this index of the engine.")
@slices_option
@engine_options
@offline_options
@bundle_option
@json_option
@click.pass_context
def encode(
    context: click.Context,
    /,
    inputs: tuple[str, ...],
    output: str,
    index: str,
    slices: int,
    part_rows: int,
    bundle: str,
    as_json: bool,
    **given: Any,
) -> None:
    """Encode a collection into Parquet: recall vectors and token blobs, with their documents.

    INPUT is a file of JSON Lines (.jsonl, .ndjson, also with .gz) or Parquet with the columns text, and if there are
    any id and title; a folder of such; or the URI of one, as s3://bucket/folder. With --engine and --index it is an
    index. A row of the output is a document as an index of `simgate templates` holds it, and `simgate index` stores it
    without encoding it again.

    A part that is done stays done: a run that was stopped, or lost a worker, goes on with the others when it is started
    again. Ids are unique within a part; give inputs in which they are unique at all.

    \b
    Example:
      simgate encode corpus.jsonl -o encoded
      simgate encode s3://bucket/corpus -o s3://bucket/encoded --runner ray --address auto
      simgate encode --engine opensearch --index articles --text-field body -o encoded

    Exit codes: 0 every document is encoded; 1 some were refused, or parts failed, told on standard error.
    """
    where, engine = cluster(given), engine_settings(**given)
    if bool(inputs) == bool(index):
        raise click.UsageError("give either INPUT or --engine and --index NAME")
    if index and engine is None:
        raise click.UsageError("--index needs --engine")
    from plugin_server.offline.place import Place

    place = Place.of(output)  # tells if pyarrow, which what follows needs, is not installed
    from plugin_server.commands.parts import done, told
    from plugin_server.offline.folder import Folder
    from plugin_server.offline.task import Encode, without_login

    source = engine if index else None
    folder, manifest = Folder(place), Bundle.open(settings(bundle).bundle).manifest
    parts, job = _indexed(source, index, slices) if source else _filed(inputs, place, part_rows)
    before = folder.begin(job | {"fingerprint": manifest.fingerprint, "rows": part_rows if inputs else 0})
    task = Encode(place.uri, without_login(source), given["user"] or "") if source else Encode(place.uri)
    total, rejected = done("Encoding", task, bundle, parts, where, list(before.values()))
    if not total.failed:
        folder.end(total, rejected)
    console(errors=True).print(f"{total.written:,} documents in {output}", soft_wrap=True)
    context.exit(told(total, rejected, as_json, output=output, fingerprint=manifest.fingerprint))


def _filed(inputs: tuple[str, ...], output: Place, rows: int) -> tuple[list[Part], dict[str, Any]]:
    """The parts of files, and what tells that they are the same in another run."""
    from plugin_server.offline.inputs import files
    from plugin_server.offline.inputs import parts as found

    places = files(inputs, output)
    return found(places, rows), {"inputs": [place.state() for place in places]}


def _indexed(engine: EngineSettings, index: str, slices: int) -> tuple[list[Part], dict[str, Any]]:
    """The slices of an index, and what tells that it is the same in another run."""
    from plugin_server.engines.connection import Engine
    from plugin_server.engines.target import identities, known
    from plugin_server.offline.listing import parts

    async def identity() -> list[str]:
        async with Engine(engine) as open_engine:
            await known(open_engine, index)
            return await identities(open_engine, index)

    return parts(index, slices), {"index": index, "identity": asyncio.run(identity()), "slices": slices}
