"""The jobs of a data directory without a database: a command that only reads does not create one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NoReturn

from batchscribe.cli.present.job_report import JobReport
from batchscribe.errors import JobNotFound
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import FileState, JobState


class NoJobs:
    """A `JobSource` without jobs. Methods that ask for one raise `JobNotFound`."""

    def jobs(self, *, state: JobState | None, limit: int) -> Iterator[JsonObject]:
        return iter(())

    def search(self, query: str, *, limit: int) -> Iterator[JsonObject]:
        return iter(())

    def job(self, job_id: str) -> JsonObject:
        _refuse(job_id)

    def find_interrupted(self, jobs: Sequence[JsonObject]) -> Mapping[str, str]:
        return {}

    def files(self, job_id: str, *, state: FileState | None, limit: int | None) -> Iterator[JsonObject]:
        _refuse(job_id)

    def report(self, job_id: str) -> JobReport:
        _refuse(job_id)

    def is_done_here(self, job_id: str) -> bool:
        _refuse(job_id)

    def retry(self, job_id: str) -> JsonObject:
        _refuse(job_id)

    def cancel(self, job_id: str) -> None:
        _refuse(job_id)

    def delete(self, job_id: str) -> None:
        _refuse(job_id)

    def deliveries(self, job_id: str) -> JsonObject:
        _refuse(job_id)

    def replay(self, job_id: str, event_id: str) -> JsonObject:
        _refuse(job_id)

    def wait(self, job_id: str, *, timeout_sec: float | None, seen: Callable[[JsonObject], None]) -> JsonObject:
        _refuse(job_id)


def _refuse(job_id: str) -> NoReturn:
    raise JobNotFound(f"There is no job {job_id}: this data directory has no jobs yet. Choose another with --data-dir.")
