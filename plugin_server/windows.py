"""Tokenised windows in, token matrices and, if asked for, recall vectors out: the encoder graph of a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from plugin_server.batcher import Batcher
from plugin_server.blob import TokenMatrix, quantise
from plugin_server.bundle import ENCODER, Bundle
from plugin_server.cores import usable_cores
from plugin_server.graph import part_of
from plugin_server.session import open_session

#: Windows are padded to a multiple of this, whatever else is in the batch, so that a text's rows do not depend on its
#: neighbours: rounding to int8 would turn a difference in the last bit into one of a whole step.
BUCKET = 16
#: Padded tokens of one run: more gain nothing, and keep what comes later waiting.
BATCH_TOKENS = 1024
#: A part of the graph that has more of its bytes than this is not worth the memory of a session of its own.
WORTH = 0.8
#: Padded tokens of a window, and whether its recall vector is computed.
Shape: TypeAlias = "tuple[int, bool]"


@dataclass(frozen=True, slots=True)
class Window:
    """One window, encoded.

    Attributes:
        vector: (recall_dimension,) float32, of unit length; (0,) if it was not asked for.
        matrix: int8 (t, token_dimension).
    """

    vector: NDArray[np.float32]
    matrix: TokenMatrix


class Windows:
    """The encoder graph; windows of several callers are run together.

    Most requests compare tokens alone. Where the graph's layers for the recall vector are its own, the rest is a
    session of its own, and such requests wait for nothing else.

    Raises:
        BundleError: the graph is missing or altered, cannot be loaded, or has other widths than the manifest says.
    """

    def __init__(self, bundle: Bundle, threads: int = 0, provider: str = "cpu") -> None:
        manifest = bundle.manifest
        widths = {"recall": manifest.recall_dimension, "tokens": manifest.token_dimension}
        self._bits = manifest.token_bits
        path, raw = bundle.folder / ENCODER, bundle.read(ENCODER)
        self._tokens = self._session = open_session(path, threads, widths, provider, raw)
        if len(part := part_of(raw, ["tokens"])) < WORTH * len(raw):
            self._tokens = open_session(path, threads, provider=provider, raw=part)
        self.batcher: Batcher[Shape, Encoding, Window] = Batcher(self._run, fitting, threads or usable_cores())

    def encode(self, codes: Sequence[Encoding], recall: bool = True) -> list[Window]:
        """The windows, in the order given.

        Args:
            recall: whether the recall vectors are wanted too.

        Raises:
            BundleMalformed: the graph gave a row without direction.
            CallerGone, DeadlinePassed: as `Batcher.results`.
        """
        return self.batcher.results([(padded(code), recall) for code in codes], codes)

    def _run(self, shape: Shape, codes: Sequence[Encoding]) -> list[Window]:
        """Windows of one shape."""
        width, recall = shape
        ids, mask = np.zeros((len(codes), width), np.int64), np.zeros((len(codes), width), np.int64)
        for row, code in enumerate(codes):
            ids[row, : len(code.ids)], mask[row, : len(code.ids)] = code.ids, 1
        given = {"input_ids": ids, "attention_mask": mask}
        if recall:
            tokens, vectors = self._session.run(["tokens", "recall"], given)
        else:
            (tokens,) = self._tokens.run(["tokens"], given)
            vectors = np.zeros((len(codes), 0), np.float32)
        return [
            Window(vector, quantise(rows[: len(code.ids)], self._bits))
            for vector, rows, code in zip(vectors, tokens, codes, strict=True)
        ]


def padded(code: Encoding) -> int:
    """Tokens of a window once it is padded."""
    return -(-len(code.ids) // BUCKET) * BUCKET


def fitting(shape: Shape) -> int:
    """How many windows of a shape are run together at most.

    Example:
        >>> fitting((16, True)), fitting((256, False))
        (64, 4)
    """
    width, _ = shape
    return max(1, BATCH_TOKENS // width)
