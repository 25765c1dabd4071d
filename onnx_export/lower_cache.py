"""Outputs of the frozen lower layers, computed once for a text and kept on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from onnx_export.stem import Call
    from onnx_export.token_encoder import TokenEncoder


class LowerCache:
    """Hidden states of texts after the shared layers, bfloat16, filled as they are asked for.

    The file is as long as all texts need and sparse until they are there. One cache is for one encoder and one list of
    texts; runs with the same can share it, one after another.

    Args:
        path: of the file; ``.npy`` beside it notes which texts are there.
        lengths: (n,) tokens of each text.
        width: numbers of a token.
    """

    def __init__(self, path: Path, lengths: NDArray[np.int64], width: int) -> None:
        self._known_path = path.with_suffix(".npy")
        self._ends = np.cumsum(lengths)
        self._lengths = lengths
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = int(self._ends[-1])
        self._states = torch.from_file(str(path), shared=True, size=rows * width, dtype=torch.bfloat16).view(
            rows, width
        )
        self._known: NDArray[np.bool_] = np.zeros(len(lengths), bool)
        if self._known_path.exists():
            self._known = np.load(self._known_path)

    def lower(self, encoder: TokenEncoder, ids: Tensor, mask: Tensor, texts: Tensor) -> tuple[Tensor, list[Call]]:
        """What `TokenEncoder.lower` gives for ids and mask (b, t) of the texts numbered (b,)."""
        numbers = texts.cpu().numpy()
        missing = ~self._known[numbers]
        if missing.any():
            chosen = torch.from_numpy(np.flatnonzero(missing)).to(ids.device)
            hidden, _ = encoder.lower(ids[chosen], mask[chosen])
            for row, number in zip(hidden.to("cpu", torch.bfloat16), numbers[missing], strict=True):
                self._rows(number).copy_(row[: self._lengths[number]])
            self._known[numbers] = True
        hidden = torch.zeros(*ids.shape, self._states.shape[1], dtype=torch.bfloat16)
        for row, number in zip(hidden, numbers, strict=True):
            row[: self._lengths[number]] = self._rows(number)
        hidden = hidden.to(ids.device)
        return hidden, encoder.calls(hidden, mask)

    def save(self) -> None:
        """Note which texts are there."""
        np.save(self._known_path, self._known)

    def _rows(self, number: int) -> Tensor:
        end = int(self._ends[number])
        return self._states[end - int(self._lengths[number]) : end]
