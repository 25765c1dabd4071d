"""Candidates in, their token matrices out: blobs parsed, texts encoded, and the fault of each that has neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from plugin_server.blob import TokenBlob, TokenMatrix, is_blob
from plugin_server.candidate import Candidate
from plugin_server.encoder import Encoder
from plugin_server.errors import BlobMalformed, BlobOfOtherBundle, InvalidRequest, OverLimit, SimgateError
from plugin_server.room import Room


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is known of one candidate.

    Attributes:
        windows: token matrices of its windows; none if it cannot be read.
        vectors: (w, recall_dimension), if its text was encoded with them.
        fault: why there are no windows, else None.
        fingerprint: of the bundle that made its blob; empty without a blob that can be read.
        malformed: whether it has a blob that cannot be used, also where its text was encoded instead.
    """

    windows: tuple[TokenMatrix, ...] = ()
    vectors: NDArray[np.float32] | None = None
    fault: SimgateError | None = None
    fingerprint: str = ""
    malformed: bool = False

    def cosine(self, query: NDArray[np.float32]) -> float | None:
        """The recall cosine of its best window with a query's vector, if its text was encoded."""
        return None if self.vectors is None else float((self.vectors @ query).max())


def gather(
    candidates: Sequence[Candidate],
    fields: Sequence[str],
    encoder: Encoder,
    on_mismatch: str,
    lenient: bool = False,
    room: Room | None = None,
    recall: bool = False,
) -> list[Gathered]:
    """One for each candidate, in their order; equal texts are encoded once.

    Args:
        fields: names of the candidates' texts, for error messages.
        on_mismatch: see `Settings.on_mismatch`.
        lenient: a text or a blob that cannot be used is a fault of its candidate alone; instead of a malformed blob
            the text is encoded, if there is one and `on_mismatch` says so.
        room: for windows; those of blobs are counted first.
        recall: whether texts get recall vectors too.

    Raises:
        InvalidRequest: a text or a blob cannot be used; the message names the field. If `lenient`, only for a blob of
            another bundle that is to be refused.
    """
    found = [_from_blob(*item, encoder, on_mismatch, lenient) for item in zip(candidates, fields, strict=True)]
    if room:
        found = [_fitting(item, field, room) for item, field in zip(found, fields, strict=True)]
    _refuse(found, on_mismatch, lenient)
    texts = [number for number, item in enumerate(found) if not item.windows and not item.fault]
    encoded = encoder.try_documents(
        [candidates[number].text for number in texts], [fields[number] for number in texts], room, recall
    )
    for number, result in zip(texts, encoded, strict=True):
        if isinstance(result, InvalidRequest):
            found[number] = replace(found[number], fault=result)
        else:
            found[number] = replace(found[number], windows=result.windows, vectors=result.vectors)
    _refuse(found, on_mismatch, lenient)
    return found


def _refuse(found: Sequence[Gathered], on_mismatch: str, lenient: bool) -> None:
    """Nothing, unless a candidate's fault fails the request."""
    for item in found:
        if item.fault and (on_mismatch == "refuse" if isinstance(item.fault, BlobOfOtherBundle) else not lenient):
            raise item.fault


def _fitting(item: Gathered, field: str, room: Room) -> Gathered:
    """What is known of a candidate, without its windows if there is no room for them."""
    try:
        room.take(len(item.windows), field.removesuffix(".text") + ".blob")
    except OverLimit as error:
        return replace(item, windows=(), fault=error)
    return item


def _from_blob(candidate: Candidate, field: str, encoder: Encoder, on_mismatch: str, lenient: bool) -> Gathered:
    """What the candidate's blob gives; neither windows nor a fault if its text is to be encoded."""
    blob = candidate.blob or (candidate.text if is_blob(candidate.text) else "")
    if not blob:
        return Gathered()
    field = field.removesuffix(".text") + ".blob" if candidate.blob else field
    readable = on_mismatch == "encode" and candidate.text and not is_blob(candidate.text)
    try:
        parsed = TokenBlob.parse(blob, field)
        fingerprint = parsed.fingerprint
        return Gathered(parsed.expect(encoder.manifest, field).windows, fingerprint=fingerprint)
    except BlobOfOtherBundle as error:
        return Gathered(fault=None if readable else error, fingerprint=fingerprint)
    except BlobMalformed as error:
        return Gathered(fault=None if readable and lenient else error, malformed=True)
