"""What the commands share: options, the loaded bundle, consoles, a progress bar, lines for people and for programs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from plugin_server.bundle import PROFILES
from plugin_server.calibration import Calibration
from plugin_server.choices import Policy, Verification
from plugin_server.corpus import Refused
from plugin_server.encoder import Encoder
from plugin_server.index import default_path
from plugin_server.jsonlines import dump
from plugin_server.printed import shown
from plugin_server.ranking import Hit
from plugin_server.reranker import Reranker
from plugin_server.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

#: Seconds between two lines of progress where there is no terminal.
PACE = 5.0

bundle_option = click.option(
    "--bundle",
    metavar="FOLDER",
    default="",
    help="Folder of the model bundle.  [default: $SIMGATE_BUNDLE, else the one in the package]",
)
index_option = click.option(
    "--index",
    "path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of the index.  [default: simgate/index.db in $XDG_DATA_HOME, else in ~/.local/share]",
)
policy_option = click.option(
    "--policy",
    type=click.Choice([policy.value for policy in Policy]),
    default="filter",
    show_default=True,
    help="What happens to a rejected candidate: dropped, put last, or only marked.",
)
verification_option = click.option(
    "--verification",
    type=click.Choice([item.value for item in Verification]),
    help="Candidates to verify: all, in rank order until --top-n are accepted, or none (MaxSim).  "
    "[default: $SIMGATE_VERIFICATION, else full]",
)
calibration_option = click.option(
    "--calibration",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Threshold of your own, as `simgate calibrate` wrote it.  [default: see SIMGATE_CALIBRATIONS]",
)
output_option = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    default="-",
    help="Output file.  [default: standard output]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
top_n_option = click.option(
    "--top-n", type=click.IntRange(1), default=10, show_default=True, help="Hits to print at most."
)


def profile_option(default: str) -> Callable[[Command], Command]:
    """The option ``--profile`` with that default."""
    return click.option(
        "--profile",
        type=click.Choice(PROFILES),
        default=default,
        show_default=True,
        help="pairs: both texts say the same. passages: the document answers or supports the query.",
    )


def settings(bundle: str = "") -> Settings:
    """The settings of the environment; a bundle that was given goes before theirs."""
    read = Settings.read(os.environ)
    return replace(read, bundle=bundle) if bundle else read


def load(bundle: str = "", calibration: Path | None = None) -> Reranker:
    """The loaded bundle, the one given, the environment's, or the package's; with a calibration beside the others."""
    chosen = settings(bundle)
    if calibration:
        chosen = replace(chosen, calibrations=os.pathsep.join(filter(None, (chosen.calibrations, str(calibration)))))
    return Reranker.load(chosen)


def graphs(bundle: str = "") -> Reranker:
    """The bundle that `load` gives, without calibrations nor a previous bundle: for commands that judge nothing."""
    return Reranker.load(replace(settings(bundle), calibrations="", previous_bundle=""))


def encoder(bundle: str = "") -> Encoder:
    """The encoder of the bundle that `load` gives: for commands that only encode."""
    return Encoder.load(settings(bundle))


def name_of(calibration: Path | None) -> str:
    """The name of the calibration in a file; empty for none."""
    return Calibration.read(calibration).name if calibration else ""


def place(path: Path | None) -> Path:
    """The index file given, or the default one."""
    return path or default_path(os.environ)


def console(errors: bool = False) -> Console:
    """A console over the present standard output or error that takes every text literally."""
    return Console(stderr=errors, markup=False, highlight=False, emoji=False)


def emit(value: dict[str, Any]) -> None:
    """Nothing; the object is printed as one line of JSON."""
    sys.stdout.buffer.write(dump(value))
    sys.stdout.buffer.flush()


def report(refused: Iterable[Refused], stream: BinaryIO) -> None:
    """Nothing; every refused line is printed on standard error with its file and number."""
    for item in refused:
        click.echo(f"{getattr(stream, 'name', '<stdin>')}:{item.line}: {shown(item.reason)}", err=True)


def same_file(stream: BinaryIO, path: Path) -> bool:
    """Whether the stream is read from the file at the path, which opening for writing would empty."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except OSError:  # a stream in memory, or no file yet
        return False


def hit_fields(hit: Hit) -> dict[str, Any]:
    """What a program wants to know of a hit."""
    verdict = hit.verdict
    return {
        "id": hit.candidate.id,
        "score": hit.score,
        "verdict": verdict.outcome.value,
        "probability": verdict.probability,
        "threshold": verdict.threshold,
        "profile": verdict.profile,
        "calibration": verdict.calibration,
        "position": hit.position,
        "window": verdict.window,
        "unmatched": list(verdict.unmatched),
        "reason": verdict.reason,
    }


class Bar:
    """Progress on standard error: a bar on a terminal, else a plain line every few seconds and one at the end."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._console = console(errors=True)
        self._plain = not self._console.is_terminal
        self._last, self._note = time.monotonic(), ""
        # transient, so that the result is what stays
        self._bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"), console=self._console, transient=True, disable=self._plain,
        )  # fmt: skip
        self._task = self._bar.add_task(title, total=None, note="")

    def update(self, done: float, total: float | None, note: str) -> None:
        """Nothing; the bar stands at `done` of `total`, None for unknown, with a note behind it."""
        self._note = note
        self._bar.update(self._task, completed=done, total=total, note=note)
        if self._plain and time.monotonic() - self._last >= PACE:
            self._last = time.monotonic()
            share = f" {100 * done / total:.0f} %" if total else ""
            self._console.print(Text(f"{self.title}:{share} {note}"), soft_wrap=True)

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if kind is None and self._note:
            self._console.print(Text(f"{self.title}: {self._note}"), soft_wrap=True)
