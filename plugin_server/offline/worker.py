"""A worker: one model in memory, parts one after another."""

from __future__ import annotations

from dataclasses import dataclass, replace

from plugin_server.encoder import Encoder
from plugin_server.offline.account import Account
from plugin_server.offline.part import Part
from plugin_server.offline.task import Task
from plugin_server.session import limit_numpy
from plugin_server.settings import Settings

#: Tries of a part by one worker; requests within have tries of their own.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a worker is made of, wherever it runs.

    Attributes:
        task: what it does with a part.
        settings: bundle, threads and provider; the folder of the bundle is there on every machine.
    """

    task: Task
    settings: Settings


class Worker:
    """Does parts; what befalls one is told in its account, and harms no other.

    Raises:
        SimgateError: the bundle cannot be loaded.
    """

    def __init__(self, recipe: Recipe) -> None:
        limit_numpy(recipe.settings.threads)
        self._task, self._encoder = recipe.task, Encoder.load(replace(recipe.settings, cache_bytes=0))

    def __call__(self, part: Part) -> Account:
        """What became of the part; with a failure if it was tried in vain."""
        failure = ""
        for _ in range(ATTEMPTS):
            try:
                return self._task.do(self._encoder, part)
            except Exception as error:  # of pyarrow, which shares no root with others; a part is no reason to end
                failure = f"{part.source}: {error}" if str(error) else f"{part.source}: {error!r}"
        return Account(part.name, failure=failure)
