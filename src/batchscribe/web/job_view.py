"""A job as the pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from batchscribe.jobs.model import RETRYABLE_JOB_STATES, Job
from batchscribe.web.wording import shown_name, shown_uri
from batchscribe.wire.answers import JobAnswer
from batchscribe.wire.choices import FileState, JobState


@dataclass(frozen=True, slots=True)
class FileCount:
    """How many files of a job are in a state."""

    state: FileState
    count: int


@dataclass(frozen=True, slots=True)
class JobView:
    """A job with everything that its templates need."""

    answer: JobAnswer
    is_final: bool
    is_listed: bool  #: whether all of its files have been found
    can_be_retried: bool
    audio_sec: float  #: of the files that succeeded

    @classmethod
    def of(cls, job: Job) -> Self:
        can_be_retried = job.state in RETRYABLE_JOB_STATES and not job.is_local
        return cls(job.answer(), job.is_final, job.cursor.listed, can_be_retried, job.summary.audio_sec)

    @property
    def title(self) -> str:
        """The reference of the client, or the name of the input."""
        if self.answer.reference_id:
            return self.answer.reference_id
        uris = self.uris
        more = f" and {len(uris) - 1:,} more" if len(uris) > 1 else ""
        return f"{shown_name(uris[0])}{more}" if uris else self.answer.job_id

    @property
    def uris(self) -> list[str]:
        """The input: a file, a folder or a manifest."""
        given: dict[str, Any] = self.answer.input
        found = given.get("manifest") or [given.get("uri", "")]
        return [str(uri) for uri in found if uri]

    @property
    def place(self) -> str:
        """The input in one line."""
        return shown_uri(self.uris[0]) if self.uris else ""

    @property
    def done(self) -> int:
        summary = self.answer.summary
        return summary.succeeded + summary.failed + summary.skipped + summary.canceled

    @property
    def total(self) -> int:
        return self.answer.summary.total_files

    @property
    def counts(self) -> list[FileCount]:
        """The states that files are in, in the order of their life."""
        summary = self.answer.summary
        found = [
            FileCount(FileState.QUEUED, summary.queued),
            FileCount(FileState.PROCESSING, summary.processing),
            FileCount(FileState.SUCCEEDED, summary.succeeded),
            FileCount(FileState.FAILED, summary.failed),
            FileCount(FileState.SKIPPED, summary.skipped),
            FileCount(FileState.CANCELED, summary.canceled),
        ]
        return [each for each in found if each.count]

    @property
    def stage(self) -> str:
        """What happens now, in words."""
        if self.answer.waiting_for:
            return "Waiting for fresh storage credentials"
        if self.answer.state is JobState.QUEUED:
            return "Waiting for its turn"
        if self.is_final:
            return ""
        return "Transcribing" if self.is_listed else "Looking for recordings"
