"""``simgate rerank``: candidates from a file, reranked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, BinaryIO

import click
from rich.text import Text

from plugin_server.blob import TokenBlob
from plugin_server.candidate import Candidate
from plugin_server.commands.common import (
    bundle_option,
    calibration_option,
    console,
    emit,
    hit_fields,
    json_option,
    load,
    name_of,
    policy_option,
    profile_option,
    report,
    top_n_option,
    verification_option,
)
from plugin_server.commands.search import hits_table
from plugin_server.corpus import Refused
from plugin_server.errors import InvalidField, InvalidRequest, NoCandidates
from plugin_server.jsonlines import kind, read_lines, text_of, unicode_of
from plugin_server.ranking import Hit, Ranking
from plugin_server.settings import Settings


@click.command()
@click.argument("query")
@click.argument("candidates", type=click.File("rb"))
@top_n_option
@profile_option("passages")
@policy_option
@json_option
@verification_option
@calibration_option
@bundle_option
@click.pass_context
def rerank(
    context: click.Context,
    query: str,
    candidates: BinaryIO,
    top_n: int,
    profile: str,
    policy: str,
    as_json: bool,
    verification: str | None,
    calibration: Path | None,
    bundle: str,
) -> None:
    """Rerank candidates from a file without an index.

    CANDIDATES is a file of JSON Lines, or - for standard input, each with "text" or "document", and if there are any
    with "id", "score" (the engine's) and "blob". With --json one line comes back for each hit, best first, and then
    one for each that was dropped.

    \b
    Example:
      simgate rerank "a red car and a blue house" candidates.jsonl --profile pairs
      echo '{"text": "a blue car and a red house"}' | simgate rerank "a red car and a blue house" - --json

    Exit codes: 0 reranked; 1 some lines were refused, told with their numbers on standard error, or nothing was done.
    """
    reranker = load(bundle, calibration)
    read, lines, refused = _read(candidates, reranker.settings)
    report(refused, candidates)
    if not read:
        raise NoCandidates
    held, depth = name_of(calibration), verification or ""
    ranking = reranker.rerank(query, read, profile, policy, calibration=held, verification=depth, wanted=top_n)
    if as_json:
        _emit(ranking, lines, top_n)
    else:
        _print(ranking, top_n)
    context.exit(1 if refused else 0)


def candidate_of(value: dict[str, Any], max_characters: int) -> Candidate:
    """The candidate that a line's object describes.

    Raises:
        InvalidRequest: a field is missing, empty, too long or of the wrong type; the message names it.
    """
    identity, score, blob = value.get("id", ""), value.get("score"), value.get("blob", "")
    if isinstance(identity, int) and not isinstance(identity, bool):
        identity = str(identity)
    if not isinstance(identity, str):
        raise InvalidField(f"id: is {kind(identity)}: give a text or a whole number, or leave it out")
    if not isinstance(blob, str):
        raise InvalidField(f"blob: is {kind(blob)}: give a text")
    if score is not None:
        score = _finite(score)
    if blob:
        TokenBlob.parse(blob)
    name = "text" if "text" in value or "document" not in value else "document"
    text = "" if blob and name not in value else text_of(value, name, max_characters)
    return Candidate(text, unicode_of(identity, "id"), score, blob)


def _finite(score: object) -> float:
    if isinstance(score, bool) or not isinstance(score, int | float):
        raise InvalidField(f"score: is {kind(score)}: give a number")
    try:
        number = float(score)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidField("score: is too large: give a finite number")
    return number


def _read(stream: BinaryIO, settings: Settings) -> tuple[list[Candidate], list[int], list[Refused]]:
    """The candidates of a file, their line numbers, and the lines refused; no more than may be reranked are read."""
    read: list[Candidate] = []
    lines: list[int] = []
    refused: list[Refused] = []
    seen: set[str] = set()
    for line in read_lines(stream):
        try:
            if line.fault:
                raise InvalidField(line.fault)
            candidate = candidate_of(line.value, settings.max_characters)
            if candidate.id in seen:
                raise InvalidField(f"id: {candidate.id!r} was on an earlier line already")
        except InvalidRequest as error:
            refused.append(Refused(line.number, str(error)))
            continue
        if candidate.id:
            seen.add(candidate.id)
        read.append(candidate)
        lines.append(line.number)
        if len(read) > settings.max_candidates:
            break
    return read, lines, refused


def _emit(ranking: Ranking, lines: list[int], top_n: int) -> None:
    for rank, hit in enumerate(ranking.hits[:top_n], 1):
        emit({"rank": rank, "line": lines[hit.position], "text": hit.candidate.text} | hit_fields(hit))
    for hit in ranking.dropped:
        emit({"rank": None, "line": lines[hit.position], "text": hit.candidate.text} | hit_fields(hit))


def _print(ranking: Ranking, top_n: int) -> None:
    out = console()
    dropped: list[tuple[int | None, Hit]] = [(None, hit) for hit in ranking.dropped[:top_n]]
    out.print(hits_table([*enumerate(ranking.hits[:top_n], 1), *dropped]))
    out.print(Text(f"{len(ranking.hits)} kept, {len(ranking.dropped)} dropped", "dim"))
