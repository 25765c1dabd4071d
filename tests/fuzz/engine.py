"""A hostile search engine: a real HTTP server whose answers are nearly right, wrong, or no HTTP at all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from fuzz.mutate import bent, mutated, spelled
from plugin_server.blob import TokenBlob
from plugin_server.reranker import Reranker

TEXTS = ["The station is on a hill.", "The hill is on a station.", "The last bus leaves at ten.", ""]
DIMENSION = 384
VECTOR = {"type": "knn_vector", "dimension": DIMENSION, "space_type": "cosinesimil"}
MAPPING = {
    "hills": {"mappings": {"properties": {"simgate_windows": {"properties": {"vector": VECTOR}}, "simgate_blob": {}}}}
}
ERROR = {
    "error": {"type": "parsing_exception", "reason": "no", "failed_shards": [{"reason": {"caused_by": {}}}]},
    "status": 400,
}
HEADERS = [
    b"X-elastic-product: Elasticsearch", b"Content-Encoding: gzip", b"Connection: close", b"X-\xff: \xfe",
    b"Content-Type: text/plain",
    b"Location: /elsewhere", b"Set-Cookie: a=b", b"Warning: 299 \xe2\x82\xac",
    b"X: " + b"y" * 9000, b"Transfer-Encoding: chunked",
]  # fmt: skip


class Hostile:
    """The engine's answers, drawn from a seed."""

    def __init__(self, reranker: Reranker, seed: int) -> None:
        self.random = Random(seed)
        encoded = reranker.encode([text for text in TEXTS if text])
        blobs = [item.blob(reranker.manifest.fingerprint).text() for item in encoded]
        self.blobs = [*blobs, TokenBlob("00" * 8, encoded[0].windows).text(), "sgb1:AAAA"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Nothing; one connection was answered until it broke."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *fields = head.decode("latin-1").split("\r\n")
                sizes = [field for field in fields if field.lower().startswith("content-length:")]
                body = await reader.readexactly(int(sizes[0].split(":")[1])) if sizes else b""
                if "chunked" in head.decode("latin-1").lower():
                    break
                said, whole = self.reply(line.split(" ")[1], body)
                writer.write(said)
                await writer.drain()
                if not whole or self.random.random() < 0.02:
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def reply(self, target: str, body: bytes) -> tuple[bytes, bool]:
        """A response as bytes, and whether a client need not wait for more."""
        random, kind = self.random, self.random.randrange(40)
        if kind == 0:
            odd = [b"", random.randbytes(60), b"HTTP/1.1 99 X\r\n\r\n", b"HTTP/1.1 200 OK\r\nA\r\n\r\n", b"\r\n\r\n"]
            return random.choice(odd), False
        status = (
            200
            if kind < 35
            else random.choice([100, 204, 301, 304, 400, 401, 403, 404, 413, 429, 500, 502, 503, 504, 999])
        )
        given = self.value(target, body) if status == 200 else ERROR
        raw = spelled(random, mutated(random, given, random.choice([0, 0, 1, 1, 2, 3])))
        raw = bent(random, raw) if kind == 1 else raw
        length = len(raw) + (random.choice([-1, 1, 9]) if kind == 2 else 0)
        headers = [b"Content-Type: application/json", b"Content-Length: %d" % max(0, length)]
        headers += random.sample(HEADERS, random.choice([0, 0, 0, 0, 0, 1]))
        said = b"HTTP/1.1 %d X\r\n%s\r\n\r\n%s" % (status, b"\r\n".join(headers), raw)
        return said, length == len(raw) and status != 100 and b"Transfer-Encoding" not in said

    def value(self, target: str, body: bytes) -> Any:
        """What a right answer could be."""
        if "_mapping" in target:
            return MAPPING
        if "_msearch" in target:
            return {"took": 1, "responses": [self.found() for _ in range((body.count(b"\n") + 1) // 2)]}
        return self.found()

    def found(self) -> dict[str, Any]:
        """The response of a search."""
        hits = [self.hit(number) for number in range(self.random.randrange(6))]
        total = {"value": len(hits), "relation": "eq"}
        shards = {"total": 2, "failed": self.random.choice([0, 0, 1]), "failures": [{"reason": {"type": "a"}}]}
        return {
            "took": 1,
            "timed_out": False,
            "_shards": shards,
            "hits": {"total": total, "max_score": 0.9, "hits": hits},
            "aggregations": {"years": {"buckets": []}},
        }

    def hit(self, number: int) -> dict[str, Any]:
        """A hit, with a text, a blob or both."""
        text, blob = self.random.choice(TEXTS), self.random.choice(self.blobs)
        source = {"text": text, "simgate_blob": blob, "title": "T", "n": number}
        fields = {"text": [text], "simgate_blob": [blob]}
        for name in self.random.choice([(), ("text",), ("simgate_blob",)]):
            del source[name], fields[name]
        score = self.random.choice([0.9, 0.5, 0.1, 1.0])
        return {"_index": "hills", "_id": str(number), "_score": score, "_source": source, "fields": fields}


@contextmanager
def hostile_engine(reranker: Reranker, seed: int = 1) -> Iterator[str]:
    """The address of a hostile engine, on an event loop of its own."""
    loop, engine = asyncio.new_event_loop(), Hostile(reranker, seed)
    thread = threading.Thread(target=loop.run_forever, name="engine", daemon=True)
    thread.start()
    made = asyncio.run_coroutine_threadsafe(asyncio.start_server(engine.serve, "127.0.0.1", 0, limit=1 << 24), loop)
    server = made.result(30)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(_end, loop, server)
        thread.join(30)
        loop.close()


def _end(loop: asyncio.AbstractEventLoop, server: asyncio.Server) -> None:
    server.close()
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.create_task(_stop(loop, tasks))


async def _stop(loop: asyncio.AbstractEventLoop, tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
    loop.stop()
