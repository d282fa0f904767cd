"""Where log lines go: to standard error, as JSON unless somebody is watching."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from structlog.typing import Processor

from batchscribe.errors import InvalidSetting

LEVELS = ("debug", "info", "warning", "error")


def configure_log(level: str) -> None:
    """Raises `InvalidSetting`."""
    if level.lower() not in LEVELS:
        raise InvalidSetting(f"BATCHSCRIBE_LOG_LEVEL: {level!r} is not one of {', '.join(LEVELS)}.")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *(_for_a_person() if sys.stderr.isatty() else _for_a_program()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_logger,
        cache_logger_on_first_use=False,
    )


def _logger(*_names: Any) -> structlog.WriteLogger:
    """Asked for at each line: while a progress bar is shown, `sys.stderr` is what prints above it."""
    return structlog.WriteLogger(sys.stderr)


# Tracebacks without the values of variables, which may be credentials or the text of a transcript.


def _for_a_person() -> list[Processor]:
    return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]


def _for_a_program() -> list[Processor]:
    frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [structlog.processors.ExceptionRenderer(frames), structlog.processors.JSONRenderer()]
