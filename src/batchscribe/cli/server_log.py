"""The lines of uvicorn, in the form of our own."""

from __future__ import annotations

from typing import Any

import structlog


def log_of_uvicorn() -> dict[str, Any]:
    """For `logging.config`: warnings and errors only, through the processors that are configured."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": {"()": _formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "loggers": {"uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False}},
    }


def _formatter() -> structlog.stdlib.ProcessorFormatter:
    *before, renderer = structlog.get_config()["processors"]
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=[remove, renderer])
