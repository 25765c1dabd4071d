"""Candidates in, their token matrices out: blobs parsed, texts encoded, and a reason for each that has neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plugin_server.blob import TokenBlob, TokenMatrix, is_blob
from plugin_server.candidate import Candidate
from plugin_server.encoder import Encoder
from plugin_server.errors import BlobOfOtherBundle


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is known of one candidate.

    Attributes:
        windows: token matrices of its windows; none if it cannot be read.
        vectors: (w, recall_dimension), if its text was encoded.
        reason: why there are no windows, else empty.
    """

    windows: tuple[TokenMatrix, ...] = ()
    vectors: NDArray[np.float32] | None = None
    reason: str = ""

    def cosine(self, query: NDArray[np.float32]) -> float | None:
        """The recall cosine of its best window with a query's vector, if its text was encoded."""
        return None if self.vectors is None else float((self.vectors @ query).max())


def gather(
    candidates: Sequence[Candidate], fields: Sequence[str], encoder: Encoder, on_mismatch: str
) -> list[Gathered]:
    """One for each candidate, in their order; equal texts are encoded once.

    Args:
        fields: names of the candidates' texts, for error messages.
        on_mismatch: see `Settings.on_mismatch`.

    Raises:
        InvalidRequest: a text or a blob cannot be used; the message names the field.
    """
    found = [_from_blob(*item, encoder, on_mismatch) for item in zip(candidates, fields, strict=True)]
    texts = [number for number, item in enumerate(found) if item is None]
    encoded = encoder.documents([candidates[number].text for number in texts], [fields[number] for number in texts])
    by_number = dict(zip(texts, encoded, strict=True))
    return [
        Gathered(by_number[number].windows, by_number[number].vectors) if item is None else item
        for number, item in enumerate(found)
    ]


def _from_blob(candidate: Candidate, field: str, encoder: Encoder, on_mismatch: str) -> Gathered | None:
    """What the candidate's blob gives; None if its text is to be encoded."""
    blob = candidate.blob or (candidate.text if is_blob(candidate.text) else "")
    if not blob:
        return None
    field = field.removesuffix(".text") + ".blob" if candidate.blob else field
    try:
        parsed = TokenBlob.parse(blob, field).expect(encoder.manifest, field)
    except BlobOfOtherBundle as error:
        if on_mismatch == "refuse":
            raise
        if on_mismatch == "encode" and candidate.text and not is_blob(candidate.text):
            return None
        return Gathered(reason=str(error))
    return Gathered(parsed.windows)
