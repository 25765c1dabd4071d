"""Tokenised windows in, a recall vector and a token matrix of each out: the encoder graph of a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from plugin_server.batcher import Batcher
from plugin_server.blob import TokenMatrix, quantise
from plugin_server.bundle import ENCODER, Bundle
from plugin_server.session import open_session, usable_cores

#: Windows are padded to a multiple of this, whatever else is in the batch, so that a text's rows do not depend on its
#: neighbours: rounding to int8 would turn a difference in the last bit into one of a whole step.
BUCKET = 16
#: Padded tokens of one run: more gain nothing, and keep what comes later waiting.
BATCH_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class Window:
    """One window, encoded.

    Attributes:
        vector: (recall_dimension,) float32, of unit length.
        matrix: int8 (t, token_dimension).
    """

    vector: NDArray[np.float32]
    matrix: TokenMatrix


class Windows:
    """The encoder graph; windows of several callers are run together.

    Raises:
        BundleError: the graph is missing or altered, cannot be loaded, or has other widths than the manifest says.
    """

    def __init__(self, bundle: Bundle, threads: int = 0, provider: str = "cpu") -> None:
        manifest = bundle.manifest
        widths = {"recall": manifest.recall_dimension, "tokens": manifest.token_dimension}
        self._bits = manifest.token_bits
        self._session = open_session(bundle.folder / ENCODER, threads, widths, provider, bundle.read(ENCODER))
        self.batcher: Batcher[int, Encoding, Window] = Batcher(self._run, fitting, threads or usable_cores())

    def encode(self, codes: Sequence[Encoding]) -> list[Window]:
        """The windows, in the order given.

        Raises:
            BundleMalformed: the graph gave a row without direction.
            CallerGone, DeadlinePassed: as `Batcher.results`.
        """
        return self.batcher.results([padded(code) for code in codes], codes)

    def _run(self, width: int, codes: Sequence[Encoding]) -> list[Window]:
        """Windows of one padded width."""
        ids, mask = np.zeros((len(codes), width), np.int64), np.zeros((len(codes), width), np.int64)
        for row, code in enumerate(codes):
            ids[row, : len(code.ids)], mask[row, : len(code.ids)] = code.ids, 1
        recall, tokens = self._session.run(["recall", "tokens"], {"input_ids": ids, "attention_mask": mask})
        return [
            Window(vector, quantise(rows[: len(code.ids)], self._bits))
            for vector, rows, code in zip(recall, tokens, codes, strict=True)
        ]


def padded(code: Encoding) -> int:
    """Tokens of a window once it is padded."""
    return -(-len(code.ids) // BUCKET) * BUCKET


def fitting(width: int) -> int:
    """How many windows of a padded width are run together at most.

    Example:
        >>> fitting(16), fitting(256)
        (64, 4)
    """
    return max(1, BATCH_TOKENS // width)
