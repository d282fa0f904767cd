"""Log configuration, including that of libraries: on standard error, as JSON unless it is a terminal."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from batchscribe.errors import InvalidSetting

LEVELS = ("debug", "info", "warning", "error")


def configure_log(level: str) -> None:
    """Configure the log. Raises `InvalidSetting`."""
    if level.lower() not in LEVELS:
        raise InvalidSetting(f"BATCHSCRIBE_LOG_LEVEL: {level!r} is not one of {', '.join(LEVELS)}.")
    rendering = _render_for_people() if sys.stderr.isatty() else _render_for_programs()
    structlog.configure(
        processors=[*_add_facts(), *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_open_logger,
        cache_logger_on_first_use=False,
    )
    _configure_libraries(level, rendering)


def _add_facts() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _open_logger(*_names: Any) -> structlog.WriteLogger:
    """Return a logger for one line: a progress bar replaces `sys.stderr` while it is shown, to print lines above it."""
    return structlog.WriteLogger(sys.stderr)


# Tracebacks without the values of variables, which may be credentials or the text of a transcript.


def _render_for_people() -> list[Processor]:
    return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]


def _render_for_programs() -> list[Processor]:
    frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [structlog.processors.ExceptionRenderer(frames), structlog.processors.JSONRenderer()]


# Libraries log through `logging`. Their warnings and errors get the same format; the rest is dropped.


class _StandardError(logging.StreamHandler[TextIO]):
    """A handler for the current `sys.stderr` (see `_open_logger`); an earlier one may be closed."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)

    def flush(self) -> None:
        self.stream = sys.stderr
        super().flush()


def _configure_libraries(level: str, rendering: list[Processor]) -> None:
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_add_facts(), structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    least = max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()])
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(least)
