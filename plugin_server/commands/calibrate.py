"""``simgate calibrate``: a threshold from a team's own labelled pairs, with a bound on false accepts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import click
import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.table import Table
from rich.text import Text

from plugin_server.bundle import DEFAULT, Manifest
from plugin_server.calibration import SUFFIX, Calibration, checked_name
from plugin_server.calibrations import DEFAULT as DEFAULT_NAME
from plugin_server.commands.common import Bar, console, emit, graphs, json_option, profile_option, report
from plugin_server.corpus import Refused
from plugin_server.errors import InvalidField
from plugin_server.reranker import Reranker
from plugin_server.thresholds.auroc import auroc
from plugin_server.thresholds.bounds import percent
from plugin_server.thresholds.fit import fit
from plugin_server.thresholds.labelled import Labelled, columns, probabilities, read_labelled, scored
from plugin_server.thresholds.platt import crossed, log_loss
from plugin_server.thresholds.plot import reliability_svg
from plugin_server.thresholds.reliability import Bin, bins

#: Below it the verifier hardly tells a team's true pairs from its near-misses, and no threshold helps.
USEFUL = 0.7


@click.command()
@click.argument("bundle")
@click.argument("pairs", type=click.File("rb"))
@profile_option("pairs")
@click.option(
    "--max-false-accept",
    "share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.02,
    show_default=True,
    help="Share of near-misses that may be accepted.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0.5, 1, max_open=True),
    default=0.95,
    show_default=True,
    help="How sure that must be.",
)
@click.option(
    "--name",
    default=DEFAULT_NAME,
    show_default=True,
    help="Tenant or index; 'default' counts where a request names none.",
)
@click.option("--per-query", is_flag=True, help="Count the near-misses of one query as one, the highest.")
@click.option("--allow-weak", is_flag=True, help="With too few near-misses write the weaker bound that they reach.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write.  [default: NAME.PROFILE.calibration.json beside the bundle's folder, else here]",
)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Write a reliability plot, as SVG.")
@json_option
@click.pass_context
def calibrate(
    context: click.Context,
    bundle: str,
    pairs: BinaryIO,
    profile: str,
    share: float,
    confidence: float,
    name: str,
    per_query: bool,
    allow_weak: bool,
    output: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Set a threshold from labelled pairs of your own, and tell how many near-misses it lets through at most.

    BUNDLE is a folder, or the word default for the bundle in the package. PAIRS is a file of JSON Lines, or - for
    standard input, each with "query", "document" and "label": 1 for a true pair, 0 for a near-miss. Other keys are
    ignored. Model and bundle stay as they are; what is written is a small file with one threshold for one profile.

    The bound needs no assumption on scores, but that pairs are drawn one by one from what comes later. 149 near-misses
    are the least for 2 % at 95 % confidence: then none of them may be accepted. 236 allow 1, 1,000 allow 12. True pairs
    tell what is lost; a few dozen will do.

    `simgate serve` loads the files that SIMGATE_CALIBRATIONS names (folders or files). A request then names one in its
    field "calibration"; a search over an index takes the one of the index's name by itself.

    \b
    Example:
      simgate calibrate default pairs.jsonl --profile pairs --max-false-accept 0.02 --name shop-faq
      simgate calibrate my-bundle pairs.jsonl --profile passages --plot reliability.svg
      SIMGATE_CALIBRATIONS=. simgate serve

    Exit codes: 0 written; 1 too few near-misses, nothing was written; or some lines were refused, the others counted.
    """
    checked_name(name, "--name")
    reranker = graphs(str(DEFAULT) if bundle == "default" else bundle)
    read, refused = scored_pairs(reranker, pairs)
    report(refused, pairs)
    made = fit(read, reranker.manifest, profile, share, confidence, name, per_query, allow_weak)
    path = output or free(place(reranker.bundle.folder, made), reranker.manifest)
    made.write(path)
    chances = crossed(read, profile, reranker.manifest.profile(profile))
    parts = bins(chances, columns(read, profile)[1], confidence)
    if plot:
        title = f"{made.name}, profile {made.profile}: {made.true_pairs + made.near_misses} pairs"
        plot.write_text(reliability_svg(parts, made.threshold, title, bound_words(made)), encoding="utf-8")
    figures = measured(read, made, chances, reranker.manifest)
    if as_json:
        emit({"file": str(path)} | asdict(made) | figures | {"bins": [asdict(part) for part in parts]})
    else:
        _print(made, figures, parts, read, path)
    context.exit(1 if refused else 0)


def scored_pairs(reranker: Reranker, stream: BinaryIO) -> tuple[list[Labelled], list[Refused]]:
    """The pairs of a file with what the graphs say of them, and the lines refused, with a progress bar on the way."""
    refused: list[Refused] = []
    good: list[Labelled] = []
    with Bar("Verifying") as bar:
        items = read_labelled(stream, reranker.settings.max_characters)
        for results in scored(reranker, _kept(items, refused)):
            good += [item for item in results if isinstance(item, Labelled)]
            refused += [item for item in results if isinstance(item, Refused)]
            bar.update(len(good), None, f"{len(good)} pairs")
    return good, sorted(refused, key=lambda item: item.line)


def place(folder: Path, made: Calibration) -> Path:
    """Where a calibration is written if nothing is said: beside the bundle's folder, or here for the packaged one."""
    name, beside = f"{made.name}.{made.profile}{SUFFIX}", folder.resolve().parent
    packaged = folder.resolve() == DEFAULT.resolve()
    return Path(name) if packaged or not os.access(beside, os.W_OK) else beside / name


def free(path: Path, manifest: Manifest) -> Path:
    """The path itself, if nothing is there yet, or a calibration of the same bundle.

    Raises:
        InvalidField: one of another bundle is there, which may still be needed.
        CalibrationError: something else is there.
    """
    if path.exists() and not Calibration.read(path).fits(manifest):
        raise InvalidField(f"{path}: holds the calibration of another bundle: move it, or give another file with -o")
    return path


def measured(
    read: list[Labelled], made: Calibration, chances: NDArray[np.float64], manifest: Manifest
) -> dict[str, float | None]:
    """How well verifier and cosine tell the pairs apart, and how good probabilities were before and are now."""
    logits, labels = columns(read, made.profile)
    own = manifest.profile(made.profile)
    before = probabilities(logits, own.scale, own.bias)
    return {
        "auroc": auroc(labels, logits),
        "auroc_cosine": auroc(labels, [pair.cosine for pair in read]),
        "log_loss_before": log_loss(before, labels),
        "log_loss": log_loss(chances, labels),
    }


def bound_words(made: Calibration) -> str:
    """What may be said of false accepts."""
    unit = "queries let a near-miss through" if made.per_query else "near-misses are accepted"
    return f"At most {percent(made.bound)} of {unit}, with {percent(made.confidence)} confidence"


def loss_words(made: Calibration) -> str:
    """What may be said of true pairs."""
    if not made.true_pairs:
        return "No true pairs: what is lost of them is not known. Add some with label 1"
    share = made.true_pairs_lost / made.true_pairs
    return f"Of true pairs {percent(share)} are lost, between {percent(made.loss_low)} and {percent(made.loss_high)}"


def _kept(items: Iterator[Labelled | Refused], refused: list[Refused]) -> Iterator[Labelled]:
    """The pairs; refusals go into the list."""
    for item in items:
        if isinstance(item, Refused):
            refused.append(item)
        else:
            yield item


def _warnings(made: Calibration, figures: dict[str, Any], read: list[Labelled]) -> Iterator[str]:
    if not made.holds:
        yield f"this is weaker than the {percent(made.max_false_accept)} asked for: there are too few near-misses"
    queries = len({pair.query for pair in read if pair.label == 0})
    if not made.per_query and queries < made.near_misses:
        yield (
            f"the {made.near_misses} near-misses have {queries} queries: the bound takes every pair for drawn by "
            "itself; --per-query counts each query once"
        )
    told = figures["auroc"]
    if told is not None and told < USEFUL:
        yield f"the verifier puts a true pair above a near-miss in {percent(told)} only: no threshold mends that"


def _print(made: Calibration, figures: dict[str, Any], parts: list[Bin], read: list[Labelled], path: Path) -> None:
    out = console()
    out.print(f"{bound_words(made)}: {made.near_misses_accepted} of {made.near_misses} here.", soft_wrap=True)
    lost = f": {made.true_pairs_lost} of {made.true_pairs} here." if made.true_pairs else "."
    out.print(loss_words(made) + lost, soft_wrap=True)
    out.print(
        f"Accepted from a probability of {made.threshold:.4f} (profile {made.profile}, any length).", soft_wrap=True
    )
    if figures["auroc"] is not None:
        out.print(
            f"A true pair is above a near-miss in {percent(figures['auroc'])} (by cosine alone in "
            f"{percent(figures['auroc_cosine'])}); log loss {figures['log_loss']:.3f}, "
            f"by the bundle's own probabilities {figures['log_loss_before']:.3f}.",
            soft_wrap=True,
        )
    for words in _warnings(made, figures, read):
        out.print(Text(f"Mind: {words}.", "yellow"), soft_wrap=True)
    if parts:
        table = Table("said", "seen", "between", "true pairs", "near-misses", box=box.SIMPLE, pad_edge=False)
        for part in parts:
            ends = f"{part.seen_low:.2f} – {part.seen_high:.2f}"
            table.add_row(f"{part.said:.2f}", f"{part.seen:.2f}", ends, str(part.true_pairs), str(part.near_misses))
        out.print(table)
    out.print(f"Written: {path}", soft_wrap=True)
