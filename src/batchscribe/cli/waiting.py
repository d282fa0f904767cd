"""`batchscribe jobs wait`: a live line on standard error until a job has ended, then what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from batchscribe.cli.answers import finished, understood
from batchscribe.cli.console import console
from batchscribe.cli.job_source import JobSource
from batchscribe.cli.json_output import print_json
from batchscribe.cli.progress import LINE_EVERY_SEC
from batchscribe.client.waiting import has_ended
from batchscribe.wire.answers import JobAnswer
from batchscribe.wire.model import JsonObject
from batchscribe.wire.states import JobState

EXIT_SUCCEEDED, EXIT_NOT_ALL, EXIT_TIME_PASSED = 0, 1, 3


def wait_for_job(source: JobSource, job_id: str, *, timeout_sec: float | None, as_json: bool) -> int:
    """The exit status. Shows the job as it is then."""
    with _live_line() as show:
        body = source.wait(job_id, timeout_sec=timeout_sec, seen=show)
    if as_json:
        print_json(body)
    else:
        source.show(job_id)
    if not has_ended(body):
        typer.echo(f"{job_id} has not ended within {timeout_sec:g} s; it goes on.", err=True)
        return EXIT_TIME_PASSED
    return EXIT_SUCCEEDED if body["state"] == JobState.SUCCEEDED else EXIT_NOT_ALL


def words(job: JobAnswer) -> str:
    """`PROCESSING: 12 of 40 files, 1 failed`."""
    summary = job.summary
    failed = f", {summary.failed} failed" if summary.failed else ""
    waits = f"; it waits for fresh {job.waiting_for}" if job.waiting_for else ""
    return f"{job.state}: {finished(summary)} of {summary.total_files} files{failed}{waits}"


class Lines:
    """A plain line whenever the state is another, and at most every five seconds in between."""

    def __init__(self, output: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._clock = clock
        self._state: JobState | None = None
        self._next_at = 0.0

    def show(self, body: JsonObject) -> None:
        job = understood(JobAnswer, body)
        if job.state is not self._state or self._clock() >= self._next_at:
            self._state, self._next_at = job.state, self._clock() + LINE_EVERY_SEC
            self._output.print(words(job))


@contextmanager
def _live_line() -> Iterator[Callable[[JsonObject], None]]:
    """What suits standard error: one line that changes, or plain lines."""
    output = console(stderr=True)
    if not output.is_terminal:
        yield Lines(output).show
        return
    with output.status("") as status:
        yield lambda body: status.update(words(understood(JobAnswer, body)))
