"""What is told when a job has ended, on standard output: a few lines for everybody, tables for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from batchscribe.cli.console import console
from batchscribe.cli.files import show_failed, show_skipped, show_warnings
from batchscribe.cli.places import shown
from batchscribe.cli.progress import duration
from batchscribe.jobs.model import Job
from batchscribe.wire.choices import OutputLayout
from batchscribe.wire.states import JobState


@dataclass(frozen=True, slots=True)
class Effort:
    """What this command has done of a job, which others may have begun."""

    wall_sec: float
    audio_sec: float


def show_summary(job: Job, connection: sa.Connection, *, effort: Effort | None = None) -> None:
    output = console()
    show_failed(output, connection, job)
    show_skipped(output, connection, job)
    show_warnings(output, connection, job)
    output.print(f"job: {job.job_id}")
    show_counters(output, _counters(job, effort))
    output.print(f"transcripts: {_where(job)}")
    if job.error_message:
        output.print(f"{job.error_code}: {job.error_message}")


def exit_status(job: Job) -> int:
    """0 when every file succeeded or was skipped."""
    return 0 if job.state is JobState.SUCCEEDED else 1


def show_counters(output: Console, counters: Mapping[str, str]) -> None:
    if output.is_terminal:
        table = Table(*counters)
        table.add_row(*counters.values())
        output.print(table, soft_wrap=False)
    else:
        for name, value in counters.items():
            output.print(f"{name}: {value}")


def _counters(job: Job, effort: Effort | None) -> dict[str, str]:
    summary = job.summary.once_ended() if job.is_final else job.summary
    counters = {
        "state": job.state.value,
        "files": f"{summary.total_files}",
        "succeeded": f"{summary.succeeded}",
        "failed": f"{summary.failed}",
        "skipped": f"{summary.skipped}",
        "audio": duration(summary.audio_sec),
    }
    if summary.canceled:
        counters["canceled"] = f"{summary.canceled}"
    if effort is not None:
        counters["took"] = duration(effort.wall_sec)
        counters["speed"] = f"{effort.audio_sec / effort.wall_sec:.1f}x"
    return counters


def _where(job: Job) -> str:
    return "next to the recordings" if job.output.layout is OutputLayout.ADJACENT else shown(job.output.uri)
