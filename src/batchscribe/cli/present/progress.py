"""Live progress on standard error: a bar or a changing line for a person, occasional plain lines for a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from batchscribe.cli.present.console import (
    BAR_WIDTH,
    LINE_EVERY_SEC,
    LinePace,
    format_duration,
    format_speed,
    open_console,
)
from batchscribe.cli.present.job_report import count_ended, has_ended, read_answer, shown_state
from batchscribe.wire.answers import JobAnswer
from batchscribe.wire.base import JsonObject

FINDING = "Finding files"

# A job that this process works on


@dataclass(frozen=True, slots=True)
class JobProgress:
    """The progress of a job. `audio_sec` includes files in progress; `is_listed` is true once all files are found."""

    job: JobAnswer
    audio_sec: float
    is_listed: bool

    @property
    def has_ended(self) -> bool:
        return has_ended(self.job)

    @property
    def ended_files(self) -> int:
        return count_ended(self.job.summary)

    @property
    def transcribed_files(self) -> int:
        """The number of files that succeeded or failed."""
        return self.job.summary.succeeded + self.job.summary.failed

    @property
    def phase(self) -> str:
        if self.has_ended:
            return "Done"
        return "Transcribing" if self.is_listed else FINDING


class ProgressDisplay(Protocol):
    def show(self, progress: JobProgress) -> None: ...


@contextmanager
def show_progress() -> Iterator[ProgressDisplay]:
    """Show a bar at a terminal, else plain lines."""
    output = open_console(stderr=True)
    if not output.is_terminal:
        yield ProgressLines(output)
        return
    columns = (TextColumn("{task.description}"), BarColumn(BAR_WIDTH), TextColumn("{task.fields[words]}"))
    with Progress(*columns, console=output, transient=True) as bar:
        yield ProgressBar(bar)


class SessionPace:
    """The speed of this session, and an estimate of the time left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started_at = clock()
        self._first: JobProgress | None = None

    def describe(self, progress: JobProgress) -> str:
        """Format as `12 of 40 files · 25 min audio · 6.1x · 3 min left`; omit what is not yet known."""
        first = self._first = self._first or progress
        elapsed_sec = self._clock() - self._started_at
        files = f"{progress.ended_files} of {progress.job.summary.total_files} files"
        parts = [files, f"{format_duration(progress.audio_sec)} audio"]
        audio_sec = progress.audio_sec - first.audio_sec
        if audio_sec > 0 and elapsed_sec > 0:
            parts.append(format_speed(audio_sec / elapsed_sec))
        left_sec = self._estimate_left_sec(progress, first, elapsed_sec)
        if left_sec is not None:
            parts.append(f"{format_duration(left_sec)} left")
        return " · ".join(parts)

    @staticmethod
    def _estimate_left_sec(progress: JobProgress, first: JobProgress, elapsed_sec: float) -> float | None:
        """Estimate by the number of files.

        Sizes would mislead: the audio per megabyte differs by a factor of 40 between WAV and telephone MP3.
        """
        done = progress.transcribed_files - first.transcribed_files
        left = 0 if progress.has_ended else progress.job.summary.total_files - progress.ended_files
        return elapsed_sec / done * left if progress.is_listed and done and left else None


class ProgressBar:
    """A bar that is updated in place."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._pace = SessionPace()
        self._task = bar.add_task(FINDING, total=None, words="")

    def show(self, progress: JobProgress) -> None:
        self._bar.update(
            self._task,
            description=progress.phase,
            total=progress.job.summary.total_files or None,
            completed=progress.ended_files,
            words=self._pace.describe(progress),
        )


class ProgressLines:
    """A plain line at most every five seconds, and one at the end."""

    def __init__(self, output: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._clock = clock
        self._pace = SessionPace(clock)
        self._next_at = clock() + LINE_EVERY_SEC

    def show(self, progress: JobProgress) -> None:
        words = self._pace.describe(progress)
        if progress.has_ended or self._clock() >= self._next_at:
            self._next_at = self._clock() + LINE_EVERY_SEC
            self._output.print(f"{progress.phase}: {words}")


# A job that this process waits for


@contextmanager
def show_states() -> Iterator[Callable[[JsonObject], None]]:
    """Show one changing line at a terminal, else plain lines. Yield a function that takes each answer about the job."""
    output = open_console(stderr=True)
    if not output.is_terminal:
        yield StateLines(output).show
        return
    with output.status("") as status:
        yield lambda body: status.update(describe_state(body))


class StateLines:
    """Plain lines as `LinePace` says."""

    def __init__(self, output: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._lines = LinePace(clock)

    def show(self, body: JsonObject) -> None:
        if self._lines.is_due(shown_state(body)):
            self._output.print(describe_state(body))


def describe_state(body: JsonObject) -> str:
    """Format the state as in `PROCESSING: 12 of 40 files, 1 failed`."""
    job = read_answer(JobAnswer, body)
    summary = job.summary
    failed = f", {summary.failed} failed" if summary.failed else ""
    waits = f"; it waits for fresh {job.waiting_for}" if job.waiting_for else ""
    return f"{shown_state(body)}: {count_ended(summary)} of {summary.total_files} files{failed}{waits}"
