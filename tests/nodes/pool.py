"""The engines that one run of the tests shares."""

from __future__ import annotations

import os
from collections.abc import Iterable

from nodes.engine import Engine
from nodes.errors import MissingTool
from nodes.node import Node

#: The line behind each name that tests ask for.
NAMES = {"opensearch_2": "opensearch-2.19", "opensearch_3": "opensearch-3.6", "elasticsearch_9": "elasticsearch-9.5"}


class Pool:
    """Nodes that start side by side, each waited for when it is asked for.

    ``SIMGATE_TEST_<NAME>``, such as ``SIMGATE_TEST_OPENSEARCH_2``, is the URL of a cluster to use instead.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._engines: dict[str, Engine | MissingTool] = {}
        try:
            for name in names:
                self._engines[name] = self._open(name)
        except BaseException:
            self.close()
            raise

    def engine(self, name: str) -> Engine:
        """The engine of this name, once it answers.

        Raises:
            MissingTool: a program that nodes need is not installed.
            NodeError: it did not start.
        """
        if name not in self._engines:
            self._engines[name] = self._open(name)
        found = self._engines[name]
        if isinstance(found, MissingTool):
            raise found
        return found.wait() if isinstance(found, Node) else found

    def close(self) -> None:
        """Ends every node."""
        for engine in self._engines.values():
            if isinstance(engine, Node):
                engine.close()

    def _open(self, name: str) -> Engine | MissingTool:
        line = NAMES[name]
        if url := os.environ.get(f"SIMGATE_TEST_{name.upper()}"):
            return Engine.at(url, line.split("-")[0])
        try:
            return Node.launch(line)
        except MissingTool as error:
            return error
