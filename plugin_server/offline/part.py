"""A part of a corpus: what one worker does, what is done again when it fails, and skipped when it is done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

#: Lines or rows of a part, unless told otherwise: a minute of one core's work with short texts.
PART_ROWS = 4096
#: Slices of an index that engines take by default (``index.max_slices_per_scroll``).
MAX_SLICES = 1024


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of one source.

    Attributes:
        number: its place among all parts of the job, from 0.
        kind: ``lines`` of a JSON Lines file, ``rows`` of a Parquet file, or a ``slice`` of an index.
        source: the file's URI or path, or the index's name.
        begin: first byte of lines; first row, from 0; number of the slice, from 0.
        size: bytes; rows; how many slices there are. 0 for a compressed file as a whole.
        first: number of its first line or row, from 1.
    """

    number: int
    kind: str
    source: str
    begin: int
    size: int
    first: int = 1

    @property
    def name(self) -> str:
        """What files of this part are called.

        Example:
            >>> Part(7, "lines", "corpus.jsonl", 0, 100).name
            'part-000007'
        """
        return f"part-{self.number:06d}"

    def plain(self) -> dict[str, Any]:
        """The part as what `Part(**…)` takes."""
        return asdict(self)
