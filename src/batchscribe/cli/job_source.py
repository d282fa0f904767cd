"""Where the jobs are that a command is about: on record in a data directory, or with a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from batchscribe.cli.options import settings_of
from batchscribe.cli.recorded_jobs import RecordedJobs
from batchscribe.cli.records import opened
from batchscribe.cli.served_jobs import served_jobs
from batchscribe.errors import UsageError
from batchscribe.wire.model import JsonObject
from batchscribe.wire.states import FileState


class JobSource(Protocol):
    """Jobs and files are the JSON objects of the wire. For an unknown job each raises `JobNotFound`."""

    def jobs(self, *, limit: int) -> Iterator[JsonObject]:
        """The newest first."""
        ...

    def job(self, job_id: str) -> JsonObject: ...

    def files(self, job_id: str, *, state: FileState | None, limit: int | None) -> Iterator[JsonObject]:
        """In the order in which they were found, never all of them in memory."""
        ...

    def cancel(self, job_id: str) -> None:
        """Raises `JobNotCancelable`."""
        ...

    def wait(self, job_id: str, *, timeout_sec: float | None, seen: Callable[[JsonObject], None]) -> JsonObject:
        """The job when it has ended or the time has passed. Each look at it is told to `seen`."""
        ...

    def show(self, job_id: str) -> None:
        """Tell a person about the job, on standard output."""
        ...


@contextmanager
def job_source(server: str | None, data_dir: Path | None) -> Iterator[JobSource]:
    """What the options name; else the server of the settings, else the data directory. Raises `UsageError`."""
    if server is not None and data_dir is not None:
        raise UsageError("--server and --data-dir name two places for jobs; give one of them.")
    settings = settings_of(data_dir=data_dir, server=server)
    if data_dir is not None or settings.server is None:
        yield RecordedJobs(opened(settings), settings)
        return
    with served_jobs(settings) as served:
        yield served
