"""A team's own labelled pairs as a training source."""

from __future__ import annotations

from pathlib import Path

from onnx_export.config import OwnConfig
from onnx_export.errors import DataMalformed
from onnx_export.pair import Pair
from onnx_export.sources.text import group_of
from plugin_server.bundle import PROFILES
from plugin_server.corpus import Refused
from plugin_server.settings import Settings
from plugin_server.thresholds.labelled import Labelled, read_labelled

#: Bad lines that an error tells of.
TOLD = 5


def own_pairs(name: str, given: OwnConfig) -> list[Pair]:
    """The rows of a file; those of one query are a group. A pair that stands there twice counts once.

    Raises:
        DataMalformed: the file cannot be read, has no pair of either label, or has a line that is none.
    """
    try:
        with Path(given.file).open("rb") as stream:
            found = [*read_labelled(stream, Settings().max_characters)]
    except OSError as error:
        raise DataMalformed(given.file, f"cannot be read: {error.strerror}") from error
    if refused := [item for item in found if isinstance(item, Refused)]:
        lines = "; ".join(f"line {item.line}: {item.reason}" for item in refused[:TOLD])
        more = f"; and {len(refused) - TOLD} lines more" if len(refused) > TOLD else ""
        raise DataMalformed(given.file, lines + more)
    labelled = [item for item in found if isinstance(item, Labelled)]
    if {item.label for item in labelled} != {0, 1}:
        raise DataMalformed(given.file, "both labels are needed, 1 for true pairs and 0 for near-misses")
    rows = []
    for item in labelled:
        pairs, passages = (item.label if given.profile in (profile, "both") else None for profile in PROFILES)
        group = group_of(name, item.query)
        rows.append(Pair(item.query, item.document, pairs, passages, item.category or "general", name, group))
    return rows
