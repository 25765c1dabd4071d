"""``simgate bundle``: what a bundle says of itself, whether it works, and one fetched from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from plugin_server.bundle import CARD, ENCODER, MANIFEST, TOKENIZER, Bundle, Manifest, fingerprint
from plugin_server.commands.common import console, emit, graphs, json_option, settings
from plugin_server.errors import BundleMalformed
from plugin_server.fetched import MAX_BYTES, SECONDS, fetched
from plugin_server.reranker import Reranker

PAIR = ("a red car and a blue house", "a blue house and a red car")


def _digest(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """The value, if it is a SHA-256."""
    if not re.fullmatch("[0-9a-fA-F]{64}", value):
        raise click.BadParameter("is not 64 hexadecimal digits: give what `sha256sum` prints of the archive")
    return value


@click.group()
def bundle() -> None:
    """Show, check or fetch a model bundle."""


@bundle.command()
@click.argument("path", required=False, default="")
@json_option
def info(path: str, as_json: bool) -> None:
    """Show what a bundle says of itself.

    PATH is the bundle's folder; without one the bundle that the other commands use is shown.

    \b
    Example:
      simgate bundle info
      simgate bundle info my-bundle --json | jq .quality

    Exit codes: 0 shown; 1 the bundle cannot be read.
    """
    opened = Bundle.open(settings(path).bundle)
    if as_json:
        emit({"folder": str(opened.folder), "bytes": opened.size} | asdict(opened.manifest))
        return
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _facts(opened):
        table.add_row(name, Text(value))
    console().print(table)


@bundle.command()
@click.argument("path", required=False, default="")
def check(path: str) -> None:
    """Check a bundle: manifest, checksums, both graphs, one pair, every dimension.

    PATH is the bundle's folder; without one the bundle that the other commands use is checked.

    \b
    Example:
      simgate bundle check my-bundle

    Exit codes: 0 it works; 1 it does not, told on standard error.
    """
    chosen = settings(path)
    opened = Bundle.open(chosen.bundle)
    click.echo(
        f"manifest    {opened.folder / MANIFEST}: format {opened.manifest.format_version}, {opened.manifest.name}"
    )
    click.echo(f"checksums   {len(opened.manifest.files)} files as the manifest names them, {opened.size / 1e6:.1f} MB")
    for line in checked(Reranker(opened, chosen)):
        click.echo(line)
    click.echo("The bundle works.")


@bundle.command()
@click.argument("source")
@click.option("--sha256", metavar="HEX", required=True, callback=_digest, help="Of the archive: 64 hexadecimal digits.")
@click.option("--output", metavar="FOLDER", required=True, type=click.Path(path_type=Path), help="Where it shall be.")
@click.option("--ca", metavar="FILE", default="", help="Authorities in PEM to trust.  [default: the system's]")
@click.option("--max-bytes", type=click.IntRange(1), default=MAX_BYTES, show_default=True, help="Of the archive.")
@click.option("--timeout", metavar="SECONDS", type=click.FloatRange(1, 86400), default=SECONDS, show_default=True)
def fetch(source: str, sha256: str, output: Path, ca: str, max_bytes: int, timeout: float) -> None:
    """Fetch a bundle's archive, check it, and put the bundle into a folder.

    SOURCE is an https URL or a path of a .tar.gz with the files of a bundle. Nothing of it is unpacked unless its
    checksum is the one given; nothing is put in place unless the bundle works. A folder that holds the bundle of that
    very archive is left as it is; one with another bundle is replaced at once.

    \b
    Example:
      tar -czf shop.tar.gz -C my-bundle . && sha256sum shop.tar.gz
      simgate bundle fetch https://store.example/shop.tar.gz --sha256 5b1d… --output /bundles/shop

    Exit codes: 0 it is there; 1 it is not, told on standard error.
    """
    made = fetched(source, sha256, output, _works, max_bytes, timeout, ca)
    opened = Bundle.at(output)
    state = "fetched" if made else "was there already"
    click.echo(f"{output}: {opened.manifest.name}, fingerprint {opened.manifest.fingerprint}, {state}")


def _works(folder: Path) -> None:
    """Nothing, if the bundle in the folder works; raises as `checked` and `Reranker.load`."""
    for _ in checked(graphs(str(folder))):
        pass


def checked(reranker: Reranker) -> Iterator[str]:
    """A line for each thing about a loaded bundle that holds.

    Raises:
        BundleMalformed: one does not; the message names both sides.
    """
    manifest = reranker.manifest
    yield "graphs      encoder and verifier load and have the manifest's widths"
    files = manifest.files
    made = fingerprint(
        files[ENCODER], files[TOKENIZER], manifest.window_tokens, manifest.window_overlap, manifest.token_bits
    )
    if made != manifest.fingerprint:
        raise BundleMalformed(
            f"fingerprint: the files give {made}, the manifest says {manifest.fingerprint}: convert the bundle again"
        )
    yield f"fingerprint {made} fits encoder and tokenizer"
    left, right = reranker.encode(PAIR)
    if not np.allclose(np.linalg.norm(left.vectors, axis=1), 1, atol=1e-3):
        raise BundleMalformed("encoder.onnx: recall vectors do not have length 1: convert the bundle again")
    yield f"encoder     recall {manifest.recall_dimension}, tokens {manifest.token_dimension}, unit length"
    (reading,) = reranker.verifier.read([(left.windows[0], right.windows[0])])
    if not np.isfinite(reading.logits).all():
        raise BundleMalformed("verifier.onnx: a logit is not finite: convert the bundle again")
    verdict = reranker.verify(*PAIR)
    yield f"verifier    {verdict.outcome.value} a pair with probability {verdict.probability:.3f}"


def _facts(opened: Bundle) -> Iterator[tuple[str, str]]:
    manifest: Manifest = opened.manifest
    yield "name", manifest.name
    yield "folder", f"{opened.folder} ({opened.size / 1e6:.1f} MB)"
    yield "fingerprint", manifest.fingerprint
    yield "recall vector", f"{manifest.recall_dimension} numbers"
    yield "token row", f"{manifest.token_dimension} numbers of {manifest.token_bits} bits: {manifest.token_bytes} bytes"
    yield "window", f"{manifest.window_tokens} tokens, overlapping by {manifest.window_overlap}"
    yield "verifier", manifest.verifier
    for name, profile in manifest.profiles.items():
        short = f"; {profile.short_threshold:.3g} if short" if profile.short_threshold else ""
        yield f"profile {name}", f"accepted from a probability of {profile.threshold:.3g}{short}"
    for section in ("base", "form", "training", "quality"):
        for name, value in getattr(manifest, section).items():
            yield f"{section}: {name}", _short(value)
    if (opened.folder / CARD).is_file():
        yield "all of it", f"--json, or {CARD} in the folder"


def _short(value: Any) -> str:
    """A value of a manifest in a line: of what is nested the keys alone.

    Example:
        >>> _short(16000), _short({"rows": 240, "flips": 0.002}), _short({"pairs": {"hans": 0.99}, "steps": 4})
        ('16000', 'rows 240, flips 0.002', 'pairs …, steps 4')
    """
    if isinstance(value, dict):
        told = {key: "…" if isinstance(item, dict | list) else _short(item) for key, item in value.items()}
        return ", ".join(f"{key} {item}" for key, item in told.items())
    if isinstance(value, list):
        return f"{len(value)} entries"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
