"""Waiting for a job: what is shown until it ends, then its report, and the exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from batchscribe.cli.present import job_summary
from batchscribe.cli.present.console import print_json
from batchscribe.cli.present.job_report import has_ended, read_answer
from batchscribe.cli.present.progress import show_states
from batchscribe.cli.present.watched_job import JobDisplay, show_watched_job
from batchscribe.errors import ServerError
from batchscribe.wire.answers import FileAnswer, JobAnswer
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import FileState

if TYPE_CHECKING:
    from batchscribe.cli.job_source import JobSource

EXIT_TIME_OVER = 3
MOST_FAILURES = 200  #: shown as they appear: one page of a server


def wait_for_job(source: JobSource, job_id: str, *, timeout_sec: float | None, as_json: bool) -> int:
    """Wait, show the job as it is then, and return the exit status."""
    with show_states() as show:
        body = source.wait(job_id, timeout_sec=timeout_sec, seen=show)
    if as_json:
        print_json(body)
    return _end(source, body, timeout_sec=timeout_sec, shows_report=not as_json)


def watch_job(source: JobSource, job_id: str, *, timeout_sec: float | None, as_json: bool) -> int:
    """Show the progress and each failure until the job ends, then its report. Return the exit status.

    As JSON, each state of the job and each failed file is one line.
    """
    with show_watched_job(as_json=as_json) as display:
        follower = JobFollower(source, job_id, display)
        body = source.wait(job_id, timeout_sec=timeout_sec, seen=follower.see)
    return _end(source, body, timeout_sec=timeout_sec, shows_report=not as_json)


def _end(source: JobSource, body: JsonObject, *, timeout_sec: float | None, shows_report: bool) -> int:
    job = read_answer(JobAnswer, body)
    report = source.report(job.job_id)
    if shows_report:
        job_summary.show_report(report)
    if not has_ended(job):
        typer.echo(f"{job.job_id} has not ended within {timeout_sec:g} s; it continues.", err=True)
        return EXIT_TIME_OVER
    return job_summary.exit_status(report)


class JobFollower:
    """Passes each state of a job to a display, and its failed files as they appear."""

    def __init__(self, source: JobSource, job_id: str, display: JobDisplay) -> None:
        self._source = source
        self._job_id = job_id
        self._display = display
        self._n_failed = 0
        self._failed: frozenset[str] = frozenset()

    def see(self, body: JsonObject) -> None:
        n_failed = read_answer(JobAnswer, body).summary.failed
        if n_failed != self._n_failed and self._show_failures():
            self._n_failed = n_failed
        self._display.show_job(body)

    def _show_failures(self) -> bool:
        """Show new failures, up to a limit. Return False if the server does not answer, which may be temporary."""
        try:
            bodies = list(self._source.files(self._job_id, state=FileState.FAILED, limit=MOST_FAILURES))
        except ServerError:
            return False
        files = {read_answer(FileAnswer, body).file_id: body for body in bodies}
        for file_id, body in files.items():
            if file_id not in self._failed:
                self._display.show_failure(body)
        self._failed = frozenset(files)
        return True
