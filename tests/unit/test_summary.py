"""How a job ends."""

from __future__ import annotations

import pytest

from batchscribe.errors import AllFilesFailed, NoInputFiles
from batchscribe.jobs.summary import Summary, final_state, job_error
from batchscribe.wire.choices import JobState


@pytest.mark.parametrize(
    ("summary", "state"),
    [
        (Summary(total_files=2, succeeded=2), JobState.SUCCEEDED),
        (Summary(total_files=3, succeeded=2, skipped=1), JobState.SUCCEEDED),
        (Summary(total_files=2, skipped=2), JobState.SUCCEEDED),
        (Summary(total_files=2, succeeded=1, failed=1), JobState.PARTIAL),
        (Summary(total_files=2, failed=2), JobState.FAILED),
        (Summary(total_files=2, failed=1, skipped=1), JobState.FAILED),
        (Summary(), JobState.FAILED),
    ],
)
def test_the_counters_decide_how_a_job_ends(summary: Summary, state: JobState) -> None:
    assert final_state(summary) is state


def test_a_failed_job_says_whether_it_found_nothing_or_everything_failed() -> None:
    assert isinstance(job_error(Summary()), NoInputFiles)
    error = job_error(Summary(total_files=3, failed=2, skipped=1))
    assert isinstance(error, AllFilesFailed)
    assert "2 failed, 1 skipped" in error.message
    assert job_error(Summary(total_files=2, succeeded=1, failed=1)) is None


def test_what_an_ended_job_left_unfinished_reads_as_canceled() -> None:
    summary = Summary(total_files=6, queued=2, processing=1, succeeded=2, failed=1)
    answer = summary.count_unfinished_as_canceled().answer()
    assert (answer.queued, answer.processing, answer.canceled, answer.succeeded, answer.total_files) == (0, 0, 3, 2, 6)
