"""``simgate demo``: the packaged corpus indexed, its questions asked, and what changed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console, Group
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from plugin_server.bundle import SHORT, Manifest
from plugin_server.commands.common import (
    bundle_option,
    console,
    emit,
    hit_fields,
    index_option,
    json_option,
    load,
    place,
)
from plugin_server.commands.index import DEMO, store
from plugin_server.corpus import read_corpus
from plugin_server.demo import CORPUS, Result, ask, questions
from plugin_server.errors import IndexFailure, IndexOfOtherBundle
from plugin_server.index import Index
from plugin_server.index_file import label_of
from plugin_server.printed import chance, shown
from plugin_server.reranker import Reranker
from plugin_server.search import Searcher

#: Hits shown of dense search and of simgate.
SHOWN, KEPT = 5, 3
#: Words without match named for one hit.
WORDS = 5
MARKS = {"right": ("✓ ", "bold green"), "near-miss": ("✗ ", "bold red"), "": ("  ", "dim")}


@click.command()
@index_option
@bundle_option
@json_option
def demo(path: Path | None, bundle: str, as_json: bool) -> None:
    """Index a packaged corpus and show what dense search gets wrong and simgate drops.

    It works offline. The corpus goes to the embedded index, where `simgate search` finds it, and makes room as soon as
    you index documents of your own. With --json one line is printed for each question.

    \b
    Example:
      simgate demo
      simgate demo --json | jq '[.query, .right_before, .right_after]'

    Exit codes: 0 shown; 1 bundle or index cannot be used, for example because it holds documents of yours.
    """
    out, reranker, file = console(), load(bundle), place(path)
    begun = time.perf_counter()
    with prepared(file, reranker) as index:
        indexed = time.perf_counter()
        searcher = Searcher(reranker, index)
        results: list[Result] = []
        if not as_json:
            print_legend(out, len(index), reranker.manifest)
        for number, question in enumerate(asked := questions(), 1):
            result = ask(searcher, question)
            results.append(result)
            if as_json:
                emit(result_fields(result))
            else:
                print_result(out, result, number, len(asked))
        ended = time.perf_counter()
    if not as_json:
        print_summary(out, results, indexed - begun, ended - indexed)
        hint = 'simgate search "A hotel that is closer to the sea than to the trains"'
        out.print(Text.assemble("Try it: ", (f"{hint} --index {path}" if path else hint, "bold")), soft_wrap=True)


def prepared(file: Path, reranker: Reranker) -> Index:
    """The index that holds the demo's corpus and nothing else.

    Raises:
        IndexFailure: an index with other documents is there.
    """
    label = label_of(file)
    if label not in (None, DEMO):
        raise IndexFailure(f"{file}: holds documents of your own: give another file: simgate demo --index demo.db")
    try:
        index = Index.create(file, reranker.manifest, DEMO)
    except IndexOfOtherBundle:
        index = Index.create(file, reranker.manifest, DEMO, replace=True)
    with CORPUS.open("rb") as corpus:
        store(index, reranker.encoder, read_corpus(corpus, reranker.settings.max_characters), corpus)
    return index


def print_legend(out: Console, documents: int, manifest: Manifest) -> None:
    """Nothing; what the tables show is printed."""
    kept = manifest.profile("passages")
    text = Text.assemble(
        f"{documents} documents. Which comes first: the ", ("✓ right answer", "bold green"), " or the ",
        ("✗ near-miss", "bold red"), " with the same words and another meaning? Dense search ranks by cosine; "
        f"simgate reads both texts word by word and drops what does not hold up (prob below "
        f"{kept.threshold_for(SHORT):.2g} for a short document, {kept.threshold:.2g} for a long one).",
    )  # fmt: skip
    out.print(text)
    out.print()


def result_fields(result: Result) -> dict[str, Any]:
    """A question and its answer for a program."""
    question, ranking = result.question, result.answer.ranking
    dense = [
        {"rank": rank, "id": item.document.id, "cosine": item.score, "text": item.document.text}
        for rank, item in enumerate(result.answer.recall[:SHOWN], 1)
    ]
    return {
        "query": question.query,
        "profile": question.profile,
        "note": question.note,
        "expected": list(question.expected),
        "near_misses": list(question.near_misses),
        "right_before": result.right_before,
        "right_after": result.right_after,
        "near_misses_dropped": result.near_misses_dropped,
        "dense": dense,
        "kept": [hit_fields(hit) for hit in ranking.hits],
        "dropped": [hit_fields(hit) for hit in ranking.dropped],
    }


def print_result(out: Console, result: Result, number: int, count: int) -> None:
    """Nothing; the question, a table of its hits and one line that compares both are printed."""
    out.print(Rule(Text(f"{number}/{count}  {result.question.note}", "dim"), style="dim", align="left"))
    out.print(Text(f"“{result.question.query}”", "bold"))
    out.print(hits_table(result))
    before = _first(result, result.dense, "first")
    after = _first(result, result.kept, "first") if result.kept else _nothing(result)
    out.print(Text.assemble("dense search ", before, "   →   simgate ", after))
    out.print()


def hits_table(result: Result) -> Table:
    """The hits worth showing: rank and cosine of dense search, the document, and its fate."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("dense", justify="right", width=5, style="dim")
    table.add_column("cosine", justify="right", width=6, style="dim")
    table.add_column("document", ratio=3)
    table.add_column("simgate", width=7)
    table.add_column("prob", justify="right", width=4)
    table.add_column("no match for", ratio=1, min_width=12, style="dim")
    for rank, hit in result.told(SHOWN, KEPT):
        kind = result.kind(hit.candidate.id)
        found = result.answer.found(hit)
        table.add_row(
            str(hit.position + 1),
            f"{found.score:.2f}",
            _document(found.document.id, found.document.text, kind),
            _fate(rank, kind),
            chance(hit.verdict.probability),
            _words(hit.verdict.unmatched, kind),
        )
    return table


def print_summary(out: Console, results: list[Result], indexing: float, searching: float) -> None:
    """Nothing; a line for each question and the totals are printed."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("What came first?", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("dense search", width=13)
    table.add_column("simgate", width=13)
    for result in results:
        before, after = Text.assemble(_first(result, result.dense)), Text.assemble(_after(result))
        table.add_row(Text(result.question.query), before, after)
    out.print(Group(Rule("Summary", style="bold"), table))
    for name, value in totals(results, indexing, searching):
        out.print(Text.assemble((f"{name:<15}", "bold"), value), soft_wrap=True)
    out.print()


def totals(results: list[Result], indexing: float, searching: float) -> Iterator[tuple[str, str]]:
    """What the results add up to, each a name and a value.

    Args:
        indexing, searching: seconds altogether.
    """
    count = len(results)
    before, after = sum(result.right_before for result in results), sum(result.right_after for result in results)
    yield "Right first", f"dense search {before} of {count}, simgate {after} of {count}"
    dropped, found = sum(result.near_misses_dropped for result in results), sum(r.near_misses_found for r in results)
    lost, right = sum(result.lost for result in results), sum(len(result.question.expected) for result in results)
    yield "Dropped", f"{dropped} of {found} near-misses; by mistake {lost} of {right} right documents"
    yield "Seconds", f"{indexing:.1f} to index, {searching / count:.3f} a question"


def _document(identity: str, text: str, kind: str) -> Text:
    """A document on one line; one that the question is about with its label and its first sentence."""
    mark, style = MARKS[kind]
    if not kind:
        return Text(f"{mark}{identity}  {shown(text, 90)}", "dim", no_wrap=True, overflow="ellipsis")
    label = "right answer" if kind == "right" else "near-miss"
    sentence = re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]
    return Text.assemble((f"{mark}{label}", style), (f"  {identity}\n", "dim"), shown(sentence, 130))


def _words(words: tuple[str, ...], kind: str) -> Text:
    """The query's words without match: a few of them, on one line where the document has one line too."""
    if not kind:
        return Text(", ".join(words), no_wrap=True, overflow="ellipsis")
    more = f" +{len(words) - WORDS}" if len(words) > WORDS else ""
    return Text(", ".join(words[:WORDS]) + more)


def _fate(rank: int | None, kind: str) -> Text:
    """What became of a hit: green if it is what should have, red if not."""
    if rank is None:
        return Text("dropped", {"right": "bold red", "near-miss": "bold green", "": "dim"}[kind])
    return Text(f"kept: {rank}", {"right": "bold green", "near-miss": "bold red", "": ""}[kind])


def _first(result: Result, ids: list[str], suffix: str = "") -> tuple[str, str]:
    """What stands first, in words, and the style."""
    kind = result.kind(ids[0]) if ids else ""
    words = {"right": "✓ right one", "near-miss": "✗ near-miss", "": "✗ unrelated"}[kind]
    return f"{words} {suffix}".rstrip(), "green" if kind == "right" else "red"


def _nothing(result: Result) -> tuple[str, str]:
    if result.question.expected:
        return "✗ kept nothing", "red"
    return "✓ kept nothing: there is no right document", "green"


def _after(result: Result) -> tuple[str, str]:
    if result.kept:
        return _first(result, result.kept)
    return ("✗ nothing", "red") if result.question.expected else ("✓ nothing", "green")
