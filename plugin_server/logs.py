"""A server's log: lines of text or JSON on standard error, with the request of each, without texts unless wanted."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

from plugin_server.errors import EngineError, InvalidRequest, SimgateError
from plugin_server.server_settings import ServerSettings
from plugin_server.visit import current

OURS = "plugin_server"
#: Stands for what an error says, which may quote a text.
LEFT_OUT = "(left out, it may quote texts: SIMGATE_LOG_TEXTS=true logs it)"
#: Loggers whose messages quote objects: of asyncio's the first line is kept, of warnings the place and the kind.
QUOTING = {"asyncio": re.compile(r".*"), "py.warnings": re.compile(r".*?:\d+: \w+")}
#: Errors of simgate's own that quote requests, and engines that do.
QUOTING_ERRORS = (InvalidRequest, EngineError)
Fault = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def begin(settings: ServerSettings, stream: TextIO | None = None) -> None:
    """Nothing; the process logs as the settings say from now on, what libraries warn of included.

    Args:
        stream: standard error if not given.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(Origin(settings.log_texts))
    handler.setFormatter(Json(settings.log_texts) if settings.log_format == "json" else Lines(settings.log_texts))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # libraries log requests and responses below this level
    root.setLevel(level if settings.log_texts and level == logging.DEBUG else max(level, logging.WARNING))
    logging.raiseExceptions = settings.log_texts  # else a record that cannot be written is shown with its arguments
    logging.getLogger(OURS).setLevel(level)
    logging.captureWarnings(True)


class Origin(logging.Filter):
    """Adds the request to each record; without texts, what quotes them is taken out.

    Args:
        texts: whether they may be logged.
    """

    def __init__(self, texts: bool) -> None:
        super().__init__()
        self._texts = texts

    def filter(self, record: logging.LogRecord) -> bool:
        """True: every record is logged."""
        visit = current()
        record.request_id = visit.id if visit else ""
        record.trace_id = visit.trace if visit else ""
        if not self._texts:
            self._quiet(record)
        return True

    def _quiet(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple):
            record.args = tuple(_told(item) if isinstance(item, BaseException) else item for item in record.args)
        if pattern := QUOTING.get(record.name):
            found = pattern.match(record.getMessage())
            record.msg, record.args = f"{found[0] if found else record.name} {LEFT_OUT}", ()


class Lines(logging.Formatter):
    """Lines of text.

    Args:
        texts: whether they may be logged.
    """

    def __init__(self, texts: bool) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s%(origin)s")
        self._texts = texts

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line."""
        known = (f"{name}={value}" for name in ("request_id", "trace_id") if (value := getattr(record, name, "")))
        record.origin = "".join(f" {item}" for item in known)
        return super().formatMessage(record)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """The time, as `time_of`."""
        return time_of(record)

    def formatException(self, ei: Fault) -> str:
        """The traceback."""
        return super().formatException(ei) if self._texts or ei[1] is None else traceback_of(ei[1])


class Json(JsonFormatter):
    """One JSON object a line.

    Args:
        texts: whether they may be logged.
    """

    def __init__(self, texts: bool) -> None:
        super().__init__()
        self._texts = texts

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Nothing; the object gets its keys: no others, since libraries add what they like."""
        log_data |= {"time": time_of(record), "level": record.levelname.lower(), "logger": record.name}
        fields = getattr(record, "fields", None)
        log_data |= {"message": record.getMessage()} if fields is None else {"message": "request", **fields}
        for name in ("request_id", "trace_id"):
            if value := getattr(record, name, ""):
                log_data[name] = value
        if trace := message_dict.get("exc_info"):
            log_data["exception"] = trace

    def formatException(self, ei: Fault) -> str:
        """The traceback."""
        return str(super().formatException(ei)) if self._texts or ei[1] is None else traceback_of(ei[1])


def time_of(record: logging.LogRecord) -> str:
    """When it was logged: ISO 8601, in UTC, to the millisecond."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def traceback_of(error: BaseException, seen: frozenset[int] = frozenset()) -> str:
    """The traceback of an error and of those behind it, without words that may quote a text.

    Example:
        >>> print(traceback_of(KeyError("secret")))
        KeyError: (left out, it may quote texts: SIMGATE_LOG_TEXTS=true logs it)
    """
    seen |= {id(error)}
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    parts = [f"{traceback_of(behind, seen)}\n\nThen:\n"] if behind and id(behind) not in seen else []
    if error.__traceback__:
        parts += ["Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__)]
    parts.append(f"{_kind(error)}: {error}" if _is_safe(error) else _told(error))
    inner = getattr(error, "exceptions", ())
    parts += [f"\n\nAmong them:\n{traceback_of(item, seen)}" for item in inner if id(item) not in seen]
    return "".join(parts)


def _told(error: BaseException) -> str:
    """An error's words, or only its class if they may quote a text."""
    return str(error) if _is_safe(error) else f"{_kind(error)}: {LEFT_OUT}"


def _is_safe(error: BaseException) -> bool:
    """Whether an error quotes nothing but settings and files; outside of a request there is nothing else to quote."""
    return isinstance(error, SimgateError) and not (current() and isinstance(error, QUOTING_ERRORS))


def _kind(error: BaseException) -> str:
    """The name of an error's class."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
