"""Scores of pairs of texts, by every kind of system: what a system says, whatever it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from onnx_export.batches import Batch, padded
from onnx_export.cross_encoder import CrossEncoder
from onnx_export.dual_encoder import DualEncoder
from onnx_export.graphs import ServedVerifier
from onnx_export.lab.windows import Ids, Windows, batches
from onnx_export.model import Model
from onnx_export.trainable import Trainable
from plugin_server.blob import TokenMatrix, quantise
from plugin_server.reranker import Reranker
from plugin_server.verifier import stacked

#: A query and a document.
Texts = tuple[str, str]
Scores = NDArray[np.float64]
#: Token matrices of a text's windows, by the text.
Matrices: TypeAlias = "dict[str, list[TokenMatrix]]"
#: Padded tokens of a batch of texts, and padded cells of a batch of maps. With 16,384 tokens no cache of a processor
#: holds a layer's attention: long texts took 2.3 times as long.
TOKENS, CELLS = 1024, 1 << 18


class Scorer(Protocol):
    """A system that scores pairs."""

    def scores(self, pairs: Sequence[Texts]) -> Scores:
        """(n, 2): how well each document holds up, for both profiles; a long document counts with its best window."""


class Searcher(Scorer, Protocol):
    """A system that also searches a collection by itself."""

    def matrix(self, queries: Sequence[str], documents: Sequence[str]) -> Scores:
        """(q, d) scores of every query with every document."""


def scorer_of(model: Trainable, bits: int, kept: Matrices | None = None) -> Scorer:
    """The scorer of a trained model.

    Args:
        bits: of a number of a token row, as a bundle would store it.
        kept: what other models with the same frozen encoder said, to be read and added to.
    """
    if isinstance(model, CrossEncoder):
        return CrossScorer(model)
    if isinstance(model, DualEncoder):
        return VectorScorer(model)
    assert isinstance(model, Model)
    return TokenScorer(model, bits, kept)


class VectorScorer:
    """Cosine of pooled vectors."""

    def __init__(self, model: DualEncoder) -> None:
        self._model, self._known = model.eval(), dict[str, NDArray[np.float32]]()
        self.width: int = model.base.config.hidden_size
        self._windows = Windows(model)

    def vectors(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """(w, h) unit vectors of each text's windows."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        device = next(self._model.parameters()).device
        counted = self._windows.of(new)
        flat = [ids for windows in counted for ids in windows]
        found = np.zeros((len(flat), self.width), np.float32)
        with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16):
            for part in batches([len(ids) for ids in flat], TOKENS):
                found[part] = self._model.vectors(*_texts([flat[n] for n in part], device)).cpu().numpy()
        parts = np.split(found, np.cumsum([len(windows) for windows in counted])[:-1]) if new else []
        self._known |= dict(zip(new, parts, strict=True))
        return [self._known[text] for text in texts]

    def scores(self, pairs: Sequence[Texts]) -> Scores:
        """(n, 2) cosines, both columns the same."""
        self.vectors([text for pair in pairs for text in pair])
        cosines = [float((self._known[right] @ self._known[left][0]).max()) for left, right in pairs]
        return np.repeat(np.array(cosines)[:, None], 2, axis=1)

    def matrix(self, queries: Sequence[str], documents: Sequence[str]) -> Scores:
        """(q, d) cosine of every query with the best window of every document."""
        asked = np.stack([vectors[0] for vectors in self.vectors(queries)])
        stored = self.vectors(documents)
        starts = np.cumsum([0, *(len(vectors) for vectors in stored[:-1])])
        best: Scores = np.maximum.reduceat(asked @ np.concatenate(stored).T, starts, axis=1).astype(np.float64)
        return best


class TokenScorer:
    """A verifier over token matrices, rounded as a bundle stores them."""

    def __init__(self, model: Model, bits: int, kept: Matrices | None = None) -> None:
        self._model, self.bits = model.eval(), bits
        self._known: Matrices = {} if kept is None else kept
        self._served = ServedVerifier(model.verifier).eval()
        self._windows = Windows(model)
        self._device = next(model.parameters()).device

    @property
    def verifier(self) -> nn.Module:
        """The verifier alone."""
        return self._model.verifier

    @property
    def dimension(self) -> int:
        """Numbers of a token row."""
        return int(next(iter(self._known.values()))[0].shape[1])

    def matrices(self, texts: Sequence[str]) -> None:
        """Nothing; every text's windows are known afterwards."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        counted = self._windows.of(new)
        flat = [ids for windows in counted for ids in windows]
        found: list[TokenMatrix] = [np.zeros((0, 0), np.int8)] * len(flat)
        with torch.no_grad(), torch.autocast(self._device.type, dtype=torch.bfloat16):
            for part in batches([len(ids) for ids in flat], TOKENS):
                rows = self._model.matrices(*_texts([flat[number] for number in part], self._device)).cpu().numpy()
                for number, row in zip(part, rows, strict=True):
                    found[number] = quantise(row[: len(flat[number])], self.bits)
        every = iter(found)
        self._known |= {text: [next(every) for _ in windows] for text, windows in zip(new, counted, strict=True)}

    def scores(self, pairs: Sequence[Texts]) -> Scores:
        """(n, 2) logits."""
        self.matrices([text for pair in pairs for text in pair])
        owners, sides = _flat(pairs, self._known)
        result = np.full((len(pairs), 2), -np.inf)
        sizes = [max(len(left), 8) * max(len(right), 16) for left, right in sides]
        with torch.no_grad():
            for part in batches(sizes, CELLS):
                query, document = (_rows([sides[number][side] for number in part], self._device) for side in (0, 1))
                logits = self._served(*query, *document)[0].float().cpu().numpy()
                np.maximum.at(result, owners[part], logits)
        return result


class CrossScorer:
    """A cross-encoder over the joined texts."""

    def __init__(self, model: CrossEncoder) -> None:
        self.model, self._windows = model.eval(), Windows(model)

    def scores(self, pairs: Sequence[Texts]) -> Scores:
        """(n, 2) logits."""
        device = next(self.model.parameters()).device
        texts = sorted({text for pair in pairs for text in pair})
        known = dict(zip(texts, self._windows.of(texts), strict=True))
        owners, sides = _flat(pairs, known)
        result = np.full((len(pairs), 2), -np.inf)
        with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16):
            for part in batches([len(left) + len(right) for left, right in sides], TOKENS):
                query, document = (_texts([sides[number][side] for number in part], device) for side in (0, 1))
                unknown = torch.zeros(len(part), 2, device=device)
                batch = Batch(*query, *document, unknown, unknown[:, 0], unknown[:, 0])
                np.maximum.at(result, owners[part], self.model.logits(batch).float().cpu().numpy())
        return result


class BundleScorer:
    """A bundle's own graphs."""

    def __init__(self, reranker: Reranker) -> None:
        self.reranker = reranker

    def scores(self, pairs: Sequence[Texts]) -> Scores:
        """(n, 2) logits."""
        texts = sorted({text for pair in pairs for text in pair}, key=len)
        known = dict(zip(texts, self.reranker.encode(texts), strict=True))
        flat = [(known[left].windows[0], window) for left, right in pairs for window in known[right].windows]
        readings = iter(self.reranker.verifier.read(flat))
        return np.array([np.max([next(readings).logits for _ in known[right].windows], axis=0) for _, right in pairs])


def _flat(
    pairs: Sequence[Texts], known: Mapping[str, Sequence[Any]]
) -> tuple[NDArray[np.int64], list[tuple[Any, Any]]]:
    """Every pair's query with every window of its document: the pairs' numbers, and the two sides."""
    flat = [(n, known[left][0], window) for n, (left, right) in enumerate(pairs) for window in known[right]]
    return np.array([item[0] for item in flat]), [item[1:] for item in flat]


def _texts(rows: Sequence[Ids], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask (b, t) on the device."""
    ids, mask = padded(rows)
    return ids.to(device), mask.to(device)


def _rows(matrices: Sequence[TokenMatrix], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """int8 rows (b, t, d), padded, and their lengths (b,), on the device."""
    rows, lengths = stacked(matrices, max(map(len, matrices)))
    return torch.from_numpy(rows).to(device), torch.from_numpy(lengths).to(device)
