"""The checks on a list of candidates."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from plugin_server import Candidate, SimgateError
from plugin_server.candidate import checked
from plugin_server.errors import DuplicateId, InvalidField, NoCandidates, OverLimit


@pytest.mark.parametrize(
    ("given", "remark"),
    [
        (["a red car"], "a text"),
        ([Candidate("a red car", "1", 0.5)], "a candidate"),
        (["a", Candidate("b"), "c"], "both"),
        (["a", "a"], "one text twice"),
        ([Candidate("a", ""), Candidate("b", "")], "no ids"),
        ([Candidate("a", score=-1e300), Candidate("b", score=0.0)], "any finite score"),
        (("a", "b"), "a tuple"),
        ([""], "an empty text: the encoder names it"),
    ],
)
def test_good(given: Any, remark: str) -> None:
    found = checked(given, limit=3)
    assert found == [Candidate(item) if isinstance(item, str) else item for item in given], remark


@pytest.mark.parametrize(
    ("given", "kind", "message", "remark"),
    [
        ([], NoCandidates, "candidates: the list is empty: send at least one text, blob or id", "none"),
        (["a"] * 4, OverLimit, "candidates: 4 candidates, the limit is 3: send fewer, or raise", "one too many"),
        ([Candidate("a", "1"), Candidate("b", "1")], DuplicateId, "the id '1' occurs twice", "an id twice"),
        ([Candidate("a", "1"), "b", Candidate("a", "1")], DuplicateId, "the id '1' occurs twice", "even of one text"),
        ([Candidate("a", score=math.nan)], InvalidField, "candidates[0].score: nan is not a finite number", "NaN"),
        (["a", Candidate("b", score=math.inf)], InvalidField, "candidates[1].score: inf is not", "no end"),
        (["a", Candidate("b", score=-math.inf)], InvalidField, "candidates[1].score: -inf is not", "nor below"),
        (["a", 7], InvalidField, "candidates[1]: is a int: give a text or a Candidate", "a number"),
        ([None], InvalidField, "candidates[0]: is a NoneType", "nothing"),
        ([b"a"], InvalidField, "candidates[0]: is a bytes", "bytes"),
        ([["a"]], InvalidField, "candidates[0]: is a list", "a list"),
    ],
)
def test_bad(given: list[Any], kind: type[SimgateError], message: str, remark: str) -> None:
    with pytest.raises(kind, match=re.escape(message)):
        checked(given, limit=3)
