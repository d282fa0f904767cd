"""Lists of jobs and of models."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from batchscribe.cli.console import console
from batchscribe.cli.progress import duration, finished
from batchscribe.jobs.model import Job
from batchscribe.speech.models import ModelInfo


def show_jobs(jobs: Sequence[Job]) -> None:
    table = Table("job", "submitted", "state", "files", "failed", "audio", box=None)
    for job in jobs:
        table.add_row(
            job.job_id,
            f"{job.submitted_at.astimezone():%Y-%m-%d %H:%M}",
            job.state.value,
            f"{finished(job)} of {job.summary.total_files}",
            f"{job.summary.failed}",
            duration(job.summary.audio_sec),
        )
    console().print(table, soft_wrap=False)


def show_models(models: Sequence[ModelInfo]) -> None:
    table = Table("model", "size", "languages", "folder", box=None)
    for model in models:
        languages = f"{len(model.languages)}" if len(model.languages) > 1 else ", ".join(model.languages)
        table.add_row(model.name, f"{model.size_bytes / 2**20:.0f} MiB", languages, str(model.path))
    console().print(table, soft_wrap=False)
