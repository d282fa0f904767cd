"""Lists of jobs, keys and checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table

from batchscribe.cli.answers import finished, understood
from batchscribe.cli.console import console
from batchscribe.cli.places import printable
from batchscribe.database.api_key import ApiKey
from batchscribe.doctor.check import Check
from batchscribe.wire.answers import JobAnswer
from batchscribe.wire.model import JsonObject


def show_jobs(bodies: Iterable[JsonObject]) -> None:
    table = Table("job", "submitted", "state", "files", "failed", "reference", box=None)
    for body in bodies:
        job = understood(JobAnswer, body)
        table.add_row(
            job.job_id,
            f"{job.submitted_at.astimezone():%Y-%m-%d %H:%M}",
            job.state.value,
            f"{finished(job.summary)} of {job.summary.total_files}",
            f"{job.summary.failed}",
            printable(job.reference_id or ""),
        )
    console().print(table, soft_wrap=False)


def show_keys(keys: Sequence[ApiKey]) -> None:
    table = Table("key", "tenant", "created", "revoked", box=None)
    for key in keys:
        revoked = f"{key.revoked_at.astimezone():%Y-%m-%d %H:%M}" if key.revoked_at else ""
        table.add_row(key.api_key, key.tenant, f"{key.created_at.astimezone():%Y-%m-%d %H:%M}", revoked)
    console().print(table, soft_wrap=False)


def show_checks(checks: Iterable[Check]) -> None:
    table = Table("check", "result", "finding", box=None)
    for check in checks:
        lines = [printable(line) for line in (check.finding, check.advice) if line]
        table.add_row(check.name, check.verdict.value, "\n".join(lines))
    console().print(table, soft_wrap=False)
