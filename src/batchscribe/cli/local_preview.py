"""A preview of a job of the command line: the answer that a server gives to a dry run, without a server or database."""

from __future__ import annotations

from collections.abc import Sequence

from batchscribe.intake.dry_run import dry_run
from batchscribe.intake.submission import read_local_requests
from batchscribe.settings import Settings
from batchscribe.wire.base import JsonObject
from batchscribe.wire.request import JobRequest

#: More than for a client, whose request would time out. Ctrl-C ends the command at any time.
MAX_SEC = 3600.0


def preview_requests(requests: Sequence[JobRequest], settings: Settings) -> JsonObject:
    """Return what one job of the requests would do. Raises `InvalidRequest`, `UsageError`, `StorageError`."""
    patient = settings.model_copy(update={"dry_run_max_sec": max(settings.dry_run_max_sec, MAX_SEC)})
    return dry_run(read_local_requests(requests, settings=settings), patient).body()
