"""A request as its log records know it, by every way in: whatever is done for it finds it here."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import uuid4

#: Header and metadata key by which a request's id comes in and goes out.
HEADER = "x-request-id"
ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
#: W3C trace context: version, trace id, parent id, flags.
TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(slots=True)
class Visit:
    """One request; what is learnt of it on the way is written into it.

    Attributes:
        id: the caller's own name for it, or one made here.
        way: ``grpc`` or ``http``.
        trace: id of the trace it is a part of; empty for none.
        candidates: that were judged for it.
    """

    id: str
    way: str
    trace: str = ""
    candidates: int = 0


_CURRENT: ContextVar[Visit | None] = ContextVar("visit", default=None)


def current() -> Visit | None:
    """The request that is served here; None outside of one."""
    return _CURRENT.get()


def begin(way: str, name: str = "", traceparent: str = "") -> Visit:
    """A request that is `current` from now on in the task it has to itself, and in what that task starts.

    Args:
        name: the caller's; one that is long, or has characters that could forge a line of a log, is not taken.
        traceparent: the caller's.

    Example:
        >>> begin("http", "order-17", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        Visit(id='order-17', way='http', trace='0af7651916cd43dd8448eb211c80319c', candidates=0)
        >>> len(begin("http", "two words").id)
        32
    """
    found = TRACEPARENT.fullmatch(traceparent)
    visit = Visit(name if ID.fullmatch(name) else uuid4().hex, way, found[1] if found else "")
    _CURRENT.set(visit)
    return visit
