"""``simgate index``: a corpus into the embedded index or a search engine; ``simgate index check``: what is there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import click

from plugin_server.commands.common import bundle_option, console, encoder, json_option, place
from plugin_server.commands.engine import engine_options, engine_settings
from plugin_server.commands.offline import cluster, offline_options, slices_option
from plugin_server.commands.tally import Tally
from plugin_server.corpus import Document, Refused, read_corpus
from plugin_server.encoder import Encoder
from plugin_server.index import Index
from plugin_server.index_file import label_of
from plugin_server.indexing import fill

#: Label of an index that holds the demo's documents and none of the user's.
DEMO = "demo"

name_option = click.option(
    "--index",
    "name",
    metavar="NAME",
    help="Name of the engine's index, or file of the embedded one.  "
    "[default: $SIMGATE_INDEX, else simgate/index.db in $XDG_DATA_HOME, else in ~/.local/share]",
    envvar="SIMGATE_INDEX",
)


class Corpus(click.ParamType):  # type: ignore[type-arg]
    """A file of JSON Lines, opened for bytes; the name of what is read in parts: Parquet, a folder, a URI."""

    name = "filename"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The open file, or the name."""
        if not isinstance(value, str) or "://" in value or value.endswith((".parquet", ".gz")) or Path(value).is_dir():
            return value
        return click.File("rb").convert(value, param, ctx)


class CorpusOrCommand(click.Group):
    """A group that takes what is no command's name for the arguments of its command ``corpus``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, behind the command that they are for."""
        known = args and args[0] in self.commands
        return super().parse_args(ctx, args if known else ["corpus", *args])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, without a name of its own if it was not given one."""
        name, command, rest = super().resolve_command(ctx, args)
        return ("" if name == "corpus" else name), command, rest


class Nameless(click.Context):
    """The context of a command that is called by its group's name."""

    @property
    def command_path(self) -> str:
        """The words that call the command."""
        return super().command_path.rstrip()


class CorpusCommand(click.Command):
    """The command that the group runs for what is no command's name."""

    context_class = Nameless


@click.group(cls=CorpusOrCommand)
def index() -> None:
    """Encode a corpus and store it; or `index check`: tell what an engine's index holds."""


@index.command(cls=CorpusCommand)
@click.argument("corpus", type=Corpus(), required=False)
@name_option
@engine_options
@click.option("--update-existing", is_flag=True, help="No CORPUS: add blobs and vectors to documents already there.")
@click.option("--no-vectors", is_flag=True, help="Blobs alone: recall stays your own.")
@click.option("--replace", is_flag=True, help="Empty the embedded index first.")
@offline_options
@slices_option
@bundle_option
@click.pass_context
def corpus(
    context: click.Context,
    /,
    corpus: BinaryIO | str | None,
    name: str | None,
    update_existing: bool,
    no_vectors: bool,
    replace: bool,
    slices: int,
    part_rows: int,
    bundle: str,
    **given: Any,
) -> None:
    """Encode a corpus and store it, in the embedded index or, with --engine, in a search engine.

    CORPUS is a file of JSON Lines, or - for standard input: {"id": "...", "text": "...", "title": "...", ...}. The text
    is encoded, the title shown, other fields kept. Without an id a line gets one made of its text. A document whose id
    is there already takes the other's place. A run that was stopped goes on where it was when started again.

    With --engine it may also be Parquet, as `simgate encode` writes it or with the columns id and text, a compressed
    file, a folder of such, or its URI; and with --runner ray workers of a cluster share the work.

    An engine's index is made by the template of `simgate templates apply`. Documents that are in an index already get
    blobs and vectors with --update-existing, also when a new bundle is to take the place of another.

    `simgate index check --index NAME` tells how many documents carry blobs of which bundle.

    \b
    Example:
      simgate index corpus.jsonl
      zcat corpus.jsonl.gz | simgate index - --index products.db
      simgate index corpus.jsonl --engine opensearch --url http://127.0.0.1:9200 --index simgate-products
      simgate index --update-existing --engine elasticsearch --index articles --text-field body
      simgate index encoded/ --engine opensearch --index simgate-products --runner ray --address auto

    Exit codes: 0 everything is in the index; 1 some lines or documents were refused, told on standard error.
    """
    there = cluster(given)
    where = engine_settings(**given)
    if update_existing == (corpus is not None):
        raise click.UsageError("give either a CORPUS or --update-existing")
    if where is None:
        if corpus is None or no_vectors or there:
            raise click.UsageError("--update-existing, --no-vectors and --runner ray need --engine")
        if isinstance(corpus, str):
            raise click.UsageError(f"{corpus}: the embedded index takes one file of JSON Lines; others need --engine")
        context.exit(_embedded(corpus, Path(name) if name else None, bundle, replace))
    if replace:
        raise click.UsageError("--replace is for the embedded index: delete the engine's index by yourself")
    if not name:
        raise click.UsageError("--engine needs --index NAME")
    if there or isinstance(corpus, str):
        from plugin_server.commands.offline_index import Offline

        work_offline = Offline(where, name, bundle, not no_vectors, there, given["user"] or "")
        if corpus is None:
            context.exit(work_offline.update(slices))
        if not isinstance(corpus, str) and not Path(corpus.name).is_file():
            raise click.UsageError("--runner ray cannot read standard input: give a file")
        context.exit(work_offline.fill(corpus if isinstance(corpus, str) else corpus.name, part_rows))
    from plugin_server.commands import engine_index as work  # the engines' clients are not needed otherwise

    loaded = encoder(bundle)
    if corpus is None:
        context.exit(work.update(where, loaded, name, not no_vectors))
    context.exit(work.fill(where, loaded, name, not no_vectors, corpus))


@index.command()
@name_option
@engine_options
@bundle_option
@json_option
@click.pass_context
def check(context: click.Context, /, name: str | None, bundle: str, as_json: bool, **engine: Any) -> None:
    """Tell how many documents of an engine's index carry blobs of which bundle.

    \b
    Example:
      simgate index check --engine opensearch --index simgate-products

    Exit codes: 0 every document carries a blob of the loaded bundle; 1 some do not, or the index cannot be asked.
    """
    where = engine_settings(**engine)
    if where is None or not name:
        raise click.UsageError("give --engine and --index NAME")
    from plugin_server.commands import engine_index as work

    context.exit(work.check(where, bundle, name, as_json))


def store(index: Index, encoder: Encoder, corpus: Iterable[Document | Refused], stream: BinaryIO) -> int:
    """The number of lines refused; the others are in the index, with a progress bar on the way.

    Args:
        stream: what the corpus is read from, for the share that is done.
    """
    with Tally(stream) as tally:
        for batch in fill(index, encoder, corpus):
            tally.add(batch)
    return tally.refused


def _embedded(corpus: BinaryIO, path: Path | None, bundle: str, replace: bool) -> int:
    """The exit code, after the corpus was stored in the embedded index."""
    loaded, file = encoder(bundle), place(path)
    with Index.create(file, loaded.manifest, replace=replace or label_of(file) == DEMO) as target:
        refused = store(target, loaded, read_corpus(corpus, loaded.max_characters), corpus)
        console(errors=True).print(f"{len(target)} documents in {file}", soft_wrap=True)
    return 1 if refused else 0
