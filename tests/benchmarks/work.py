"""What a search takes of the engine's cores and of its client's, by what the answer holds."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from typing import Any

from plugin_server import Reranker
from plugin_server.engines.connection import Engine
from plugin_server.engines.layout import BLOB
from plugin_server.engines.recall import body
from plugin_server.engines.target import known
from plugin_server.search import Question

#: Seconds after which a node looks anew; until then it gives what it saw before (``monitor.process.refresh_interval``).
STALE = 1.1
#: What an answer may hold: any hits, and their fields besides the ids.
ANSWERS = {"no hits": (False, False), "ids": (True, False), "blobs": (True, True)}


async def of_answers(
    engine: Engine, reranker: Reranker, index: str, asked: Sequence[str], k: int, rounds: int
) -> dict[str, dict[str, float]]:
    """By what an answer holds: milliseconds of a core that the engine and this process take for a search, and bytes."""
    mapped = await known(engine, index)
    questions = [(Question(query, k, index=index), reranker.encoder.query(query).vectors[0]) for query in asked]
    bodies = [body(question, engine.kind, vector, engine.layout, mapped) for question, vector in questions]
    found: dict[str, dict[str, float]] = {}
    spent = {name: [0.0, 0.0] for name in ANSWERS}
    for round_ in range(rounds + 1):
        for name, (some, shown) in ANSWERS.items():
            changed = {"size": k if some else 0} | ({} if shown else {"_source": False})
            searches = [search | changed for search in bodies]
            before = await _processor(engine), time.process_time()
            answers = [await _asked(engine, index, search) for search in searches]
            after = time.process_time(), await _processor(engine)
            if not round_:  # the first one warms up
                found[name] = _sizes(answers)
                continue
            spent[name][0] += after[1] - before[0]
            spent[name][1] += 1000 * (after[0] - before[1])
    count = rounds * len(bodies)
    return {
        name: {"engine_core_ms": theirs / count, "own_core_ms": ours / count} | found[name]
        for name, (theirs, ours) in spent.items()
    }


async def _asked(engine: Engine, index: str, search: dict[str, Any]) -> Any:
    # the engine keeps answers without hits, and would not search again
    return await engine.request("POST", f"/{index}/_search", search, {"request_cache": "false"})


def _sizes(answers: Sequence[Any]) -> dict[str, float]:
    """Bytes of an answer, and of the blobs and texts in it, on average."""
    sources = [hit.get("_source", {}) for answer in answers for hit in answer["hits"]["hits"]]
    return {
        "answer_bytes": statistics.mean(len(json.dumps(answer, separators=(",", ":"))) for answer in answers),
        "blob_bytes": sum(len(source.get(BLOB, "")) for source in sources) / len(answers),
        "text_bytes": sum(len(source.get("text", "").encode()) for source in sources) / len(answers),
    }


async def _processor(engine: Engine) -> float:
    """Milliseconds of a core that the nodes have taken since they began."""
    await asyncio.sleep(STALE)
    nodes = (await engine.request("GET", "/_nodes/stats/process"))["nodes"].values()
    return float(sum(node["process"]["cpu"]["total_in_millis"] for node in nodes))
