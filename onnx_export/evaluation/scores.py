"""Scores of labelled pairs through the served graphs: verifier, pooled cosine and MaxSim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onnx_export.pair import Pair
from plugin_server.blob import TokenMatrix
from plugin_server.bundle import PROFILES
from plugin_server.encoder import Encoded
from plugin_server.reranker import CHUNK, Reranker
from plugin_server.verdict import judge

Progress = Callable[[int, int, str], None]
Scores = NDArray[np.float64]

#: What is compared with the verifier, by the name of its field in `PairScores`.
BASELINES = ("cosine", "maxsim", "symmetric")
#: Texts encoded at a time.
TEXTS = 1024


@dataclass(frozen=True, slots=True)
class PairScores:
    """Scores of n pairs, (n,) each; a long document counts with the window that is best for that score.

    Attributes:
        verifier: calibrated probability by profile.
        thresholds: what it is held against, by profile.
        cosine: of the recall vectors.
        maxsim: mean over the query's tokens of the best cosine in the document.
        symmetric: mean of that and of the same from the document's side.
    """

    verifier: dict[str, Scores]
    thresholds: dict[str, Scores]
    cosine: Scores
    maxsim: Scores
    symmetric: Scores

    def of(self, name: str, profile: str) -> Scores:
        """The scores of ``verifier`` under the profile, or of a baseline."""
        scores: Scores = self.verifier[profile] if name == "verifier" else getattr(self, name)
        return scores


def silent(done: int, total: int, line: str) -> None:
    """Nothing; progress that nobody watches."""


def encode_texts(reranker: Reranker, texts: Sequence[str], progress: Progress, what: str) -> list[Encoded]:
    """Every text encoded as a document, `TEXTS` at a time."""
    encoded: list[Encoded] = []
    for start in range(0, len(texts), TEXTS):
        encoded += reranker.encode(texts[start : start + TEXTS])
        progress(len(encoded), len(texts), f"{what}: texts encoded")
    return encoded


def score_pairs(reranker: Reranker, rows: Sequence[Pair], progress: Progress, what: str) -> PairScores:
    """Scores of every row, in the rows' order; each distinct text is encoded once."""
    # by length, so that a chunk holds few widths and runs in few batches
    texts = sorted({text for row in rows for text in (row.query, row.document)}, key=len)
    encoded = dict(zip(texts, encode_texts(reranker, texts, progress, what), strict=True))
    parts: list[list[tuple[float, ...]]] = []
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        parts.append(_score_chunk(reranker, [(row.query, encoded[row.query], encoded[row.document]) for row in chunk]))
        progress(start + len(chunk), len(rows), f"{what}: pairs verified")
    columns = np.array([line for part in parts for line in part], np.float64).T
    chances, thresholds, others = np.split(columns, [len(PROFILES), 2 * len(PROFILES)])
    return PairScores(dict(zip(PROFILES, chances, strict=True)), dict(zip(PROFILES, thresholds, strict=True)), *others)


def _score_chunk(reranker: Reranker, pairs: list[tuple[str, Encoded, Encoded]]) -> list[tuple[float, ...]]:
    """For each (query text, query, document): probabilities and thresholds by profile, cosine, maxsim, symmetric."""
    flat = [(query.windows[0], window) for _, query, document in pairs for window in document.windows]
    readings = iter(reranker.verifier.read(flat))
    lines = []
    for text, query, document in pairs:
        part = [next(readings) for _ in document.windows]
        verdicts = [judge(text, query, part, reranker.manifest, profile) for profile in PROFILES]
        chances = [verdict.probability or 0.0 for verdict in verdicts]
        cosine = float((document.vectors @ query.vectors[0]).max())
        symmetric = max(_symmetric(query.windows[0], window) for window in document.windows)
        lines.append(
            (
                *chances,
                *(verdict.threshold for verdict in verdicts),
                cosine,
                max(reading.maxsim for reading in part),
                symmetric,
            )
        )
    return lines


def _symmetric(query: TokenMatrix, document: TokenMatrix) -> float:
    """Mean of MaxSim in both directions."""
    cosines = _unit(query) @ _unit(document).T
    return float(cosines.max(1).mean() + cosines.max(0).mean()) / 2


def _unit(rows: TokenMatrix) -> NDArray[np.float32]:
    values = rows.astype(np.float32)
    unit: NDArray[np.float32] = values / np.linalg.norm(values, axis=1, keepdims=True)
    return unit
