"""The progress of a job in seconds of audio, and the time until its end."""

from __future__ import annotations

from dataclasses import dataclass

from batchscribe.jobs.summary import Summary
from batchscribe.wire.answers import ProgressAnswer
from batchscribe.wire.choices import JobState

#: The estimate from sizes is trusted as much as the durations of this many seconds of finished files.
TRUSTED_SEC = 60.0


@dataclass(frozen=True, slots=True)
class Progress:
    """What the rows of a job say about its progress. Estimates come from the sizes of the files that were found."""

    estimated_sec: float = 0.0  #: of all files; 0 if no size is known
    estimated_done_sec: float = 0.0  #: of those that succeeded
    estimated_lost_sec: float = 0.0  #: of those that a worker failed or skipped
    begun_at: float | None = None  #: when the first file was started; moved forward by the time in which nothing ran
    changed_at: float | None = None  #: when a file ended, or work was resumed
    queue_position: int | None = None  #: see `ProgressAnswer`

    def answer(self, state: JobState, summary: Summary, now: float) -> ProgressAnswer:
        done_sec, total_sec = summary.audio_sec, self._total_sec(summary)
        left_sec = None if total_sec is None else total_sec - done_sec
        return ProgressAnswer(
            audio_sec_done=round(done_sec, 3),
            audio_sec_total=None if total_sec is None else round(total_sec, 3),
            queue_position=self.queue_position if state is JobState.QUEUED else None,
            eta_sec=self._eta_sec(done_sec, left_sec, now) if state is JobState.PROCESSING else None,
        )

    def _total_sec(self, summary: Summary) -> float | None:
        """Return the audio of all files: what the finished ones had, and an estimate for the others."""
        done_sec = summary.audio_sec
        unfinished = summary.queued + summary.processing + summary.canceled
        if not unfinished:
            return done_sec if summary.total_files else None
        if self.estimated_sec:
            left_sec = max(0.0, self.estimated_sec - self.estimated_done_sec - self.estimated_lost_sec)
            return done_sec + left_sec * (done_sec + TRUSTED_SEC) / (self.estimated_done_sec + TRUSTED_SEC)
        return done_sec + unfinished * done_sec / summary.succeeded if summary.succeeded else None

    def _eta_sec(self, done_sec: float, left_sec: float | None, now: float) -> int | None:
        """Estimate from the speed up to the last change. After that the estimate only falls, and it ends at 0."""
        if self.begun_at is None or self.changed_at is None or left_sec is None:
            return None
        worked_sec = self.changed_at - self.begun_at
        if not done_sec or worked_sec <= 0:
            return None
        eta_sec = left_sec * worked_sec / done_sec - max(0.0, now - self.changed_at)
        return round(eta_sec) if eta_sec > 0 else None
