"""A server whose every error quotes the query, in whichever way an error can; run, it serves and logs as it is set."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import warnings
from typing import Any, NoReturn

from plugin_server import Bundle, Reranker, logs
from plugin_server.backend import Source
from plugin_server.engines.settings import EngineSettings
from plugin_server.server import Server, serve
from plugin_server.server_settings import ServerSettings


class Quoting(Reranker):
    """A real reranker that fails."""

    def rerank(self, query: str, *arguments: Any, **more: Any) -> NoReturn:
        """Never."""
        warnings.warn(f"odd: {query}", stacklevel=1)
        try:
            try:
                raise KeyError(query)
            except KeyError as error:
                raise ValueError(f"cannot read {query}") from error
        except ValueError as error:
            raise ExceptionGroup(f"with {query}", [error, OSError(query)]) from error


async def forgotten(text: str) -> None:
    """Nothing; nobody asks for the error."""
    raise ValueError(text)


async def main(bundle: str, engine: str, text: str) -> None:
    """Nothing, once the server is told to stop."""

    async def forget() -> None:
        task = asyncio.create_task(forgotten(text))
        await asyncio.wait([task])
        del task
        gc.collect()

    def ready(server: Server) -> None:
        asyncio.get_running_loop().create_task(forget())

    source = Source(engine=EngineSettings(engine="opensearch", engine_url=engine))
    settings = ServerSettings.read(os.environ)
    await serve(Quoting(Bundle.open(bundle)), "127.0.0.1:0", source, settings, ready, "127.0.0.1:0")


if __name__ == "__main__":
    logs.begin(ServerSettings.read(os.environ))
    asyncio.run(main(*sys.argv[1:]))
