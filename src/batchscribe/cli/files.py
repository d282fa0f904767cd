"""Files of a job that need a word: failed, skipped, or with a warning. A table for a person, lines for a program."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from batchscribe.cli.places import shown
from batchscribe.database.file import error_codes, files_with_warnings, page_of_files
from batchscribe.jobs.model import File, Job
from batchscribe.wire.states import FileState

ROWS = 20  #: files that are told one by one

Row = tuple[str, str, str]  #: file, code, what happened


def show_failed(output: Console, connection: sa.Connection, job: Job) -> None:
    files = page_of_files(connection, job.number, state=FileState.FAILED, limit=ROWS)
    show_rows(output, "Failed", _rows(files), job.summary.failed, job.job_id)


def show_skipped(output: Console, connection: sa.Connection, job: Job) -> None:
    """One by one while they are few, else by their codes."""
    total = job.summary.skipped
    if total <= ROWS:
        files = page_of_files(connection, job.number, state=FileState.SKIPPED, limit=ROWS)
        show_rows(output, "Skipped", _rows(files), total, job.job_id)
        return
    for code, count in error_codes(connection, job.number, FileState.SKIPPED).items():
        output.print(f"Skipped: {count} files: {code}")
    output.print(f"Each of them: batchscribe jobs show {job.job_id} --json")


def show_warnings(output: Console, connection: sa.Connection, job: Job) -> None:
    files = files_with_warnings(connection, job.number, limit=ROWS + 1)
    for file in files[:ROWS]:
        for warning in file.warnings:
            output.print(f"Warning: {shown(file.input_uri)}: {warning}")
    if len(files) > ROWS:
        output.print(f"... and more warnings: batchscribe jobs show {job.job_id} --json")


def show_rows(output: Console, title: str, rows: Sequence[Row], total: int, job_id: str) -> None:
    """The first rows of `total`."""
    if not rows:
        return
    if output.is_terminal:
        _show_table(output, f"{title} ({total})", rows)
    else:
        for row in rows:
            output.print(f"{title}: {': '.join(row)}")
    if total > len(rows):
        output.print(f"... and {total - len(rows)} more: batchscribe jobs show {job_id} --json")


def _rows(files: Sequence[File]) -> list[Row]:
    return [(shown(file.input_uri), file.error_code or "", file.error_message or "") for file in files]


def _show_table(output: Console, title: str, rows: Sequence[Row]) -> None:
    table = Table("file", "code", "what happened", title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    output.print(table, soft_wrap=False)
