"""``simgate index``: a corpus into the embedded index."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from os import fstat
from pathlib import Path
from typing import BinaryIO

import click

from plugin_server.cli_common import Bar, bundle_option, console, index_option, load, place, report
from plugin_server.corpus import Document, Refused, read_corpus
from plugin_server.index import Index
from plugin_server.index_file import label_of
from plugin_server.indexing import fill
from plugin_server.reranker import Reranker

#: Label of an index that holds the demo's documents and none of the user's.
DEMO = "demo"


@click.command()
@click.argument("corpus", type=click.File("rb"))
@index_option
@bundle_option
@click.option("--replace", is_flag=True, help="Empty the index first.")
@click.pass_context
def index(context: click.Context, corpus: BinaryIO, path: Path | None, bundle: str, replace: bool) -> None:
    """Encode a corpus and store it in the embedded index.

    CORPUS is a file of JSON Lines, or - for standard input: {"id": "...", "text": "...", "title": "...", ...}. The text
    is encoded, the title shown, other fields kept. Without an id a line gets one made of its text. A document whose id
    is there already takes the other's place. A run that was stopped goes on where it was when started again.

    The demo's documents, if they are in the index, make room for yours.

    \b
    Example:
      simgate index corpus.jsonl
      zcat corpus.jsonl.gz | simgate index - --index products.db

    Exit codes: 0 every line is in the index; 1 some lines were refused, told with their numbers on standard error.
    """
    reranker, file = load(bundle), place(path)
    replace = replace or label_of(file) == DEMO
    with Index.create(file, reranker.manifest, replace=replace) as target:
        lines = read_corpus(corpus, reranker.settings.max_characters)
        refused = store(target, reranker, lines, corpus)
        console(errors=True).print(f"{len(target)} documents in {file}", soft_wrap=True)
    context.exit(1 if refused else 0)


def store(index: Index, reranker: Reranker, corpus: Iterable[Document | Refused], stream: BinaryIO) -> int:
    """The number of lines refused; the others are in the index, with a progress bar on the way.

    Args:
        stream: what the corpus is read from, for the share that is done.
    """
    size, added, unchanged, refused = _size(stream), 0, 0, 0
    with Bar("Indexing") as bar:
        for batch in fill(index, reranker, corpus):
            added, unchanged, refused = added + batch.added, unchanged + batch.unchanged, refused + len(batch.refused)
            report(batch.refused, stream)
            counts = {"added": added, "unchanged": unchanged, "refused": refused}
            note = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
            bar.update(stream.tell() if size else added + unchanged, size, note)
        if not added + unchanged + refused:
            bar.update(0, None, "no documents: the input is empty")
    return refused


def _size(stream: BinaryIO) -> int | None:
    """Bytes of a regular file; None for a pipe."""
    try:
        status = fstat(stream.fileno())
    except OSError:  # a stream in memory
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
