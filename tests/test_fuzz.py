"""A little of every target of ``make fuzz``, the same inputs each time; the whole is ``python -m fuzz.run``."""

from __future__ import annotations

import pytest
from fuzz.guided import installed
from fuzz.run import run, targets
from fuzz.target import Target

TARGETS = targets()


@pytest.mark.filterwarnings("ignore")  # a hostile engine's headers are warnings to its client
@pytest.mark.parametrize("target", TARGETS, ids=[f"{target.name}, {target.tool}" for target in TARGETS])
def test_bad_input_is_refused_and_breaks_nothing(target: Target) -> None:
    if target.tool == "atheris" and not installed():
        pytest.skip("needs Atheris, which is not made for this machine")
    found = run(target, target.quick, seed=1, blocks=1)
    assert found["unforeseen"] == 0, "\n".join(found["words"])
    assert found["inputs"] >= target.quick
    assert found["accepted"] or "bytes at the socket" in target.name, "nothing gets beyond the first check"
    assert found["refused"]


def test_what_is_unforeseen_is_counted() -> None:
    """That the count can be other than 0."""
    from fuzz.tally import Tally

    def check(given: int) -> str | None:
        if given > 1:
            raise KeyError(given)
        return "odd" if given else None

    tally = Tally((ValueError,))
    for given in range(4):
        tally.take(given, check)
    assert (tally.accepted, dict(tally.refused), tally.unforeseen) == (1, {"odd": 1}, 2)
    assert tally.words[0].startswith("KeyError at test_fuzz.py")
