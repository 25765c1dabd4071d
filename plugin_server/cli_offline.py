"""What the commands for large corpora share: options, progress, and the final account."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import click

from plugin_server.cli_common import Bar, console, emit, settings, shown
from plugin_server.offline.account import Account, Rejected, Total
from plugin_server.offline.part import PART_ROWS, Part
from plugin_server.offline.runner import Cluster, here
from plugin_server.offline.task import Task
from plugin_server.offline.worker import Recipe

Command = TypeVar("Command", bound=Callable[..., Any])
#: Rejected documents that are told on standard error one by one.
SHOWN = 100

_OPTIONS = (
    click.option(
        "--runner",
        type=click.Choice(["local", "ray"]),
        default="local",
        show_default=True,
        help="Who does it: this process, or workers on Ray (pip install 'simgate[ray]').",
    ),
    click.option("--address", metavar="ADDRESS", default="", help="Ray: of the cluster, such as auto or "
                 "ray://head:10001.  [default: $RAY_ADDRESS, else one on this machine, for this job]"),
    click.option("--workers", type=click.IntRange(0), default=0, help="Ray: processes with a model each; 0 for as "
                 "many as there is room for.  [default: 0]"),
    click.option("--cpus-per-worker", "cpus", type=click.IntRange(1), default=1, show_default=True,
                 help="Ray: cores of a worker."),
    click.option("--gpus-per-worker", "gpus", type=click.FloatRange(0), default=0.0, show_default=True,
                 help="Ray: GPUs of a worker, with SIMGATE_PROVIDER=cuda; less than 1 is shared."),
    click.option("--part-rows", type=click.IntRange(1), default=PART_ROWS, show_default=True,
                 help="Documents that one worker does at a time, and does anew if it is killed."),
)  # fmt: skip


def offline_options(command: Command) -> Command:
    """The command with the options that say who does the parts."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def cluster(runner: str, address: str, workers: int, cpus: int, gpus: float) -> Cluster | None:
    """Where the parts are done; None for this process.

    Raises:
        click.UsageError: options for Ray were given without it.
    """
    if runner == "ray":
        return Cluster(address or os.environ.get("RAY_ADDRESS", ""), workers, cpus, gpus)
    if address or workers or cpus != 1 or gpus:
        raise click.UsageError("--address, --workers, --cpus-per-worker and --gpus-per-worker need --runner ray")
    return None


def done(
    title: str, task: Task, bundle: str, parts: Sequence[Part], where: Cluster | None, before: Iterable[Account] = ()
) -> tuple[Total, list[Rejected]]:
    """The sum of all accounts, and what was rejected; the parts are done, with a progress bar on the way.

    Args:
        before: accounts of parts that earlier runs did.
    """
    recipe = Recipe(task, settings(bundle))
    total, rejected = Total(), list[Rejected]()
    for account in before:
        total.add(account, earlier=True)
        rejected += account.rejected
    left = [part for part in parts if part.name not in {account.part for account in before}]
    with Bar(title) as bar:
        bar.update(total.parts, len(parts), _note(total, len(parts)))
        for account in _accounts(recipe, left, where):
            total.add(account)
            rejected += account.rejected
            bar.update(total.parts, len(parts), _note(total, len(parts)))
    return total, rejected


def told(total: Total, rejected: Sequence[Rejected], as_json: bool, **more: Any) -> int:
    """The exit code; the account is printed, on standard output with `as_json`."""
    out = console(errors=True)
    for item in rejected[:SHOWN]:
        out.print(f"{shown(item.where)}: {shown(item.reason)}", soft_wrap=True)
    if len(rejected) > SHOWN:
        out.print(f"… and {len(rejected) - SHOWN:,} more")
    for part, reason in total.failed.items():
        out.print(f"{part} failed, the next run does it again: {shown(reason, 500)}", soft_wrap=True)
    if as_json:
        emit(total.plain() | more)
    return 1 if rejected or total.failed else 0


def _accounts(recipe: Recipe, parts: Sequence[Part], where: Cluster | None) -> Iterator[Account]:
    return where.run(recipe, parts) if where else here(recipe, parts)


def _note(total: Total, parts: int) -> str:
    earlier = f", {total.earlier} of them earlier" if total.earlier else ""
    failed = f", {len(total.failed)} failed" if total.failed else ""
    return f"{total}; {total.parts} of {parts} parts{earlier}{failed}"
