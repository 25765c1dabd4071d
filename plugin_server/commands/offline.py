"""The options of commands for large corpora; what does the work is imported when it is used."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plugin_server.offline.part import MAX_SLICES, PART_ROWS
from plugin_server.settings import MAX_THREADS

if TYPE_CHECKING:
    from plugin_server.offline.runner import Cluster

Command = TypeVar("Command", bound=Callable[..., Any])
_OPTIONS = (
    click.option(
        "--runner",
        type=click.Choice(["local", "ray"]),
        default="local",
        show_default=True,
        help="Who does it: this process, or workers on Ray (pip install 'simgate[ray]').",
    ),
    click.option("--address", metavar="ADDRESS", default="", help="Ray: of the cluster, such as auto within "
                 "one.  [default: $RAY_ADDRESS, else one that is started on this machine, for this job]"),
    click.option("--workers", type=click.IntRange(0), default=0, help="Ray: processes with a model each; 0 for as "
                 "many as there is room for.  [default: 0]"),
    click.option("--cpus-per-worker", "cpus", type=click.IntRange(1, MAX_THREADS), default=1, show_default=True,
                 help="Ray: cores of a worker."),
    click.option("--gpus-per-worker", "gpus", type=click.FloatRange(0), default=0.0, show_default=True,
                 help="Ray: GPUs of a worker, with SIMGATE_PROVIDER=cuda; less than 1 is shared."),
    click.option("--part-rows", type=click.IntRange(1), default=PART_ROWS, show_default=True,
                 help="Documents that one worker does at a time, and does anew if it is killed."),
)  # fmt: skip

#: The names of those that say where the parts are done.
_NAMES = ("runner", "address", "workers", "cpus", "gpus")
slices_option = click.option(
    "--slices",
    type=click.IntRange(1, MAX_SLICES),
    default=16,
    show_default=True,
    help="Parts of an index that is read or updated; without Ray an update is one.",
)


def offline_options(command: Command) -> Command:
    """The command with the options that say who does the parts."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def cluster(given: dict[str, Any]) -> Cluster | None:
    """Where the parts are done; None for this process.

    Args:
        given: values of options by name; those that are of Ray are taken out.

    Raises:
        click.UsageError: options for Ray were given without it.
    """
    runner, address, workers, cpus, gpus = (given.pop(name) for name in _NAMES)
    if runner == "ray":
        from plugin_server.offline.runner import Cluster

        return Cluster(address or os.environ.get("RAY_ADDRESS", ""), workers, cpus, gpus)
    if address or workers or cpus != 1 or gpus:
        raise click.UsageError("--address, --workers, --cpus-per-worker and --gpus-per-worker need --runner ray")
    return None
