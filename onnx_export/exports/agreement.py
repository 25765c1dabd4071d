"""How far a bundle's graphs are from the model in torch: token rows, recall vectors, logits, verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np
import torch
from numpy.typing import NDArray

from onnx_export.base import plain_tokenizer
from onnx_export.calibration import capped
from onnx_export.evaluation.graphs import batch_invariance
from onnx_export.exports.form import Limits
from onnx_export.graphs import ServedVerifier
from onnx_export.model import Model
from onnx_export.pair import Pair
from plugin_server import Reranker, Settings
from plugin_server.blob import TokenMatrix, quantise
from plugin_server.bundle import ENCODER, PROFILES, Bundle, Manifest
from plugin_server.session import open_session
from plugin_server.verdict import probability
from plugin_server.verifier import inputs, shape_of

#: Pairs whose verdicts are compared, about; and pairs that are read in several batches.
PAIRS, BATCHED = 240, 16


class Reference:
    """What the model in torch gives for pairs of texts, of each text its first window."""

    def __init__(self, model: Model, rows: Sequence[Pair]) -> None:
        sources = len({row.source for row in rows})
        self.rows = capped(rows, max(2, PAIRS // max(1, sources)))
        tokenizer = plain_tokenizer(model.folder)
        tokenizer.enable_truncation(model.window)
        texts = sorted({text for row in self.rows for text in (row.query, row.document)})
        self.codes = {text: np.array([tokenizer.encode(text).ids], np.int64) for text in texts}
        self._verifier = ServedVerifier(model.verifier).eval()
        self.vectors: dict[str, NDArray[np.float32]] = {}
        self.token_rows: dict[str, NDArray[np.float32]] = {}
        with torch.no_grad():
            for text, ids in self.codes.items():
                given = torch.from_numpy(ids)
                vector, tokens = model.encoder(given, torch.ones_like(given))
                self.vectors[text], self.token_rows[text] = vector[0].numpy(), tokens[0].numpy()

    def logits(self, bits: int) -> NDArray[np.float32]:
        """Logits (n, 2) of the pairs, token rows rounded to so many bits."""
        rounded = {text: quantise(rows, bits) for text, rows in self.token_rows.items()}
        found = []
        with torch.no_grad():
            for row in self.rows:
                pair = rounded[row.query], rounded[row.document]
                given = (torch.from_numpy(part) for part in inputs(shape_of(pair), [pair]).values())
                found.append(self._verifier(*given)[0][0].numpy())
        return np.stack(found)


def agreement(reference: Reference, bundle: Bundle, provider: str) -> dict[str, float]:
    """The figures that `Limits` has limits for, each a largest one.

    Args:
        provider: of onnxruntime that the graphs are run with.
    """
    manifest = bundle.manifest
    session = open_session(bundle.folder / ENCODER, provider=provider)
    gaps: list[tuple[float, float, float]] = []  # np.max keeps what is no number, max does not
    reranker = Reranker(bundle, Settings(provider=provider, cache_bytes=0))
    matrices: dict[str, TokenMatrix] = {}
    for text, ids in reference.codes.items():
        vectors, tokens = session.run(["recall", "tokens"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        found, wanted = vectors[0].astype(np.float64), reference.vectors[text].astype(np.float64)
        norm = float(np.linalg.norm(found))
        cosine = float(found @ wanted) / norm / float(np.linalg.norm(wanted))
        gaps.append((1 - cosine, abs(norm - 1), float(np.abs(tokens[0] - reference.token_rows[text]).max())))
        matrices[text] = reranker.encoder.documents([text], recall=False)[0].windows[0]
    readings = reranker.verifier.read([(matrices[row.query], matrices[row.document]) for row in reference.rows])
    logits, counts = np.array([reading.logits for reading in readings]), [reading.tokens for reading in readings]
    wanted_logits = reference.logits(manifest.token_bits)
    flips = verdicts(manifest, logits, counts) != verdicts(manifest, wanted_logits, counts)
    step = max(1, len(reference.rows) // BATCHED)
    moved = batch_invariance(reranker, reference.rows[::step], lambda *_: None)
    recall, length, apart = np.array(gaps).max(axis=0).tolist()
    return {
        "recall": recall,
        "length": length,
        "rows": apart,
        "logits": float(np.abs(logits - wanted_logits).max()),
        "flips": float(flips.mean()),
        "batch": moved["served"],
    }


def verdicts(manifest: Manifest, logits: NDArray[np.floating], tokens: Sequence[int]) -> NDArray[np.bool_]:
    """Whether each pair (n, 2) is accepted, a column for each profile.

    Args:
        tokens: of each pair's document.
    """
    knobs = [manifest.profile(name) for name in PROFILES]
    return np.array(
        [
            [
                probability(float(value), knob) >= knob.threshold_for(count)
                for value, knob in zip(row, knobs, strict=True)
            ]
            for row, count in zip(logits, tokens, strict=True)
        ]
    )


def faults(figures: dict[str, float], limits: Limits) -> Iterator[str]:
    """Each figure that is beyond its limit, or is no number.

    Example:
        >>> limits = Limits(recall=1e-4, length=1e-5, rows=0.1, logits=1.0, flips=0.02)
        >>> list(faults({"recall": 2e-4, "rows": 0.05, "logits": float("nan")}, limits))
        ['recall 2.0e-04, limit 1.0e-04', 'logits nan, limit 1.0e+00']
    """
    for name, most in asdict(limits).items():
        if name in figures and not figures[name] <= most:
            yield f"{name} {figures[name]:.1e}, limit {most:.1e}"
