"""``simgate search``: a query over the embedded index, before and after verification."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from plugin_server.commands.common import (
    bundle_option,
    calibration_option,
    console,
    emit,
    hit_fields,
    json_option,
    load,
    name_of,
    place,
    policy_option,
    profile_option,
    top_n_option,
    verification_option,
)
from plugin_server.commands.engine import engine_options, engine_settings, indices_option
from plugin_server.commands.index import name_option
from plugin_server.engines.settings import EngineSettings
from plugin_server.index import Index
from plugin_server.jsonlines import object_of
from plugin_server.printed import chance, shown
from plugin_server.ranking import Hit
from plugin_server.reranker import Reranker
from plugin_server.search import DEFAULT_K, Answer, Question, Searcher

STYLES = {"accepted": "green", "rejected": "red", "unverified": "yellow"}


@click.command()
@click.argument("query")
@click.option("-k", type=click.IntRange(1), default=DEFAULT_K, show_default=True, help="Dense hits to verify.")
@top_n_option
@profile_option("passages")
@policy_option
@click.option("--explain", is_flag=True, help="Show every hit of dense search with its verdict, --top-n of them.")
@json_option
@name_option
@engine_options
@indices_option
@click.option("--filter", "condition", metavar="JSON", help="Engine: a query in its DSL that hits must match.")
@click.option("--recall-query", metavar="JSON", help="Engine: a query in its DSL in place of the dense one.")
@click.option("--hybrid", is_flag=True, help="Engine: words (BM25) beside vectors.")
@verification_option
@calibration_option
@bundle_option
def search(
    query: str,
    k: int,
    top_n: int,
    profile: str,
    policy: str,
    explain: bool,
    as_json: bool,
    name: str | None,
    condition: str | None,
    recall_query: str | None,
    hybrid: bool,
    verification: str | None,
    calibration: Path | None,
    bundle: str,
    **engine: Any,
) -> None:
    """Search the embedded index or, with --engine, an index of a search engine; near-misses are dropped.

    \b
    Example:
      simgate search "A hotel that is closer to the sea than to the trains"
      simgate search "Boat back from Isle Varr to Brenholm" --explain
      simgate search "refund before dispatch" --json | jq -r '.hits[].id'
      simgate search "refund" --engine opensearch --index simgate-faq --filter '{"term": {"lang": "en"}}'

    Exit codes: 0 searched, even if nothing was found; 1 no index, another bundle's, or the query cannot be encoded.
    """
    where, reranker = engine_settings(**engine), load(bundle, calibration)
    question = Question(
        query, k, top_n, profile, policy, (name or "") if where else "", object_of("--filter", condition),
        object_of("--recall-query", recall_query), hybrid, name_of(calibration), verification or "",
    )  # fmt: skip
    if where:
        answer = asyncio.run(_engine_search(where, reranker, question))
    else:
        with Index.open(place(Path(name) if name else None), reranker.manifest) as index:
            answer = Searcher(reranker, index).search(question)
    if as_json:
        emit(answer_fields(answer, profile, policy, explain))
    else:
        print_answer(answer, explain, top_n)


async def _engine_search(where: EngineSettings, reranker: Reranker, question: Question) -> Answer:
    from plugin_server.core import Core
    from plugin_server.engines.connection import Engine  # its clients are not needed otherwise
    from plugin_server.engines.search import EngineSearcher

    async with Engine(where) as engine:
        return await EngineSearcher(Core(reranker), engine).search(question)


def answer_fields(answer: Answer, profile: str, policy: str, explain: bool) -> dict[str, Any]:
    """The answer for a program; with `explain` also what dense search found and what was dropped."""
    fields: dict[str, Any] = {"query": answer.query, "profile": profile, "policy": policy}
    fields["verified"] = len(answer.recall)
    fields["hits"] = [_fields(answer, hit) for hit in answer.ranking.hits]
    fields["dropped_count"] = len(answer.ranking.dropped)
    fields["incomplete"] = answer.incomplete
    if explain:
        fields["dropped"] = [_fields(answer, hit) for hit in answer.ranking.dropped]
        fields["dense"] = [{"id": item.document.id, "cosine": item.score} for item in answer.recall]
    return fields


def print_answer(answer: Answer, explain: bool, top_n: int) -> None:
    """Nothing; the answer is printed for people."""
    out, ranking = console(), answer.ranking
    if not answer.recall:
        out.print("Nothing was found: is the index empty? Add documents with `simgate index corpus.jsonl`")
        return
    if explain:
        kept = {hit.position: rank for rank, hit in enumerate(ranking.hits, 1)}
        fates = {hit.position: hit for hit in (*ranking.hits, *ranking.dropped)}
        out.print(Text("What dense search found, and what became of it", "bold"))
        out.print(hits_table([(kept.get(n), fates[n]) for n in range(len(answer.recall)) if n in fates][:top_n]))
    else:
        out.print(hits_table(list(enumerate(ranking.hits, 1))))
    if answer.incomplete:
        console(errors=True).print(f"hits may be missing: {answer.incomplete}", soft_wrap=True)
    line = f"{len(answer.recall)} verified, {len(ranking.dropped)} dropped"
    if ranking.dropped and not explain:
        line += " (--explain shows them)"
    out.print(Text(line, "dim"))


def hits_table(rows: list[tuple[int | None, Hit]]) -> Table:
    """A table of hits with their rank, None for a dropped one, and their verdicts."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("rank", justify="right", width=4)
    table.add_column("was", justify="right", width=3)
    table.add_column("document", ratio=3)
    table.add_column("verdict", width=10)
    table.add_column("prob", justify="right", width=4)
    table.add_column("no match for", ratio=1, min_width=12)
    for rank, hit in rows:
        verdict = hit.verdict
        style = STYLES[verdict.outcome.value]
        document = Text.assemble((f"{shown(hit.candidate.id, 40)} ", "dim"), shown(hit.candidate.text or "(blob)"))
        words = ", ".join(verdict.unmatched) or verdict.reason
        table.add_row(
            "–" if rank is None else str(rank),
            str(hit.position + 1),
            document,
            Text(verdict.outcome.value, style),
            chance(verdict.probability),
            Text(shown(words), "dim"),
        )
    return table


def _fields(answer: Answer, hit: Hit) -> dict[str, Any]:
    found = answer.found(hit)
    extra = {"title": found.document.title, "text": found.document.text, "extra": found.document.extra}
    return hit_fields(hit) | {"cosine": found.score} | extra
