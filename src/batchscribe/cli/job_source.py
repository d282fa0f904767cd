"""Where a command finds its jobs: on record in a data directory, or at a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from batchscribe.cli.local_records import open_local_records
from batchscribe.cli.options import read_settings
from batchscribe.cli.present.job_report import JobReport
from batchscribe.cli.recorded_jobs import RecordedJobs
from batchscribe.cli.served_jobs import open_served_jobs
from batchscribe.errors import UsageError
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import FileState


class JobSource(Protocol):
    """Jobs and files are the JSON objects of the wire. Each method raises `JobNotFound` for an unknown job."""

    def jobs(self, *, limit: int) -> Iterator[JsonObject]:
        """The newest first."""
        ...

    def job(self, job_id: str) -> JsonObject: ...

    def files(self, job_id: str, *, state: FileState | None, limit: int | None) -> Iterator[JsonObject]:
        """In the order in which they were found, never all of them in memory."""
        ...

    def report(self, job_id: str) -> JobReport: ...

    def cancel(self, job_id: str) -> None:
        """Raises `JobNotCancelable`."""
        ...

    def wait(self, job_id: str, *, timeout_sec: float | None, seen: Callable[[JsonObject], None]) -> JsonObject:
        """The job when it has ended or the time is over. Each answer on the way is passed to `seen`."""
        ...


@contextmanager
def open_job_source(server: str | None, data_dir: Path | None) -> Iterator[JobSource]:
    """The one that the options name; else the server of the settings, else the data directory. Raises `UsageError`."""
    if server is not None and data_dir is not None:
        raise UsageError("--server and --data-dir name two places for jobs; give one of them.")
    settings = read_settings(data_dir=data_dir, server=server)
    if data_dir is not None or settings.server is None:
        yield RecordedJobs(open_local_records(settings), settings)
        return
    with open_served_jobs(settings) as served:
        yield served
