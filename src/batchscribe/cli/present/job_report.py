"""The answers that are presented: read as types of the wire, whether they come from a server or from a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import ValidationError

from batchscribe.client.polling import LIVE_STATES
from batchscribe.errors import ServerError
from batchscribe.wire.answers import FileAnswer, JobAnswer, SummaryAnswer
from batchscribe.wire.base import JsonObject, WireModel
from batchscribe.wire.choices import FileState
from batchscribe.wire.mistakes import invalid_request

LISTED_FILES = 20  #: files of a kind that a report lists

Answer = TypeVar("Answer", bound=WireModel)


@dataclass(frozen=True, slots=True)
class JobReport:
    """A job and the first `LISTED_FILES` files of each kind that needs attention, one more of those with warnings."""

    job: JobAnswer
    failed: Sequence[FileAnswer] = ()
    skipped: Sequence[FileAnswer] = ()
    skip_codes: Mapping[str, int] = field(default_factory=dict)  #: files by code, most first; empty if not counted
    warned: Sequence[FileAnswer] = ()


class SubmittedAnswer(WireModel):
    """The fields of a submission's answer that people read."""

    job_id: str
    warnings: tuple[str, ...] = ()


def read_answer(kind: type[Answer], body: JsonObject) -> Answer:
    """Raises `ServerError` if the body does not follow the contract."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise ServerError(f"The server's answer cannot be understood: {invalid_request(error).message}") from None


def has_ended(job: JobAnswer) -> bool:
    return job.state not in LIVE_STATES


def count_ended(summary: SummaryAnswer) -> int:
    """Files with a final state, except canceled ones."""
    return summary.succeeded + summary.failed + summary.skipped


def collect_report(job: JobAnswer, files: Iterable[FileAnswer]) -> JobReport:
    """From all files of the job."""
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
