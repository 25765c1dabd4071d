"""``simgate verify``: a file of pairs, each line with its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import click

from plugin_server.blob import is_blob
from plugin_server.commands.common import (
    Bar,
    bundle_option,
    calibration_option,
    console,
    load,
    name_of,
    output_option,
    profile_option,
    report,
    same_file,
)
from plugin_server.corpus import Refused
from plugin_server.errors import InvalidRequest
from plugin_server.jsonlines import Line, dump, read_lines, text_of
from plugin_server.reranker import CHUNK, Reranker
from plugin_server.verdict import Verdict


@click.command()
@click.argument("pairs", type=click.File("rb"))
@output_option
@profile_option("pairs")
@calibration_option
@bundle_option
@click.pass_context
def verify(
    context: click.Context, pairs: BinaryIO, output: str, profile: str, calibration: Path | None, bundle: str
) -> None:
    """Verify a file of pairs of any length in constant memory.

    PAIRS is a file of JSON Lines with "query" and "document" (a text or a token blob), or - for standard input. Every
    line comes back in its place with all its fields, and with "probability", "verdict", "threshold" and "profile"
    added. A line that cannot be verified comes back as {"line": 7, "error": "..."}; empty lines are skipped.

    \b
    Example:
      simgate verify pairs.jsonl -o verdicts.jsonl
      cat pairs.jsonl | simgate verify - --profile passages | jq -c 'select(.verdict == "rejected")'

    Exit codes: 0 every pair has a verdict; 1 some lines have none, told with their numbers on standard error.
    """
    if output != "-" and same_file(pairs, Path(output)):
        raise click.UsageError("the output must be another file than the input")
    reranker, held = load(bundle, calibration), name_of(calibration)
    counts: Counter[str] = Counter()
    with click.open_file(output, "wb") as target, Bar("Verifying") as bar:
        for chunk in chunks(read_lines(pairs)):
            results = verdicts(chunk, reranker, profile, held)
            target.writelines(dump(joined(line, result)) for line, result in zip(chunk, results, strict=True))
            target.flush()
            joint = zip(chunk, results, strict=True)
            report([Refused(line.number, item) for line, item in joint if isinstance(item, str)], pairs)
            counts.update("refused" if isinstance(item, str) else item.outcome.value for item in results)
            bar.update(counts.total(), None, f"{counts.total()} lines")
    names = ("accepted", "rejected", "unverified", "refused")
    told = ", ".join(f"{counts[name]} {name}" for name in names if counts[name])
    console(errors=True).print(told or "no pairs: the input is empty", soft_wrap=True)
    context.exit(1 if counts["refused"] else 0)


def chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines, as many at a time as are verified together."""
    source = iter(lines)
    while chunk := list(islice(source, CHUNK)):
        yield chunk


def verdicts(lines: list[Line], reranker: Reranker, profile: str, calibration: str = "") -> list[Verdict | str]:
    """For each line its verdict, or what is wrong with it."""
    limit = reranker.settings.max_characters
    results: list[Verdict | str] = []
    good: list[tuple[int, tuple[str, str]]] = []
    for place, line in enumerate(lines):
        try:
            results.append(line.fault)
            if not line.fault:
                good.append((place, _pair(line.value, limit)))
        except InvalidRequest as error:
            results[place] = str(error)
    answers = _verified([pair for _, pair in good], reranker, profile, calibration)
    for (place, _), answer in zip(good, answers, strict=True):
        results[place] = answer
    return results


def joined(line: Line, result: Verdict | str) -> dict[str, Any]:
    """The line with its verdict, or its number and what is wrong with it."""
    if isinstance(result, str):
        return {"line": line.number, "error": result}
    return (
        line.value
        | {
            "probability": result.probability,
            "verdict": result.outcome.value,
            "threshold": result.threshold,
            "profile": result.profile,
        }
        | ({"calibration": result.calibration} if result.calibration else {})
    )


def _pair(value: dict[str, Any], limit: int) -> tuple[str, str]:
    document = value.get("document")
    if isinstance(document, str) and is_blob(document):
        return text_of(value, "query", limit), document
    return text_of(value, "query", limit), text_of(value, "document", limit)


def _verified(pairs: list[tuple[str, str]], reranker: Reranker, profile: str, calibration: str) -> list[Verdict | str]:
    """The verdicts; where one pair cannot be verified, the others still are."""
    try:
        return list(reranker.verify_pairs(pairs, profile, calibration))
    except InvalidRequest as error:
        if len(pairs) == 1:
            return [str(error).removeprefix("pairs[0].")]
    middle = len(pairs) // 2
    halves = pairs[:middle], pairs[middle:]
    return [answer for half in halves for answer in _verified(half, reranker, profile, calibration)]
