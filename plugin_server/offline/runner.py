"""Parts done one after another by this process, or by workers of a Ray cluster."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from typing import Any

from plugin_server.errors import InvalidField
from plugin_server.offline.account import Account
from plugin_server.offline.part import Part
from plugin_server.offline.worker import Recipe, Worker

#: Seconds for the head of a cluster to take a connection.
KNOCK_SECONDS = 10.0
#: Seconds for the machines of a cluster to join it.
JOIN_SECONDS = 60.0


def here(recipe: Recipe, parts: Sequence[Part]) -> Iterator[Account]:
    """The accounts of the parts, in their order, as this process does them with all its threads."""
    if parts:
        worker = Worker(recipe)
        yield from map(worker, parts)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Workers on Ray.

    Attributes:
        address: of the cluster, as `ray.init` takes it; empty for one that is started on this machine and ends with
            the job.
        workers: processes, each with a model of its own; 0 for as many as the cluster has cores or GPUs for.
        cpus: cores of a worker.
        gpus: GPUs of a worker; a share below 1 is shared by several.
    """

    address: str = ""
    workers: int = 0
    cpus: int = 1
    gpus: float = 0.0

    def run(self, recipe: Recipe, parts: Sequence[Part]) -> Iterator[Account]:
        """The accounts of the parts as they are done, in any order.

        Ray Data keeps at most two parts waiting for each worker, starts a killed one anew, and gives its part to
        another one. An account is small: documents go from input to output within a worker, never through Ray.

        Raises:
            InvalidField: Ray is not installed, or the cluster cannot be reached, has no room for a worker, or gave up.
        """
        if not parts:
            return
        with redirect_stdout(sys.stderr):  # where Ray tells of workers that died
            yield from self._run(recipe, parts)

    def _run(self, recipe: Recipe, parts: Sequence[Part]) -> Iterator[Account]:
        ray = self._connected()
        try:
            recipe = replace(recipe, settings=replace(recipe.settings, threads=self.cpus))
            items = [{"part": part.plain()} for part in parts]
            dataset = ray.data.from_items(items, override_num_blocks=len(items)).map(
                _Actor,
                fn_constructor_args=[recipe],
                compute=ray.data.ActorPoolStrategy(
                    size=min(self._workers(ray), len(items)), max_tasks_in_flight_per_actor=2
                ),
                num_cpus=self.cpus,
                num_gpus=self.gpus or None,
            )
            for row in dataset.iter_rows():
                yield Account.of(row["account"])
        except ray.exceptions.RayError as error:
            line = str(error).strip().rpartition("\n")[2]
            raise InvalidField(f"runner: Ray gave up: {line}: start the command again, it goes on") from error
        finally:
            ray.shutdown()

    def _connected(self) -> Any:
        """The module `ray`, connected."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to anybody
        try:
            import ray
            import ray.data
        except ImportError:
            raise InvalidField("runner: ray is not installed: pip install 'simgate[ray]'") from None
        if self.address.startswith("ray://"):
            raise InvalidField(
                f"address: {self.address}: Ray Data needs a driver within the cluster: run the command there, by "
                "`ray job submit` or as a RayJob, with auto"
            )
        try:
            _knock(self.address)
            ray.init(self.address or "local", log_to_driver=False, logging_level="error", include_dashboard=False)
        except (OSError, ValueError, RuntimeError) as error:
            raise InvalidField(
                f"address: {self.address}: no Ray cluster answers there, or not to us (one with a token wants it in "
                f"RAY_AUTH_TOKEN): {error}"
            ) from error
        ray.data.DataContext.get_current().enable_progress_bars = False  # the command has its own
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(logging.ERROR)
        return ray

    def _workers(self, ray: Any) -> int:
        """How many workers there are to be.

        Raises:
            InvalidField: the cluster has no room for one.
        """
        end = time.monotonic() + (JOIN_SECONDS if self.address else 0)
        while True:
            has = ray.cluster_resources()
            room = int(has.get("CPU", 0) // self.cpus)
            if self.gpus:
                room = min(room, int(has.get("GPU", 0) / self.gpus))
            if room or time.monotonic() >= end:
                break
            time.sleep(1)
        if not room:
            raise InvalidField(
                f"workers: one needs {self.cpus} cores and {self.gpus:g} GPUs, the cluster has {has.get('CPU', 0):g} "
                f"and {has.get('GPU', 0):g}: give a smaller worker"
            )
        if self.workers and self.address:  # more may join
            return self.workers
        return min(self.workers, room) if self.workers else room


def _knock(address: str) -> None:
    """Nothing; Ray itself takes minutes to find that nobody listens at an address.

    Raises:
        OSError: nobody does.
    """
    host, _, port = address.rpartition("://")[2].partition("/")[0].rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_SECONDS).close()


class _Actor:
    """A worker as Ray Data calls it: a row in, a row out."""

    def __init__(self, recipe: Recipe) -> None:
        self._worker = Worker(recipe)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"account": self._worker(Part(**row["part"])).plain()}
