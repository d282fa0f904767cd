"""File counters of a job, and the final state that follows from them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from batchscribe.errors import AllFilesFailed, JobError, NoInputFiles
from batchscribe.wire.answers import SummaryAnswer
from batchscribe.wire.choices import JobState


@dataclass(frozen=True, slots=True)
class Summary:
    """File counters of a job, and the audio duration of the files that succeeded."""

    total_files: int = 0
    queued: int = 0
    processing: int = 0
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    canceled: int = 0
    audio_sec: float = 0.0

    def count_unfinished_as_canceled(self) -> Summary:
        """Return the counters of an ended job, in which unfinished files are shown as canceled."""
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
    """Return the final state of a job without unfinished files.

    Skipped files do not matter: a job in which all files were skipped has succeeded.
    """
    if job_error(summary) is not None:
        return JobState.FAILED
    return JobState.PARTIAL if summary.failed else JobState.SUCCEEDED


def job_error(summary: Summary) -> JobError | None:
    """Return why the whole job failed, if it did: it found no files, or files failed and none succeeded."""
    if summary.total_files == 0:
        return NoInputFiles("No file was found; check the input URI and the filters.")
    if summary.failed and not summary.succeeded:
        skipped = f", {summary.skipped} skipped" if summary.skipped else ""
        return AllFilesFailed(f"No file succeeded: {summary.failed} failed{skipped}; the error of each file says why.")
    return None
