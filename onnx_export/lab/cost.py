"""What a system costs at query time: milliseconds for 100 stored candidates, and bytes a token or a text stored."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnxruntime
import torch
from torch import nn

from onnx_export.evaluation.speed import CANDIDATES, DOCUMENT, JOINED, QUERY, REPETITIONS, in_turns
from onnx_export.graphs import ServedVerifier, export_static
from onnx_export.lab.scorers import BundleScorer, CrossScorer, Scorer, TokenScorer, VectorScorer
from onnx_export.lab.words import HybridScorer
from plugin_server.bundle import VERIFIER
from plugin_server.session import open_session

#: Pairs that run at a time, the fastest of which counts.
BATCHES = (100, 50, 20)
THREADS = 2
Inputs: TypeAlias = "dict[str, Any]"


def cost(scorer: Scorer) -> dict[str, float]:
    """``ms`` of scoring 100 candidates of 128 tokens for a query of 16, by onnxruntime on 2 threads; ``bytes`` stored
    for a token of a document, and ``vector_bytes`` for a document; 0 where there are none.

    Nothing counts that is done once a query or at indexing. Graphs are float32 but a bundle's, which is as it is
    served. BM25's cost is the engine's own and not measured: 0.
    """
    if isinstance(scorer, TokenScorer):
        wide = scorer.dimension
        runs = [_exported(ServedVerifier(scorer.verifier), _matrices(batch, wide), batch) for batch in BATCHES]
        return {"ms": min(runs), "bytes": wide * scorer.bits / 8, "vector_bytes": 0}
    if isinstance(scorer, CrossScorer):
        runs = [
            _exported(scorer.model, _joined(batch, scorer.model.base.config.vocab_size), batch) for batch in BATCHES
        ]
        return {"ms": min(runs), "bytes": 0, "vector_bytes": 0}
    if isinstance(scorer, BundleScorer):
        bundle = scorer.reranker.bundle
        session, wide = open_session(bundle.folder / VERIFIER, THREADS), bundle.manifest.token_dimension
        runs = [_ms(partial(_answer, session, _matrices(batch, wide), batch)) for batch in BATCHES]
        return {"ms": min(runs), "bytes": bundle.manifest.token_bytes, "vector_bytes": 0}
    if isinstance(scorer, (VectorScorer, HybridScorer)):
        stored = np.random.default_rng(0).random((CANDIDATES, scorer.width), np.float32)
        return {"ms": _ms(partial(np.matmul, stored, stored[0])), "bytes": 0, "vector_bytes": 4.0 * scorer.width}
    return {"ms": 0, "bytes": 0, "vector_bytes": 0}


def _exported(module: nn.Module, inputs: Inputs, batch: int) -> float:
    """Milliseconds of a module's graph, exported in float32 for the inputs' shapes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.onnx"
        export_static(module, tuple(torch.from_numpy(value) for value in inputs.values()), path, [*inputs])
        session = open_session(path, THREADS)
        taken = {item.name for item in session.get_inputs()}
        return _ms(partial(_answer, session, {name: value for name, value in inputs.items() if name in taken}, batch))


def _answer(session: onnxruntime.InferenceSession, inputs: Inputs, batch: int) -> None:
    """All candidates, so many at a time."""
    for _ in range(CANDIDATES // batch):
        session.run(None, inputs)


def _matrices(batch: int, dimension: int) -> Inputs:
    """Random int8 rows and lengths, by the names of a served verifier's inputs."""
    random = np.random.default_rng(0)
    query, document = (random.integers(-7, 8, (batch, size, dimension), np.int8) | 1 for size in (QUERY, DOCUMENT))
    lengths = {"query_length": np.full(batch, QUERY), "document_length": np.full(batch, DOCUMENT)}
    found = {"query": query, "document": document} | lengths
    return {name: found[name] for name in ("query", "query_length", "document", "document_length")}


def _joined(batch: int, words: int) -> Inputs:
    """Ids, mask and kinds of joined texts."""
    ids = np.random.default_rng(0).integers(5, words, (batch, JOINED))
    kinds = np.broadcast_to(np.arange(JOINED) >= QUERY, ids.shape).astype(np.int64)
    return {"ids": ids, "mask": np.ones_like(ids), "kinds": kinds}


def _ms(task: Callable[[], object]) -> float:
    """The best of several, in milliseconds: what else the machine does only adds."""
    return 1000 * min(in_turns({"task": task}, REPETITIONS)["task"])
