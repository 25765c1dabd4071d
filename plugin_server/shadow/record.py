"""One line of the shadow file: a request, and the verdict on each of its candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from plugin_server.errors import InvalidField
from plugin_server.jsonlines import dump
from plugin_server.jsonlines import kind as kind_of

#: The key that every line has, and the version of its form.
KEY, VERSION = "simgate_shadow", 1
#: Characters of a text that are recorded, if texts are.
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Judged:
    """One candidate.

    Attributes:
        id: the caller's, or the engine's; empty for none.
        position: its place as sent, or in recall, from 0.
        score: the engine's; None for none.
        outcome, probability, threshold: see `plugin_server.verdict.Verdict`.
        new: its place under the policy, from 0; None if the policy drops it, or nothing is ranked.
        dropped: whether the policy drops it.
        cause: why it is unverified, as metrics name it; empty if it is not.
        text: if texts are recorded and it has one; at most `LONGEST` characters.
        digest, query: of a pair's own query, where one request has several; as in `Record`.
    """

    id: str
    position: int
    score: float | None
    outcome: str
    probability: float | None
    threshold: float
    new: int | None = None
    dropped: bool = False
    cause: str = ""
    text: str | None = None
    digest: str = ""
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One request.

    Attributes:
        time: when it was answered, UTC, ISO 8601.
        request: the caller's id for it; empty for none.
        way: the door.
        index: that was searched; empty where there is none.
        profile, policy, calibration: what candidates were held against; the policy is empty where nothing is ranked.
        fingerprint: of the bundle.
        ms: milliseconds of verification, the query's encoding included.
        digest: of the query, equal for equal ones; whoever guesses a query can check the guess.
        query: if texts are recorded; at most `LONGEST` characters.
        error: why there are no verdicts: the request would have been refused or have failed; else empty.
        candidates: in the order sent.
    """

    time: str
    request: str
    way: str
    index: str
    profile: str
    policy: str
    calibration: str
    fingerprint: str
    ms: float
    digest: str
    query: str | None = None
    error: str = ""
    candidates: tuple[Judged, ...] = field(default=())

    def line(self) -> bytes:
        """The record as a line of JSON; what is None or empty is left out of candidates."""
        fields = {name: getattr(self, name) for name in TYPES if getattr(self, name) is not None}
        candidates = [
            {name: value for name in PARTS if _tells(value := getattr(item, name))} for item in self.candidates
        ]
        return dump({KEY: VERSION} | fields | {"candidates": candidates})

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Record:
        """The record of a parsed line; keys that are not known are ignored.

        Raises:
            InvalidField: something is missing, or is not what it should be; the message names it.
        """
        listed = value.get("candidates")
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise InvalidField("candidates: is not a list of objects")
        candidates = tuple(Judged(**_fields(item, PARTS, f"candidates[{n}].")) for n, item in enumerate(listed))
        return cls(**_fields(value, TYPES), candidates=candidates)


#: The fields of a record and of a candidate by what they hold.
NUMBER, MAYBE_NUMBER, MAYBE_TEXT = (int, float), (int, float, type(None)), (str, type(None))
TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(
        ("time", "request", "way", "index", "profile", "policy", "calibration", "fingerprint"), (str,)
    ),
    "ms": NUMBER,
    "digest": (str,),
    "query": MAYBE_TEXT,
    "error": (str,),
}  # fmt: skip
PARTS: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "position": (int,),
    "score": MAYBE_NUMBER,
    "outcome": (str,),
    "probability": MAYBE_NUMBER,
    "threshold": NUMBER,
    "new": (int, type(None)),
    "dropped": (bool,),
    "cause": (str,),
    "text": MAYBE_TEXT,
    "digest": (str,),
    "query": MAYBE_TEXT,
}
#: What stands for a field that was left out, besides None.
LEFT_OUT: dict[str, Any] = {"id": "", "dropped": False, "cause": "", "digest": "", "error": ""}


def digest(query: str) -> str:
    """Sixteen hexadecimal digits that are the same for the same query.

    Example:
        >>> digest("a red car") == digest("a red car"), digest("a red car") == digest("a blue car")
        (True, False)
    """
    return blake2b(query.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def clipped(text: str) -> str:
    """A text as it is recorded."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def now() -> str:
    """The time, UTC, ISO 8601 with milliseconds.

    Example:
        >>> now()[10], now()[-1]
        ('T', 'Z')
    """
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _tells(value: object) -> bool:
    """Whether a value is worth a place in the line; 0 is."""
    return value is not None and value is not False and value != ""


def _fields(value: Mapping[str, Any], types: Mapping[str, tuple[type, ...]], before: str = "") -> dict[str, Any]:
    """The values of the known keys, of the types they should have."""
    found = {}
    for name, allowed in types.items():
        given = value.get(name, LEFT_OUT.get(name))
        if not isinstance(given, allowed) or (isinstance(given, bool) and bool not in allowed):
            fault = f"is {kind_of(given)}" if name in value else "is missing"
            raise InvalidField(f"{before}{name}: {fault}")
        found[name] = given
    return found
