"""The source of a command's jobs: the database of a data directory, or a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from batchscribe.cli.lazy import lazy_imports
from batchscribe.cli.options import read_settings
from batchscribe.cli.present.job_report import JobReport
from batchscribe.errors import UsageError
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import FileState, JobState

with lazy_imports():
    from batchscribe.cli import local_records, no_jobs, recorded_jobs, served_jobs


class JobSource(Protocol):
    """A source of jobs and files as JSON objects of the wire. Methods raise `JobNotFound` for an unknown job."""

    def jobs(self, *, state: JobState | None, limit: int) -> Iterator[JsonObject]:
        """Yield the newest jobs first: all, or those in a state."""
        ...

    def job(self, job_id: str) -> JsonObject: ...

    def find_interrupted(self, jobs: Sequence[JsonObject]) -> Mapping[str, str]:
        """Return the commands that resume those of the jobs on which no process works, by job ID."""
        ...

    def files(self, job_id: str, *, state: FileState | None, limit: int | None) -> Iterator[JsonObject]:
        """Yield the files in the order in which they were found, without loading all of them into memory."""
        ...

    def search(self, query: str, *, limit: int) -> Iterator[JsonObject]:
        """Yield the segments of transcripts that match, the latest first. Raises `UsageError`."""
        ...

    def report(self, job_id: str) -> JobReport: ...

    def is_done_here(self, job_id: str) -> bool:
        """Return whether the job is one of the command line, whose files this process must transcribe itself."""
        ...

    def retry(self, job_id: str) -> JsonObject:
        """Have a server retry what failed. Return the job, perhaps with `warnings`, as the server does.

        If no server works, `interrupted` has the command that starts one. Raises `UsageError`.
        """
        ...

    def cancel(self, job_id: str) -> None:
        """Cancel a job. Raises `JobNotCancelable`."""
        ...

    def delete(self, job_id: str) -> None:
        """Delete a job and everything that the database stores about it, but nothing in storage."""
        ...

    def deliveries(self, job_id: str) -> JsonObject:
        """Return the webhook events of a job, as a server does."""
        ...

    def replay(self, job_id: str, event_id: str) -> JsonObject:
        """Send an event again and return its delivery; `interrupted` as in `retry`.

        Raises `DeliveryNotFound`, `UsageError`.
        """
        ...

    def wait(self, job_id: str, *, timeout_sec: float | None, seen: Callable[[JsonObject], None]) -> JsonObject:
        """Return the job when it has ended or the time limit is over. Each answer until then is passed to `seen`.

        Answers about an interrupted job have the command in `interrupted`. Raises `JobInterrupted` after a minute.
        """
        ...


@contextmanager
def open_job_source(server: str | None, data_dir: Path | None) -> Iterator[JobSource]:
    """Open the source in the options, else the server in the settings, else the data directory. Raises `UsageError`."""
    if server is not None and data_dir is not None:
        raise UsageError("--server and --data-dir cannot be combined; omit one of them.")
    settings = read_settings(data_dir=data_dir, server=server)
    if data_dir is not None or settings.server is None:
        if not local_records.has_records(settings):
            yield no_jobs.NoJobs()
            return
        records = local_records.open_local_records(settings)
        try:
            yield recorded_jobs.RecordedJobs(records, settings)
        finally:
            records.database.dispose()
        return
    with served_jobs.open_served_jobs(settings) as served:
        yield served
