"""What verification costs beside a cross-encoder, and encoding beside sentence-transformers, each in the same run.

``python -m onnx_export.evaluation.speed [BUNDLE] [--threads N]`` prints the table.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from onnx_export.evaluation.graphs import base_model, base_of
from plugin_server import Candidate, Reranker, Settings
from plugin_server.blob import TokenBlob, TokenMatrix
from plugin_server.bundle import Bundle
from plugin_server.session import open_session

#: The pairs that are verified: candidates, and tokens of the query and of each document.
CANDIDATES, QUERY, DOCUMENT = 100, 16, 128
#: Query and document joined, with the three marks of a pair.
JOINED = QUERY + DOCUMENT + 3
REPETITIONS = 9
#: Batches the cross-encoder may choose from; its fastest counts.
BATCHES = (100, 50, 20, 10, 5)
#: Texts of the encoding comparison, by tokens of a text.
TEXTS = {16: 256, 128: 64}
#: Words of one token each.
WORDS = ("red", "blue", "car", "house", "dog", "man", "rain", "train", "city", "river", "stone", "paper", "light")


def speed(bundle: Bundle, threads: int = 2, repetitions: int = REPETITIONS) -> dict[str, Any]:
    """Milliseconds for 100 candidates, texts a second, and bytes a token; median and best of the repetitions.

    ``verifier`` reads stored int8 matrices; ``rerank`` is the whole request from blobs: query encoded, blobs parsed,
    verdicts, ranking. ``cross_encoder`` has the base model's size, int8 weights and a random head, which costs what
    a trained one does; its tokenising is not counted. Both sides take turns, so that a busy machine slows both.

    Args:
        threads: of onnxruntime and of torch.
    """
    load = os.getloadavg()[0]
    reranker = Reranker(bundle, Settings(threads=threads))
    query, documents = _matrices(reranker)
    pairs = [(query, document) for document in documents]
    blobs = [Candidate(blob=TokenBlob(bundle.manifest.fingerprint, (document,)).text()) for document in documents]
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(cross_encoder(bundle, Path(folder)), threads)
        batch = min(BATCHES, key=lambda size: min(_seconds(lambda: cross_encode(session, size)) for _ in range(2)))
        times = in_turns(
            {
                "verifier": lambda: reranker.verifier.read(pairs),
                "rerank": lambda: reranker.rerank(_text(QUERY), blobs),
                "cross_encoder": lambda: cross_encode(session, batch),
            },
            repetitions,
        )
    return {
        "threads": threads,
        "load_before": load,
        "shape": {"candidates": CANDIDATES, "query_tokens": QUERY, "document_tokens": DOCUMENT},
        "milliseconds": {name: _summary(values) for name, values in times.items()},
        "cross_encoder_batch": batch,
        "ratio": {
            name: {
                "median": float(np.median(times["cross_encoder"]) / np.median(times[name])),
                "best": min(times["cross_encoder"]) / min(times[name]),
            }
            for name in ("verifier", "rerank")
        },
        "encoding": encoding(reranker, threads, repetitions),
        "blob": {
            "bytes_a_token": bundle.manifest.token_bytes,
            "text_bytes_a_token": len(blobs[0].blob) / DOCUMENT,
        },
    }


def cross_encoder(bundle: Bundle, folder: Path) -> Path:
    """The graph of a cross-encoder on the bundle's base model, dynamically quantised to int8, written into `folder`."""
    # slow to import and needed here alone
    from optimum.onnxruntime import ORTModelForSequenceClassification, ORTQuantizer
    from optimum.onnxruntime.configuration import AutoQuantizationConfig
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    loud = [logging.getLogger(name) for name in ("transformers", "optimum", "torch.onnx", "root")]
    levels = [(log, log.level) for log in loud]
    try:
        for log in loud:
            log.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tracing, and of the head that is new
            base = str(base_of(bundle.manifest))
            AutoModelForSequenceClassification.from_pretrained(base, num_labels=1).save_pretrained(folder / "torch")
            AutoTokenizer.from_pretrained(base).save_pretrained(folder / "torch")
            ORTModelForSequenceClassification.from_pretrained(folder / "torch", export=True).save_pretrained(
                folder / "onnx"
            )
            quantizer = ORTQuantizer.from_pretrained(folder / "onnx", file_name="model.onnx")
            recipe = AutoQuantizationConfig.avx512_vnni(is_static=False, per_channel=True)
            quantizer.quantize(save_dir=folder / "int8", quantization_config=recipe)
    finally:
        for log, level in levels:
            log.setLevel(level)
    return next((folder / "int8").glob("*.onnx"))


def encoding(reranker: Reranker, threads: int, repetitions: int) -> dict[str, Any]:
    """By tokens of a text: texts a second of the bundle's encoder (both outputs) and of sentence-transformers.

    torch's threads wait by spinning, onnxruntime's do not here, so beside other work torch can be many times slower
    with two threads than with one: it gets whichever of 1 and `threads` is faster (``torch_threads``).
    """
    before = torch.get_num_threads()
    base = base_model(reranker.manifest)
    figures = {}
    try:
        for tokens, count in TEXTS.items():
            texts = [_text(tokens, start) for start in range(count)]
            tasks: dict[str, Callable[[], object]] = {"bundle": partial(reranker.encode, texts)}
            tasks |= {str(number): partial(_base_encode, base, texts, number) for number in sorted({1, threads})}
            rates = {
                name: count / float(np.median(values))
                for name, values in in_turns(tasks, max(3, repetitions // 2)).items()
            }
            fastest = max((name for name in rates if name != "bundle"), key=lambda name: rates[name])
            figures[str(tokens)] = {
                "bundle": rates["bundle"],
                "sentence_transformers": rates[fastest],
                "torch_threads": int(fastest),
            }
        return figures
    finally:
        torch.set_num_threads(before)


def _base_encode(base: Any, texts: list[str], threads: int) -> object:
    torch.set_num_threads(threads)
    return base.encode(texts, batch_size=32, show_progress_bar=False)


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown tables."""
    shape, ratio = figures["shape"], figures["ratio"]
    names = {
        "verifier": "verifier, stored matrices",
        "rerank": "whole rerank request, stored blobs",
        "cross_encoder": f"int8 cross-encoder, batch {figures['cross_encoder_batch']}",
    }
    lines = [
        f"{shape['candidates']} candidates, {shape['query_tokens']} × {shape['document_tokens']} tokens, "
        f"{figures['threads']} threads, load of the machine before {figures['load_before']:.1f}:",
        "",
        "| | median ms | best ms | cross-encoder takes (median, best) |",
        "|---|---|---|---|",
    ]
    for name, values in figures["milliseconds"].items():
        times = f"{ratio[name]['median']:.1f}, {ratio[name]['best']:.1f} times as long" if name in ratio else ""
        lines.append(f"| {names[name]} | {values['median']:.1f} | {values['best']:.1f} | {times} |")
    lines += ["", "| texts a second | bundle, both outputs | sentence-transformers |", "|---|---|---|"]
    for tokens, values in figures["encoding"].items():
        lines.append(f"| {tokens} tokens | {values['bundle']:.0f} | {values['sentence_transformers']:.0f} |")
    blob = figures["blob"]
    lines += ["", f"A stored token takes {blob['bytes_a_token']} bytes, {blob['text_bytes_a_token']:.1f} as blob text."]
    return "\n".join(lines)


def _matrices(reranker: Reranker) -> tuple[TokenMatrix, list[TokenMatrix]]:
    """A query and the documents: random rows, none of them zero."""
    generator = np.random.default_rng(0)
    shape = (CANDIDATES, DOCUMENT, reranker.manifest.token_dimension)
    end = 2 ** (reranker.manifest.token_bits - 1)
    query = generator.integers(1, end, (QUERY, shape[2]), np.int8)
    return query, list(generator.integers(1, end, shape, np.int8) * generator.choice(np.array([-1, 1], np.int8), shape))


def _text(tokens: int, start: int = 0) -> str:
    """A text of that many tokens, the two marks included."""
    # the places count in different digits of `start`, so that no two texts are the same
    return " ".join(WORDS[(start // len(WORDS) ** (place % 3) + 7 * place) % len(WORDS)] for place in range(tokens - 2))


def cross_encode(session: onnxruntime.InferenceSession, batch: int) -> None:
    """All candidates through the cross-encoder."""
    wanted = {item.name for item in session.get_inputs()}
    for start in range(0, CANDIDATES, batch):
        rows = min(batch, CANDIDATES - start)
        ids = np.random.default_rng(start).integers(1000, 30000, (rows, JOINED))
        kinds = np.broadcast_to(np.arange(JOINED) >= QUERY + 2, ids.shape).astype(np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": kinds}
        session.run(None, {name: value for name, value in inputs.items() if name in wanted})


def _seconds(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def in_turns(tasks: dict[str, Callable[[], object]], repetitions: int) -> dict[str, list[float]]:
    """Seconds of every task, one after another in each round; a first round warms up and does not count."""
    rounds = [{name: _seconds(task) for name, task in tasks.items()} for _ in range(repetitions + 1)]
    return {name: [found[name] for found in rounds[1:]] for name in tasks}


def _summary(seconds: list[float]) -> dict[str, float]:
    return {"median": 1000 * float(np.median(seconds)), "best": 1000 * min(seconds)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m onnx_export.evaluation.speed", description="Speed and size of a bundle."
    )
    parser.add_argument(
        "bundle", nargs="?", default="", help="folder of the bundle; the one in the package if left out"
    )
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    print(table(speed(Bundle.open(given.bundle), given.threads)))


if __name__ == "__main__":
    main()
