"""Texts as windows of tokens, and batches of similar length, for models in torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from onnx_export.base import plain_tokenizer
from onnx_export.trainable import Trainable

Ids = NDArray[np.int64]


class Windows:
    """The windows of texts, as the served encoder of that model would cut them."""

    def __init__(self, model: Trainable) -> None:
        self._tokenizer = plain_tokenizer(model.folder)
        self._tokenizer.enable_truncation(model.window, stride=model.config.encoder.overlap)

    def of(self, texts: Sequence[str]) -> list[list[Ids]]:
        """For each text the token ids of its windows, at least one."""
        codes = self._tokenizer.encode_batch(list(texts))
        return [[np.asarray(part.ids, np.int64) for part in (code, *code.overflowing)] for code in codes]


def batches(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Numbers of rows of similar length, at most so many padded tokens together.

    Example:
        >>> list(batches([5, 1, 6, 2], tokens=12))
        [[1, 3], [0, 2]]
    """
    order = sorted(range(len(lengths)), key=lambda number: lengths[number])
    part: list[int] = []
    for number in order:
        if part and lengths[number] * (len(part) + 1) > tokens:
            yield part
            part = []
        part.append(number)
    if part:
        yield part
