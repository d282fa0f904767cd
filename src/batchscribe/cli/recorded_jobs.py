"""The jobs in the database of a data directory, as answers of the wire."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice

from batchscribe.cli.interrupted_jobs import InterruptionLimit, find_interrupted, needed_server
from batchscribe.cli.lazy import lazy_imports
from batchscribe.cli.present.job_report import LISTED_FILES, JobReport, name_interrupted
from batchscribe.client.polling import PollSchedule, has_ended, wait_for_end
from batchscribe.database.connect import Connection
from batchscribe.database.file_rows import error_codes, files_with_warnings, page_of_files, page_of_files_in
from batchscribe.database.job_rows import get_shown_job, newest_jobs
from batchscribe.database.segment_rows import FoundSegment
from batchscribe.errors import DataDirectoryBusy, JobNotCancelable, JobNotRetryable
from batchscribe.jobs.model import LOCAL_TENANT, File, Job, stored_states
from batchscribe.queue.records import Records
from batchscribe.settings import Settings
from batchscribe.wire.answers import FileAnswer
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import FileState, JobState
from batchscribe.worker.data_directory import lock_data_directory

with lazy_imports():  # what only some of the methods need
    from batchscribe.cli import environment_credentials
    from batchscribe.stages import deliver, delivery_log, finish, purge, retry, settle, transcript_search
    from batchscribe.worker import worker

PAGE_FILES = 1000  #: files in memory at the same time
SETTLE_SEC = 2.0  #: for another process to finish the transcripts that it is writing


class RecordedJobs:
    """A `JobSource` that reads the database."""

    def __init__(self, records: Records, settings: Settings) -> None:
        self._records = records
        self._settings = settings

    def jobs(self, *, state: JobState | None, limit: int) -> Iterator[JsonObject]:
        with self._records.transaction() as connection:
            jobs = newest_jobs(connection, limit=limit, state=state)
        return (job.answer().body() for job in jobs)

    def job(self, job_id: str) -> JsonObject:
        return self._get(job_id).answer().body()

    def find_interrupted(self, jobs: Sequence[JsonObject]) -> Mapping[str, str]:
        live = [str(job["job_id"]) for job in jobs if not has_ended(job)]
        return find_interrupted(self._records, self._settings, live) if live else {}

    def files(self, job_id: str, *, state: FileState | None = None, limit: int | None = None) -> Iterator[JsonObject]:
        return islice(self._read_files(self._get(job_id), state), limit)

    def search(self, query: str, *, limit: int) -> Iterator[JsonObject]:
        return islice((each.answer().body() for each in self._search(query, limit=limit)), limit)

    def _search(self, query: str, *, limit: int) -> Iterator[FoundSegment]:
        find = partial(transcript_search.search, self._records, self._settings, LOCAL_TENANT, query)
        page = find(limit=limit)
        yield from page.found
        while page.before is not None:
            page = find(limit=limit, before=page.before)
            yield from page.found

    def report(self, job_id: str) -> JobReport:
        with self._records.transaction() as connection:
            report = report_job(connection, get_shown_job(connection, job_id))
        return replace(report, resume=self.find_interrupted([report.job.body()]).get(job_id))

    def is_done_here(self, job_id: str) -> bool:
        return self._get(job_id).is_local

    def retry(self, job_id: str) -> JsonObject:
        job = self._get(job_id)
        if command := self.find_interrupted([job.answer().body()]).get(job_id):
            raise JobNotRetryable(f"{job_id} is interrupted, so nothing can be retried yet. Resume it: {command}")
        silent_sec = self._settings.silent_sec
        fresh = environment_credentials.read_fresh_credentials(job, os.environ)
        retried = retry.retry_job(job, self._records, silent_sec=silent_sec, credentials=fresh)
        warned: JsonObject = {"warnings": list(retried.warnings)} if retried.warnings else {}
        body = retried.job.answer().body()
        return body | warned | name_interrupted(self.find_interrupted([body]))

    def delete(self, job_id: str) -> None:
        """Delete the job's rows, too. If a process works here, it deletes them itself, because it may use them."""
        job = self._get(job_id)
        purge.delete_job(job, self._records)
        if not self._settings.is_fleet:
            with suppress(DataDirectoryBusy), lock_data_directory(self._settings.data_dir):
                purge.purge_alone(job, self._records)

    def deliveries(self, job_id: str) -> JsonObject:
        with self._records.transaction() as connection:
            return delivery_log.deliveries_body(connection, get_shown_job(connection, job_id))

    def replay(self, job_id: str, event_id: str) -> JsonObject:
        job = self._get(job_id)
        body = deliver.replay(job, event_id, self._records).answer().body()
        command = needed_server(self._records, self._settings)
        return body | name_interrupted({job_id: command} if command else {})

    def cancel(self, job_id: str) -> None:
        if not finish.cancel_job(self._get(job_id), self._records):
            raise JobNotCancelable(f"{job_id} had already ended: {self._get(job_id).state}.")
        if not settle.wait_settled(self._get(job_id), self._records, within_sec=SETTLE_SEC):
            self._settle_alone(job_id)

    def _settle_alone(self, job_id: str) -> None:
        """Settle the job if no other process works here. A process that was killed cannot settle its jobs."""
        with suppress(DataDirectoryBusy), lock_data_directory(self._settings.data_dir):
            worker.Worker(self._records, self._settings).settle(self._get(job_id))

    def wait(self, job_id: str, *, timeout_sec: float | None, seen: Callable[[JsonObject], None]) -> JsonObject:
        pace = PollSchedule()
        limit = InterruptionLimit(lambda job: self.find_interrupted([job]), limit_sec=pace.outage_sec)

        def look() -> JsonObject:
            job = self.job(job_id)
            return job | name_interrupted(limit.check(job))

        return wait_for_end(look, timeout_sec=timeout_sec, pace=pace, on_poll=seen)

    def _get(self, job_id: str) -> Job:
        with self._records.transaction() as connection:
            return get_shown_job(connection, job_id)

    def _read_files(self, job: Job, state: FileState | None) -> Iterator[JsonObject]:
        after = 0
        while page := self._read_page(job, state, after):
            yield from (file.answer(job.state, job.config.formats).body() for file in page)
            after = page[-1].seq

    def _read_page(self, job: Job, state: FileState | None, after: int) -> list[File]:
        """Read a page in its own transaction, because the caller may take long to consume the pages."""
        with self._records.transaction() as connection:
            if state is None:
                return page_of_files(connection, job.number, after=after, limit=PAGE_FILES)
            states = stored_states(state, job.state)
            return page_of_files_in(connection, job.number, states, after=after, limit=PAGE_FILES)


def report_job(connection: Connection, job: Job) -> JobReport:
    """Read the report of a job. If more than `LISTED_FILES` files were skipped, count them by code, too."""

    def list_files(state: FileState) -> list[FileAnswer]:
        files = page_of_files(connection, job.number, state=state, limit=LISTED_FILES)
        return [file.answer(job.state) for file in files]

    has_many_skipped = job.summary.skipped > LISTED_FILES
    warned = files_with_warnings(connection, job.number, limit=LISTED_FILES + 1)
    return JobReport(
        job=job.answer(),
        failed=list_files(FileState.FAILED),
        skipped=list_files(FileState.SKIPPED),
        skip_codes=error_codes(connection, job.number, FileState.SKIPPED) if has_many_skipped else {},
        warned=[file.answer(job.state) for file in warned],
    )
