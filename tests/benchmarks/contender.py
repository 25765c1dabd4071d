"""One system of `benchmarks.peers` in a process of its own, which imports what this system needs and nothing else.

``python -m benchmarks.contender SYSTEM FILE`` reads its task from the file (JSON), then orders from standard input, a
JSON object a line, and answers each with one: ``{"callers": N, "seconds": S}`` asks again and again for so many
seconds, from so many threads, at least once from each.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

#: Ranks all candidates of the task once, and gives their number.
Ask = Callable[[], int]
#: Batches that the cross-encoders may choose from; the fastest counts.
BATCHES = (100, 50, 20, 10)
#: Seconds after which a connection is made anew: servers close idle ones.
IDLE = 1.0


def whole(task: dict[str, Any]) -> Ask:
    """simgate: query encoded, blobs parsed, verdicts, ranking."""
    from plugin_server import Candidate, Reranker, Settings

    reranker = Reranker.load(Settings(bundle=task["bundle"], threads=task["threads"], cache_bytes=0))
    candidates = [Candidate(blob=blob) for blob in task["blobs"]]
    return lambda: len(reranker.rerank(task["query"], candidates, policy="annotate").hits)


def maxsim(task: dict[str, Any]) -> Ask:
    """MaxSim over the blobs, the query encoded by simgate's encoder."""
    from plugin_server.bundle import Bundle
    from plugin_server.encoder import Encoder
    from plugin_server.settings import Settings

    encoder = Encoder(Bundle.open(task["bundle"]), Settings(threads=task["threads"], cache_bytes=0))
    return lambda: _maxsim(encoder.query(task["query"]).windows[0], task["blobs"])


def floor(task: dict[str, Any]) -> Ask:
    """MaxSim over the blobs, the query's token matrix given."""
    from plugin_server.blob import TokenBlob

    query = TokenBlob.parse(task["query_blob"]).windows[0]
    return lambda: _maxsim(query, task["blobs"])


def _maxsim(query: Any, blobs: list[str]) -> int:
    """MaxSim of every blob's windows in numpy, ranked."""
    import numpy as np

    from plugin_server.blob import TokenBlob

    def unit(matrix: Any) -> Any:
        rows = matrix.astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    asked = unit(query)
    scores = [max((asked @ unit(part).T).max(1).mean() for part in TokenBlob.parse(blob).windows) for blob in blobs]
    return len(np.argsort(scores))


def cross_encoder(task: dict[str, Any]) -> Ask:
    """A cross-encoder's graph in onnxruntime: pairs tokenised, its fastest batch, ranked."""
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = task["threads"]
    session = onnxruntime.InferenceSession(task["graph"], options, providers=["CPUExecutionProvider"])
    wanted = {item.name for item in session.get_inputs()}
    tokenizer = Tokenizer.from_file(task["tokenizer"])
    tokenizer.enable_padding()

    def ask(batch: int) -> int:
        scores: list[Any] = []
        for start in range(0, len(task["documents"]), batch):
            part = task["documents"][start : start + batch]
            codes = tokenizer.encode_batch([(task["query"], document) for document in part])
            inputs = {
                "input_ids": np.array([code.ids for code in codes]),
                "attention_mask": np.array([code.attention_mask for code in codes]),
                "token_type_ids": np.array([code.type_ids for code in codes]),
            }
            scores += session.run(None, {name: value for name, value in inputs.items() if name in wanted})[0].tolist()
        return len(np.argsort(scores, axis=0))

    return _fastest(ask, [task["batch"]] if task.get("batch") else [*BATCHES])


def sentence_transformers(task: dict[str, Any]) -> Ask:
    """sentence-transformers' CrossEncoder in torch; its fastest batch, with one thread or as many as are given."""
    import torch
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(task["folder"], device="cpu", local_files_only=True)
    torch.set_num_threads(task["threads"])

    def ask(batch: int) -> int:
        return len(model.rank(task["query"], task["documents"], batch_size=batch, show_progress_bar=False))

    return _fastest(ask, [*BATCHES])


def flashrank(task: dict[str, Any]) -> Ask:
    """The package's own Ranker over a local folder named and filled like one that it would download."""
    from flashrank import Ranker, RerankRequest

    ranker = Ranker(task["name"], task["folder"], max_length=512, log_level="ERROR")

    def ask() -> int:
        passages = [{"id": number, "text": text} for number, text in enumerate(task["documents"])]
        return len(ranker.rerank(RerankRequest(task["query"], passages)))

    return ask


def http(task: dict[str, Any]) -> Ask:
    """A server, asked over connections that are kept, one for each caller; the body is ready, the answer is read."""
    own, body = threading.local(), json.dumps(task["body"]).encode()

    def connection() -> HTTPConnection:
        if time.perf_counter() - getattr(own, "used", -IDLE) >= IDLE:
            own.connection = HTTPConnection(task["address"], timeout=300)
        kept: HTTPConnection = own.connection
        return kept

    def ask() -> int:
        kept = connection()
        kept.request("POST", task["path"], body, {"Content-Type": "application/json"})
        answer = kept.getresponse()
        own.used = time.perf_counter()
        found = json.loads(answer.read())
        if answer.status != 200:
            raise RuntimeError(f"status {answer.status}: {found}")
        return len(found["results"])

    return ask


SYSTEMS: dict[str, Callable[[dict[str, Any]], Ask]] = {
    "whole": whole,
    "maxsim": maxsim,
    "floor": floor,
    "cross_encoder": cross_encoder,
    "sentence_transformers": sentence_transformers,
    "flashrank": flashrank,
    "http": http,
}


def turn(ask: Ask, callers: int, seconds: float) -> dict[str, Any]:
    """Seconds of every request, and from the first one's beginning to the last one's end."""
    start = time.perf_counter()
    times: list[float] = []

    def call() -> None:
        while True:
            began = time.perf_counter()
            ask()
            ended = time.perf_counter()
            times.append(ended - began)
            if ended - start >= seconds:
                return

    threads = [threading.Thread(target=call) for _ in range(callers - 1)]
    for thread in threads:
        thread.start()
    call()
    for thread in threads:
        thread.join()
    return {"times": times, "elapsed": time.perf_counter() - start}


def _fastest(ask: Callable[[int], int], batches: list[int]) -> Ask:
    def seconds(batch: int) -> float:
        start = time.perf_counter()
        ask(batch)
        return time.perf_counter() - start

    ask(batches[-1])
    chosen = min(batches, key=seconds) if len(batches) > 1 else batches[0]
    return lambda: ask(chosen)


def main() -> None:
    """Load, rank once, and serve orders until there are none."""
    task = json.loads(Path(sys.argv[2]).read_text())
    ask = SYSTEMS[sys.argv[1]](task)
    if (found := ask()) != len(task["documents"]):
        raise RuntimeError(f"{found} candidates came back, {len(task['documents'])} were sent")
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(turn(ask, **json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
