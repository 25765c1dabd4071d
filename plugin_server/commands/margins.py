"""``simgate margins``: how separable a collection is in the space of recall vectors, before anything is adopted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

import click
import numpy as np
from numpy.typing import NDArray

from plugin_server.commands.calibrate import scored_pairs
from plugin_server.commands.common import Bar, bundle_option, emit, graphs, json_option, profile_option, report
from plugin_server.corpus import Document, Refused, read_corpus
from plugin_server.errors import InvalidField, InvalidRequest
from plugin_server.indexing import batches, encoded_by_id
from plugin_server.jsonlines import text_of
from plugin_server.printed import chance, shown
from plugin_server.reranker import Reranker
from plugin_server.thresholds.bounds import percent
from plugin_server.thresholds.margins import (
    NEAR,
    NEARER,
    SHARES,
    Close,
    Crowd,
    Separation,
    Spread,
    conclusion,
    crowd,
    separation,
)


@click.command()
@click.argument("corpus", type=click.File("rb"))
@click.option("--text", is_flag=True, help="CORPUS has a document a line, and is not JSON Lines.")
@click.option("--pairs", type=click.File("rb"), help="Labelled pairs, as `simgate calibrate` takes them.")
@profile_option("pairs")
@click.option(
    "--closest",
    "count",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="Closest pairs of documents to list.",
)
@json_option
@bundle_option
@click.pass_context
def margins(
    context: click.Context,
    corpus: BinaryIO,
    text: bool,
    pairs: BinaryIO | None,
    profile: str,
    count: int,
    as_json: bool,
    bundle: str,
) -> None:
    """Tell how separable a collection of your own is in the space of recall vectors, before you adopt anything.

    CORPUS is a file of JSON Lines as for `simgate index`, with --text a plain one with a document a line, or - for
    standard input. Told are the cosines between each document and the nearest other one, and the closest pairs, which
    are duplicates or near-misses: the verifier's word stands beside each. 50,000 short documents take some minutes.

    With --pairs (JSON Lines with "query", "document", "label": 1 for a true pair, 0 for a near-miss) also how far both
    overlap by cosine, and how much better the verifier tells them apart. Where nobody has labelled any, near-misses
    generated from the collection will do, if they come with true pairs.

    \b
    Example:
      simgate margins corpus.jsonl
      simgate margins faq.txt --text --pairs pairs.jsonl --json | jq .conclusion

    Exit codes: 0 told; 1 some lines were refused, told with their numbers on standard error, or there are too few.
    """
    reranker = graphs(bundle)
    refused: list[Refused] = []
    limit = reranker.settings.max_characters
    lines = text_lines(corpus, limit) if text else read_corpus(corpus, limit)
    documents, vectors = encoded(reranker, lines, refused)
    report(refused, corpus)
    if len(documents) < 2:
        raise InvalidField(f"corpus: {len(documents)} documents that can be read: at least 2 are needed")
    found, parted = crowd(reranker, documents, vectors, count), None
    if pairs:
        read, others = scored_pairs(reranker, pairs)
        report(others, pairs)
        refused += others
        parted = separation(read, profile)
    if as_json:
        emit(fields(found, parted))
    else:
        click.echo("\n".join(page(found, parted)))
    context.exit(1 if refused else 0)


def text_lines(stream: BinaryIO, max_characters: int) -> Iterator[Document | Refused]:
    """A document or a refusal for every line with something in it, its number as the id; equal lines are welcome."""
    for number, raw in enumerate(stream, 1):
        if not raw.strip():
            continue
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            yield Document(str(number), text_of({"text": line}, "text", max_characters), line=number)
        except UnicodeDecodeError as error:
            yield Refused(number, f"not UTF-8: byte 0x{raw[error.start]:02x} at byte {error.start + 1}")
        except InvalidRequest as error:
            yield Refused(number, str(error))


def encoded(
    reranker: Reranker, items: Iterator[Document | Refused], refused: list[Refused]
) -> tuple[list[Document], list[NDArray[np.float32]]]:
    """Every document that can be encoded with its recall vectors alone, so that memory grows by 1.5 kB a window."""
    documents: list[Document] = []
    vectors: list[NDArray[np.float32]] = []
    with Bar("Encoding") as bar:
        for batch in batches(items):
            refused += [item for item in batch if isinstance(item, Refused)]
            asked = [item for item in batch if isinstance(item, Document)]
            by_id = encoded_by_id(reranker.encoder, asked, refused)
            read = [document for document in asked if document.id in by_id]
            documents += read
            vectors += [by_id[document.id].vectors for document in read]
            bar.update(len(documents), None, f"{len(documents)} documents")
    refused.sort(key=lambda item: item.line)
    return documents, vectors


def fields(found: Crowd, parted: Separation | None) -> dict[str, Any]:
    """What was found, for a program."""
    close = [
        {"cosine": item.cosine, "probability": item.probability}
        | {side: {"id": document.id, "text": document.text} for side, document in _sides(item)}
        for item in found.closest
    ]
    given = {"conclusion": conclusion(found, parted), "quantiles": SHARES} | asdict(found) | {"closest": close}
    return given | ({"pairs": asdict(parted)} if parted else {})


def page(found: Crowd, parted: Separation | None) -> Iterator[str]:
    """What was found as lines of Markdown, the conclusion first."""
    yield conclusion(found, parted)
    yield ""
    yield f"| cosines | number | mean | {' | '.join(f'{share} %' for share in SHARES)} |"
    yield f"|---|{'---|' * (2 + len(SHARES))}"
    if parted:
        yield _row("true pairs", parted.true)
        yield _row("near-misses", parted.near_misses)
    yield _row("each document's nearest other", found.nearest)
    yield _row("two documents at random", found.random)
    yield ""
    yield (
        f"Of {found.documents} documents {percent(found.near)} have another one at {NEAR} or more, "
        f"{percent(found.nearer)} at {NEARER} or more; {found.identical} have a text that another one has too."
    )
    if parted and parted.cosine is not None and parted.verifier is not None:
        yield (
            f"Median true pair minus median near-miss: {parted.margin:+.3f}; {percent(parted.above)} of the "
            "near-misses are at least as near as the median true pair. "
            f"AUROC: cosine {parted.cosine:.3f}, verifier {parted.verifier:.3f}."
        )
    if found.closest:
        yield "\n| cosine | same by the verifier | one | other |\n|---|---|---|---|"
    for item in found.closest:
        texts = (f"{shown(document.id, 30)}: {shown(document.text, 80)}" for _, document in _sides(item))
        sides = " | ".join(text.replace("|", "/") for text in texts)
        yield f"| {item.cosine:.3f} | {chance(item.probability)} | {sides} |"


def _sides(item: Close) -> tuple[tuple[str, Document], tuple[str, Document]]:
    return ("left", item.left), ("right", item.right)


def _row(name: str, spread: Spread) -> str:
    quantiles = " | ".join(f"{value:.3f}" for value in spread.quantiles)
    return f"| {name} | {spread.count} | {spread.mean:.3f} | {quantiles} |"
