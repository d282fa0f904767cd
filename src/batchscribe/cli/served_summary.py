"""What is told about a job of a server: the same lines and tables as about one on record here."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich.console import Console

from batchscribe.cli.answers import understood
from batchscribe.cli.console import console
from batchscribe.cli.files import ROWS, show_rows
from batchscribe.cli.places import printable, shown
from batchscribe.cli.summary import show_counters
from batchscribe.wire.answers import FileAnswer, JobAnswer
from batchscribe.wire.choices import OutputLayout
from batchscribe.wire.model import JsonObject
from batchscribe.wire.states import FileState

FilesOf = Callable[[FileState, int], Iterable[JsonObject]]  #: up to so many files of a state


def show_served(body: JsonObject, files_of: FilesOf) -> None:
    job, output = understood(JobAnswer, body), console()
    _show_files(output, "Failed", job, FileState.FAILED, job.summary.failed, files_of)
    _show_files(output, "Skipped", job, FileState.SKIPPED, job.summary.skipped, files_of)
    output.print(f"job: {job.job_id}")
    show_counters(output, _counters(job))
    output.print(f"transcripts: {_where(job)}")
    if job.error is not None:
        output.print(printable(f"{job.error.code}: {job.error.message}"))


def _show_files(output: Console, title: str, job: JobAnswer, state: FileState, total: int, files_of: FilesOf) -> None:
    if total:
        files = [understood(FileAnswer, body) for body in files_of(state, ROWS)]
        show_rows(output, title, [_row(file) for file in files], total, job.job_id)


def _row(file: FileAnswer) -> tuple[str, str, str]:
    code, message = (file.error.code, file.error.message) if file.error else ("", "")
    return shown(file.input_uri), printable(code), printable(message)


def _counters(job: JobAnswer) -> dict[str, str]:
    summary = job.summary
    counters = {
        "state": job.state.value,
        "files": f"{summary.total_files}",
        "succeeded": f"{summary.succeeded}",
        "failed": f"{summary.failed}",
        "skipped": f"{summary.skipped}",
    }
    return counters | ({"canceled": f"{summary.canceled}"} if summary.canceled else {})


def _where(job: JobAnswer) -> str:
    is_adjacent = job.output.get("layout") == OutputLayout.ADJACENT
    return "next to the recordings" if is_adjacent else shown(str(job.output.get("uri", "")))
