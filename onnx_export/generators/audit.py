"""Samples of near-misses and rewritings to be judged by hand.

``python -m onnx_export.generators.audit DATA role --seed 3`` prints 200 of one category, each with its number, its rule
and its source, as they were judged for ``audit.json``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import click

from onnx_export.generators.negatives import CATEGORIES, RULES
from onnx_export.generators.sentences import split, usable
from onnx_export.sources import banking77_texts, cannot, paws_wiki, snli, squadshifts, sugarcrepe_pp, vsr_captions


@dataclass(frozen=True, slots=True)
class Sample:
    """A sentence, what a rule made of it, and where the sentence comes from."""

    source: str
    rule: str
    sentence: str
    text: str


def sentences(data: Path) -> list[tuple[str, str]]:
    """Every usable sentence of the sets marked for training, each once, with its source; sorted.

    Raises:
        DataMissing: a data set is not in ``data``.
    """
    rows = [
        *snli(data, "dev"),
        *sugarcrepe_pp(data),
        *paws_wiki(data, "dev"),
        *cannot(data, "rest"),
        *squadshifts(data),
    ]
    texts = [(text, row.source) for row in rows for text in (row.query, row.document)]
    texts += [(text, "vsr") for text in vsr_captions(data)]
    texts += [(text, "banking77") for text, _ in banking77_texts(data)]
    found: dict[str, str] = {}
    for text, source in dict.fromkeys(texts):
        for sentence in split(text):
            if usable(sentence):
                found.setdefault(sentence, source)
    return sorted(found.items())


def samples(pool: list[tuple[str, str]], category: str, seed: int, count: int = 200) -> Iterator[Sample]:
    """At most `count` samples of a category, the sentences in an order drawn by the seed.

    Example:
        >>> list(samples([("The dog chased the cat.", "own")], "role", seed=1))
        [Sample(source='own', rule='agents', sentence='The dog chased the cat.', text='The cat chased the dog.')]
    """
    drawn = list(pool)
    Random(seed).shuffle(drawn)
    rules = [rule for rule in RULES if rule.category == category]
    for sentence, source in drawn:
        for rule in rules:
            text = rule.made(sentence, seed)
            if text:
                yield Sample(source, rule.name, sentence, text)
                count -= 1
            if not count:
                return


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("category", type=click.Choice(CATEGORIES))
@click.option("--seed", default=3, show_default=True, help="Of the order of the sentences and of everything drawn.")
@click.option("--count", type=click.IntRange(1), default=200, show_default=True, help="Samples at most.")
def main(data: Path, category: str, seed: int, count: int) -> None:
    """Print samples of one CATEGORY, made from the training sentences in DATA."""
    for number, sample in enumerate(samples(sentences(data), category, seed, count), 1):
        click.echo(f"{number} [{sample.source}, {sample.rule}]\n  {sample.sentence}\n  {sample.text}")


if __name__ == "__main__":
    main()
