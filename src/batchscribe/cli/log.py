"""Where log lines go: to standard error, as JSON unless somebody is watching; those of libraries, too."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from batchscribe.errors import InvalidSetting

LEVELS = ("debug", "info", "warning", "error")
#: Loggers that would print by themselves: they leave it to whoever has given them a handler before.
OWN_WAYS = ("dbos",)


def configure_log(level: str) -> None:
    """Raises `InvalidSetting`."""
    if level.lower() not in LEVELS:
        raise InvalidSetting(f"BATCHSCRIBE_LOG_LEVEL: {level!r} is not one of {', '.join(LEVELS)}.")
    rendering = _for_a_person() if sys.stderr.isatty() else _for_a_program()
    structlog.configure(
        processors=[*_facts(), *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_logger,
        cache_logger_on_first_use=False,
    )
    _take_in_libraries(level, rendering)


def _facts() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _logger(*_names: Any) -> structlog.WriteLogger:
    """Asked for at each line: while a progress bar is shown, `sys.stderr` is what prints above it."""
    return structlog.WriteLogger(sys.stderr)


# Tracebacks without the values of variables, which may be credentials or the text of a transcript.


def _for_a_person() -> list[Processor]:
    return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]


def _for_a_program() -> list[Processor]:
    frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [structlog.processors.ExceptionRenderer(frames), structlog.processors.JSONRenderer()]


# Libraries log through `logging`. Their warnings and errors become lines like ours; what else they say is for those who
# work on them.


class _StandardError(logging.StreamHandler[TextIO]):
    """Goes to what `sys.stderr` is at that moment (see `_logger`): the one before may be closed."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)

    def flush(self) -> None:
        self.stream = sys.stderr
        super().flush()


def _take_in_libraries(level: str, rendering: list[Processor]) -> None:
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_facts(), structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    least = max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()])
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(least)
    for name in OWN_WAYS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
