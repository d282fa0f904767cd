"""How many files of a job are where, and in which state that ends the job."""

from __future__ import annotations

from dataclasses import dataclass, replace

from batchscribe.errors import AllFilesFailed, JobError, NoInputFiles
from batchscribe.wire.answers import SummaryAnswer
from batchscribe.wire.states import JobState


@dataclass(frozen=True, slots=True)
class Summary:
    """Counters of a job's files, and the audio of those that succeeded."""

    total_files: int = 0
    queued: int = 0
    processing: int = 0
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    canceled: int = 0
    audio_sec: float = 0.0

    def once_ended(self) -> Summary:
        """The counters of an ended job, where every unfinished file reads as canceled."""
        canceled = self.canceled + self.queued + self.processing
        return replace(self, queued=0, processing=0, canceled=canceled)

    def answer(self) -> SummaryAnswer:
        return SummaryAnswer(
            total_files=self.total_files,
            queued=self.queued,
            processing=self.processing,
            succeeded=self.succeeded,
            failed=self.failed,
            skipped=self.skipped,
            canceled=self.canceled,
        )


def final_state(summary: Summary) -> JobState:
    """The state that a job with no unfinished file ends in.

    Files that were skipped neither help nor hurt: with nothing but them the job succeeded.
    """
    if job_error(summary) is not None:
        return JobState.FAILED
    return JobState.PARTIAL if summary.failed else JobState.SUCCEEDED


def job_error(summary: Summary) -> JobError | None:
    """Why the job as a whole failed: it found nothing, or files failed and not one succeeded."""
    if summary.total_files == 0:
        return NoInputFiles("No file was found; check the input's URI and the filters.")
    if summary.failed and not summary.succeeded:
        skipped = f", {summary.skipped} skipped" if summary.skipped else ""
        return AllFilesFailed(f"No file succeeded: {summary.failed} failed{skipped}; each file's own error says why.")
    return None
