"""How far a corpus was written, kept in a file, so that the next run need not ask for every document."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A line of a corpus up to which everything is in an index.

    It counts only for the same file, index and bundle: another of them makes another `job`.
    """

    job: str
    line: int

    @classmethod
    def read(cls, file: Path, job: str) -> Checkpoint:
        """The file's checkpoint if it is of that job, else one at the beginning; a damaged file is as none."""
        try:
            found = cls(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return cls(job, 0)
        return found if found.job == job and isinstance(found.line, int) else cls(job, 0)

    def write(self, file: Path) -> None:
        """Nothing; the file holds this checkpoint, or after a crash the one before, never a part."""
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(asdict(self)), encoding="utf-8")
        fresh.replace(file)


def job_of(corpus: Path, index_uuid: str, fingerprint: str, fields: str) -> str:
    """What a run does, as 32 hexadecimal digits: a file as it is now, into an index, with a bundle.

    Args:
        index_uuid: which an index that is deleted and made again does not keep.
        fields: names of fields that the documents are written with.
    """
    status = corpus.stat()
    parts = (str(corpus.resolve()), status.st_size, status.st_mtime_ns, status.st_ino, index_uuid, fingerprint, fields)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def place_of(job: str, environment: Mapping[str, str]) -> Path:
    """The file for a job's checkpoint: in the XDG state folder of the user.

    Example:
        >>> place_of("00", {"HOME": "/home/ann"}).as_posix()
        '/home/ann/.local/state/simgate/00.json'
    """
    given = Path(environment.get("XDG_STATE_HOME", ""))
    state = given if given.is_absolute() else Path(environment.get("HOME") or Path.home()) / ".local" / "state"
    return state / "simgate" / f"{job}.json"
