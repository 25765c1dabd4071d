"""What became of a target's inputs: accepted, refused with an error of ours, or unforeseen."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from h11 import LocalProtocolError

from plugin_server.errors import SimgateError

#: Seconds after which an input counts as one that hangs.
HANGS = 60.0
#: Unforeseen outcomes whose words are kept, and characters by which two of them are the same.
KEPT, ALIKE = 20, 60
#: Characters of an input that are shown.
SHOWN = 600
MIB = 1 << 20


@dataclass
class Tally:
    """Counts, and the words of what was unforeseen.

    Attributes:
        expected: errors that an input may be refused with.
        given: the input that is tried.
        refused: inputs by the class of the error, or by the status of the answer.
        unforeseen: inputs that ended otherwise.
        words: of the first of those: the error and the input.
    """

    expected: tuple[type[Exception], ...] = ()
    given: Any = None
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    unforeseen: int = 0
    words: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        """All that were tried."""
        return self.accepted + self.refused.total() + self.unforeseen

    def take(self, given: Any, check: Callable[[Any], str | None]) -> None:
        """Nothing; `check` was called with the input.

        Args:
            check: returns nothing for an input that was accepted, or a word for how it was refused, or raises.
        """
        began, self.given = time.monotonic(), given
        try:
            if word := check(given):
                self.refused[word] += 1
            else:
                self.accepted += 1
        except self.expected as error:
            self.refused[type(error).__name__] += 1
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic of a Rust library is none of Exception
            self.fault(f"{type(error).__name__} at {_place(error)}: {error}")
            return
        if time.monotonic() - began > HANGS:
            self.fault(f"took {time.monotonic() - began:.0f} s")

    def fault(self, words: str) -> None:
        """Nothing; something unforeseen is counted."""
        self.unforeseen += 1
        known = any(kept.startswith(words[:ALIKE]) for kept in self.words)
        if not known and len(self.words) < KEPT:
            self.words.append(f"{words[:SHOWN]}\n    input: {repr(self.given)[:SHOWN]}")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Nothing; errors that a server logs meanwhile with a traceback count as unforeseen."""
        trap = _Trap(self)
        logging.getLogger().addHandler(trap)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(trap)


class _Trap(logging.Handler):
    def __init__(self, tally: Tally) -> None:
        super().__init__(logging.ERROR)
        self.tally = tally

    def emit(self, record: logging.LogRecord) -> None:
        fault = record.exc_info[1] if record.exc_info else None
        # an answer that was begun is broken off; or uvicorn has said 400 by itself to a broken chunk
        if isinstance(fault, SimgateError | LocalProtocolError):
            return
        if fault is not None or record.name in ("asyncio", "uvicorn.error"):
            where = f" at {_place(fault)}" if fault else ""
            self.tally.fault(f"logged by {record.name}{where}: {record.getMessage()}: {fault!r}")


def _place(error: BaseException) -> str:
    """File and line of the innermost frame."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"


def resident() -> int:
    """This process's resident memory in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 // MIB
