"""Log records about variables that have no effect or an old name, for operators who see only the log."""

from __future__ import annotations

import structlog

from batchscribe.old_settings import find_old_names
from batchscribe.unknown_settings import find_unknown_settings

log = structlog.get_logger()


def report_settings() -> None:
    """Log at most one record of each kind, with the sentences that commands print."""
    if unknown := list(find_unknown_settings()):
        log.warning("settings.unknown", notices=unknown)
    if renamed := list(find_old_names()):
        log.warning("settings.renamed", notices=renamed)
