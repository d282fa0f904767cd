"""Live progress on standard error: a bar for a person, a line now and then for a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as RichProgress

from batchscribe.cli.console import console
from batchscribe.jobs.model import Job

LINE_EVERY_SEC = 5.0
BAR_WIDTH = 16  #: with it a line fits into 80 columns


class Progress(Protocol):
    def show(self, job: Job) -> None:
        """How far the job is now."""
        ...


@contextmanager
def progress() -> Iterator[Progress]:
    """What suits standard error."""
    output = console(stderr=True)
    if not output.is_terminal:
        yield Lines(output)
        return
    columns = (TextColumn("{task.description}"), BarColumn(BAR_WIDTH), TextColumn("{task.fields[words]}"))
    with RichProgress(*columns, console=output, transient=True) as bar:
        yield Bar(bar)


class Pace:
    """Audio per second of this session, and how long the rest will take at that."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_at = clock()
        self._first: Job | None = None

    def words(self, job: Job) -> str:
        """`12 of 40 files · 25 min audio · 6.1x · 3 min left`; what is not known yet is left out."""
        first = self._first = self._first or job
        summary, elapsed_sec = job.summary, self._clock() - self._began_at
        said = [f"{finished(job)} of {summary.total_files} files", f"{duration(summary.audio_sec)} audio"]
        audio_sec = summary.audio_sec - first.summary.audio_sec
        if audio_sec > 0 and elapsed_sec > 0:
            said.append(f"{audio_sec / elapsed_sec:.1f}x")
        left_sec = self._left_sec(job, first, elapsed_sec)
        if left_sec is not None:
            said.append(f"{duration(left_sec)} left")
        return " · ".join(said)

    @staticmethod
    def _left_sec(job: Job, first: Job, elapsed_sec: float) -> float | None:
        """By the share of the files. Not by their sizes: the audio of a megabyte differs by 40 times, WAV to telephone
        MP3, and would be wrong by as much to the end.
        """
        worked_off = transcribed(job) - transcribed(first)
        left = 0 if job.is_final else job.summary.total_files - finished(job)
        return elapsed_sec / worked_off * left if job.cursor.listed and worked_off and left else None


class Bar:
    """Moves in place."""

    def __init__(self, bar: RichProgress) -> None:
        self._bar = bar
        self._pace = Pace()
        self._task = bar.add_task(doing(None), total=None, words="")

    def show(self, job: Job) -> None:
        total = job.summary.total_files or None
        words = self._pace.words(job)
        self._bar.update(self._task, description=doing(job), total=total, completed=finished(job), words=words)


class Lines:
    """A plain line at most every five seconds, and one at the end."""

    def __init__(self, output: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._clock = clock
        self._pace = Pace(clock)
        self._next_at = clock() + LINE_EVERY_SEC

    def show(self, job: Job) -> None:
        words = self._pace.words(job)
        if job.is_final or self._clock() >= self._next_at:
            self._next_at = self._clock() + LINE_EVERY_SEC
            self._output.print(f"{doing(job)}: {words}")


def doing(job: Job | None) -> str:
    if job is not None and job.is_final:
        return "Done"
    return "Transcribing" if job is not None and job.cursor.listed else "Finding files"


def finished(job: Job) -> int:
    """Files with a final state."""
    return transcribed(job) + job.summary.skipped


def transcribed(job: Job) -> int:
    """Files that were worked on to their end."""
    return job.summary.succeeded + job.summary.failed


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `3.4 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
