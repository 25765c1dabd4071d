"""``simgate negatives``: labelled pairs, near-misses and rewritings, out of any English sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from onnx_export.cli import needed
from plugin_server.commands.common import Bar, console, output_option, report, same_file
from plugin_server.corpus import Refused
from plugin_server.errors import SimgateError
from plugin_server.jsonlines import dump


@click.command()
@click.argument("corpus", type=click.File("rb"))
@output_option
@click.option("--seed", default=1, show_default=True, help="Of everything drawn.")
@click.option(
    "--per-sentence",
    type=click.IntRange(1, 20),
    default=2,
    show_default=True,
    help="Near-misses of a sentence at most.",
)
@click.option("--categories", metavar="A,B,…", default="", help="Only these categories.  [default: all]")
@click.option("--limit", type=click.IntRange(4), help="Pairs to write at most.")
@click.option("--singles", is_flag=True, help="Write every pair that can be made, also without its counterpart.")
@click.pass_context
def negatives(
    context: click.Context,
    corpus: BinaryIO,
    output: str,
    seed: int,
    per_sentence: int,
    categories: str,
    limit: int | None,
    singles: bool,
) -> None:
    """Make near-misses and rewritings of English sentences, as labelled pairs.

    CORPUS is plain text in UTF-8, one sentence a line or running text, or JSON Lines with "text"; - is standard input.
    A line of the output has "query", "document", "label" (1 the same meaning, 0 a near-miss), "category", "rule" and
    "group" (the sentence it was made from). They come in blocks of four, two true and two false pairs of the same two
    queries and the same two documents, so that no text alone tells its label.

    Near-misses: negation, role, binding, spatial, temporal, number, quantifier, comparative, antonym, entity, question.
    Rewritings: contraction, number_words, synonym, passive, cleft, existential, dative, relative, clause_order,
    conjunct_order, symmetric, converse, comparative_inversion, indirect_question, how_to, phrase_order. What each does,
    and how often its label is wrong, is told in onnx_export/generators/README.md.

    \b
    Example:
      simgate negatives corpus.txt -o pairs.jsonl
      simgate negatives corpus.txt --categories role,passive --limit 1000 | simgate verify - -o verdicts.jsonl

    Exit codes: 0 done; 1 no sentence can be used, or some lines cannot be read, told by number; 2 wrong usage.
    """
    with needed("negatives"):
        from onnx_export.generators.negatives import CATEGORIES
    wanted = [name.strip() for name in categories.split(",") if name.strip()] or list(CATEGORIES)
    unknown = [name for name in wanted if name not in CATEGORIES]
    if unknown:
        raise click.BadParameter(
            f"{unknown[0]!r} is not known: choose of {', '.join(CATEGORIES)}", param_hint="--categories"
        )
    if output != "-" and same_file(corpus, Path(output)):
        raise click.UsageError("the output must be another file than the input")
    tally: Counter[str] = Counter()
    with needed("negatives"), click.open_file(output, "wb") as target, Bar("Making pairs") as bar:
        for lines in made(corpus, seed, per_sentence, wanted, singles, tally):
            room = (limit or len(lines) + tally["pairs"]) - tally["pairs"]
            if len(lines) > room and not singles:
                break
            target.writelines(dump(line) for line in lines[:room])
            tally["pairs"] += len(lines[:room])
            tally.update(f"{line['category']} {line['label']}" for line in lines[:room])
            bar.update(tally["read"], None, f"{tally['read']} sentences, {tally['pairs']} pairs")
            if limit and tally["pairs"] >= limit:
                break
    finish(tally, getattr(corpus, "name", "<stdin>"), singles)
    context.exit(1 if tally["refused"] else 0)


def made(
    corpus: BinaryIO, seed: int, most: int, categories: list[str], alone: bool, tally: Counter[str]
) -> Iterator[list[dict[str, object]]]:
    """The lines of one block, or of one sentence's single pairs, after another; what was read is counted."""
    from onnx_export.generators.negatives import blocks, singles
    from onnx_export.generators.sentences import read_sentences, usable

    seen: set[int] = set()
    for item in read_sentences(corpus):
        if isinstance(item, Refused):
            tally["refused"] += 1
            report([item], corpus)
            continue
        tally["read"] += 1
        if not usable(item.text) or hash(item.text) in seen:
            continue
        seen.add(hash(item.text))
        tally["usable"] += 1
        found = [singles(item.text, seed, categories)] if alone else blocks(item.text, seed, most, categories)
        tally["used"] += any(found)
        yield from ([pair.fields() for pair in block] for block in found if block)


def finish(tally: Counter[str], name: str, alone: bool) -> None:
    """Nothing; what was made is told on standard error.

    Raises:
        SimgateError: nothing was made.
    """
    if not tally["read"]:
        raise SimgateError(f'{name}: holds no sentence: give English text in UTF-8, or JSON Lines with "text"')
    if not tally["pairs"]:
        why = "no rule applies to any of them: give more sentences, or more --categories"
        if not alone:
            why = "none gives both a near-miss and a rewriting of it: --singles writes either without the other"
        if not tally["usable"]:
            why = "none can be used: give English sentences of 3 to 40 words, without links and markup"
        raise SimgateError(f"{name}: {tally['read']} sentences, but {why}")
    out = console(errors=True)
    told = f"{tally['read']} sentences, {tally['used']} of them used, {tally['pairs']} pairs"
    left = tally["usable"] - tally["used"]
    hint = f"; {left} gave no near-miss with a rewriting of both: --singles writes what has no counterpart"
    out.print(told + (hint if left and not alone else ""), soft_wrap=True)
    for label, title in (("0", "near-misses"), ("1", "rewritings")):
        counts = {key.split()[0]: count for key, count in sorted(tally.items()) if key.endswith(f" {label}")}
        if counts:
            out.print(f"{title}: {', '.join(f'{count} {kind}' for kind, count in counts.items())}", soft_wrap=True)
