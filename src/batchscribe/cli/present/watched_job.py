"""The live display of a watched job: a bar or plain lines for a person, lines of JSON for a program."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from batchscribe.cli.present.console import (
    BAR_WIDTH,
    LinePace,
    format_duration,
    format_speed,
    format_text,
    format_uri,
    open_console,
    print_json_line,
)
from batchscribe.cli.present.job_report import INTERRUPTED, count_ended, has_ended, read_answer, shown_state
from batchscribe.wire.answers import FileAnswer, JobAnswer
from batchscribe.wire.base import JsonObject


class JobDisplay(Protocol):
    """What shows a job. The bodies are JSON objects of the wire; that of the job may also have `interrupted`."""

    def show_job(self, body: JsonObject) -> None: ...

    def show_failure(self, body: JsonObject) -> None: ...


@contextmanager
def show_watched_job(*, as_json: bool) -> Iterator[JobDisplay]:
    """Show the job on standard error: at a terminal as a bar, else as plain lines. JSON goes to standard output."""
    if as_json:
        yield WatchedJson()
        return
    output = open_console(stderr=True)
    if not output.is_terminal:
        yield WatchedLines(output)
        return
    columns = (TextColumn("{task.description}"), BarColumn(BAR_WIDTH), TextColumn("{task.fields[words]}"))
    with Progress(*columns, console=output, transient=True) as bar:
        yield WatchedBar(bar)


class WatchedJson:
    """A line for each new state of the job, `{"job": ...}`, and for each failed file, `{"file": ...}`."""

    def __init__(self) -> None:
        self._shown: JsonObject | None = None

    def show_job(self, body: JsonObject) -> None:
        if body == self._shown:
            return
        self._shown = body
        job = {name: value for name, value in body.items() if name != INTERRUPTED}
        beside = {INTERRUPTED: body[INTERRUPTED]} if INTERRUPTED in body else {}
        print_json_line({"job": job, **beside})

    def show_failure(self, body: JsonObject) -> None:
        print_json_line({"file": body})


class WatchedBar:
    """A bar that is updated in place, below the failures."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._pace = WatchedPace()
        self._task = bar.add_task("", total=None, words="")

    def show_job(self, body: JsonObject) -> None:
        job = read_answer(JobAnswer, body)
        self._bar.update(
            self._task,
            description=shown_state(body),
            total=job.summary.total_files or None,
            completed=count_ended(job.summary),
            words=self._pace.describe(job),
        )

    def show_failure(self, body: JsonObject) -> None:
        self._bar.console.print(describe_failure(body))


class WatchedLines:
    """A plain line for each failure, and lines about the job as `LinePace` says."""

    def __init__(self, output: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._lines = LinePace(clock)
        self._pace = WatchedPace(clock)

    def show_job(self, body: JsonObject) -> None:
        state, words = shown_state(body), self._pace.describe(read_answer(JobAnswer, body))
        if self._lines.is_due(state):
            self._output.print(f"{state}: {words}")

    def show_failure(self, body: JsonObject) -> None:
        self._output.print(describe_failure(body))


class WatchedPace:
    """The speed since the watch began, from the audio of files that succeeded."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[float, float] | None = None  #: the time, and the audio that was done before

    def describe(self, job: JobAnswer) -> str:
        """Format as `12 of 40 files · 1 failed · 25 min audio · 6.1x · 3 min left`; omit what is not known."""
        done_sec, summary = job.progress.audio_sec_done, job.summary
        begun_at, before_sec = self._first = self._first or (self._clock(), done_sec)
        parts = [f"{count_ended(summary)} of {summary.total_files} files"]
        if summary.failed:
            parts.append(f"{summary.failed} failed")
        if done_sec:
            parts.append(f"{format_duration(done_sec)} audio")
        elapsed_sec = self._clock() - begun_at
        if done_sec > before_sec and elapsed_sec > 0:
            parts.append(format_speed((done_sec - before_sec) / elapsed_sec))
        if job.progress.eta_sec is not None and not has_ended(job):
            parts.append(f"{format_duration(job.progress.eta_sec)} left")
        if job.progress.queue_position is not None:
            parts.append(f"number {job.progress.queue_position} in the queue")
        if job.waiting_for is not None:
            parts.append(f"waits for fresh {job.waiting_for}")
        return " · ".join(parts)


def describe_failure(body: JsonObject) -> str:
    """Format as `Failed: calls/a.wav: CORRUPT_MEDIA: It is cut off.`"""
    file = read_answer(FileAnswer, body)
    why = f": {format_text(file.error.code)}: {format_text(file.error.message)}" if file.error else ""
    return f"Failed: {format_uri(file.input_uri)}{why}"
