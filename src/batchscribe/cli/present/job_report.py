"""The answers to present, as types of the wire, from a server or a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import ValidationError

from batchscribe.client.polling import LIVE_STATES
from batchscribe.errors import ServerError, UnsupportedMedia
from batchscribe.wire.answers import FileAnswer, JobAnswer, SummaryAnswer
from batchscribe.wire.base import JsonObject, WireModel
from batchscribe.wire.choices import FileState
from batchscribe.wire.mistakes import invalid_request

#: What people see as the state of a job on which no process works. The states of the wire have upper case.
INTERRUPTED = "interrupted"
LISTED_FILES = 20  #: files of each kind in a report

Answer = TypeVar("Answer", bound=WireModel)


@dataclass(frozen=True, slots=True)
class JobReport:
    """A job and the first `LISTED_FILES` files of each kind that needs attention; one more of those with warnings."""

    job: JobAnswer
    failed: Sequence[FileAnswer] = ()
    skipped: Sequence[FileAnswer] = ()
    skip_codes: Mapping[str, int] = field(default_factory=dict)  #: files by code, most first; empty if not counted
    warned: Sequence[FileAnswer] = ()
    resume: str | None = None  #: the command that resumes the job, if no process works on it

    @property
    def is_all_unsupported(self) -> bool:
        """Whether there were files, and none of them was in a supported format."""
        codes = set(self.skip_codes) or {file.error.code for file in self.skipped if file.error}
        is_all_skipped = 0 < self.job.summary.skipped == self.job.summary.total_files
        return is_all_skipped and codes == {UnsupportedMedia.code}


class SubmittedAnswer(WireModel):
    """The displayed fields of the answer to a submission."""

    job_id: str
    warnings: tuple[str, ...] = ()


def read_answer(kind: type[Answer], body: JsonObject) -> Answer:
    """Parse an answer. Raises `ServerError` if it violates the contract."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise ServerError(f"The server's answer cannot be understood: {invalid_request(error).message}") from None


def name_interrupted(commands: Mapping[str, str]) -> JsonObject:
    """Return what stands beside jobs in JSON: the commands that resume the interrupted ones, if any, by job ID."""
    return {INTERRUPTED: dict(commands)} if commands else {}


def shown_state(body: JsonObject) -> str:
    """Return the state of a job as people see it. The body may have `interrupted`."""
    return INTERRUPTED if INTERRUPTED in body else read_answer(JobAnswer, body).state.value


def has_ended(job: JobAnswer) -> bool:
    return job.state not in LIVE_STATES


def count_ended(summary: SummaryAnswer) -> int:
    """Count the files in a final state, except canceled ones."""
    return summary.succeeded + summary.failed + summary.skipped


def collect_report(job: JobAnswer, files: Iterable[FileAnswer]) -> JobReport:
    """Build the report from all files of the job."""
    failed: list[FileAnswer] = []
    skipped: list[FileAnswer] = []
    warned: list[FileAnswer] = []
    for file in files:
        if file.state is FileState.FAILED:
            failed.append(file)
        elif file.state is FileState.SKIPPED:
            skipped.append(file)
        if file.warnings:
            warned.append(file)
    codes = Counter(file.error.code for file in skipped if file.error)
    first = slice(LISTED_FILES)
    return JobReport(job, failed[first], skipped[first], dict(codes.most_common()), warned[: LISTED_FILES + 1])
