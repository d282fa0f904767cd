"""The progress of a job: what is done, what is left, and when it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from batchscribe.jobs.job_progress import Progress
from batchscribe.jobs.summary import Summary
from batchscribe.wire.answers import ProgressAnswer
from batchscribe.wire.choices import JobState

#: A third of an hour of audio was done in 100 s, and its size had promised that.
SUMMARY = Summary(total_files=30, queued=18, processing=2, succeeded=10, audio_sec=1200.0)
PROGRESS = Progress(estimated_sec=3600.0, estimated_done_sec=1200.0, begun_at=1000.0, changed_at=1100.0)


def answer(
    progress: Progress = PROGRESS,
    summary: Summary = SUMMARY,
    state: JobState = JobState.PROCESSING,
    now: float = 1100.0,
) -> ProgressAnswer:
    return progress.answer(state, summary, now)


def test_the_end_follows_from_the_speed_so_far() -> None:
    assert answer() == ProgressAnswer(audio_sec_done=1200.0, audio_sec_total=3600.0, eta_sec=200)


def test_the_time_left_falls_with_the_clock_and_never_rises_while_nothing_changes() -> None:
    shown = [answer(now=1100.0 + passed).eta_sec for passed in range(0, 400, 7)]
    known = [eta for eta in shown if eta is not None]
    assert known == sorted(known, reverse=True)
    assert (known[0], known[-1]) == (200, 4)
    assert shown[len(known) :] == [None] * (len(shown) - len(known)), "it came back"


def test_a_clock_that_is_behind_that_of_the_worker_adds_no_time() -> None:
    assert answer(now=1050.0).eta_sec == 200


@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.PROCESSING])
def test_only_a_job_in_progress_has_an_end_to_expect(state: JobState) -> None:
    assert answer(state=state).eta_sec is None


@pytest.mark.parametrize(
    "progress",
    [
        replace(PROGRESS, begun_at=None, changed_at=None),
        replace(PROGRESS, changed_at=1000.0),
        replace(PROGRESS, begun_at=1200.0),
    ],
)
def test_without_a_speed_there_is_no_end_to_expect(progress: Progress) -> None:
    assert answer(progress).eta_sec is None


def test_a_job_in_which_all_files_failed_so_far_has_no_speed() -> None:
    assert answer(summary=replace(SUMMARY, succeeded=0, failed=10, audio_sec=0.0)).eta_sec is None


def test_the_total_is_corrected_by_what_finished_files_really_had() -> None:
    twice_as_long = replace(SUMMARY, audio_sec=2400.0)
    total_sec = answer(summary=twice_as_long).audio_sec_total
    assert total_sec == pytest.approx(7200.0, rel=0.03)  # the first minute of the estimate is trusted


def test_one_odd_file_does_not_change_the_total_much() -> None:
    tiny = replace(PROGRESS, estimated_done_sec=1.0)
    summary = replace(SUMMARY, succeeded=1, queued=29, processing=0, audio_sec=10.0)
    assert answer(tiny, summary).audio_sec_total == pytest.approx(3600.0, rel=0.2)


def test_files_that_failed_leave_the_total() -> None:
    lost = replace(PROGRESS, estimated_lost_sec=1000.0)
    assert answer(lost).audio_sec_total == 2600.0


def test_the_total_is_never_below_what_is_done() -> None:
    longer = replace(SUMMARY, audio_sec=9000.0)
    promised = replace(PROGRESS, estimated_sec=100.0, estimated_done_sec=100.0)
    assert answer(promised, longer).audio_sec_total == 9000.0


def test_the_total_of_an_ended_job_is_what_it_had() -> None:
    ended = Summary(total_files=10, succeeded=9, failed=1, audio_sec=1000.0)
    assert answer(summary=ended, state=JobState.PARTIAL).audio_sec_total == 1000.0


def test_a_canceled_job_shows_what_it_did_not_do() -> None:
    canceled = SUMMARY.count_unfinished_as_canceled()
    assert answer(summary=canceled, state=JobState.CANCELED).audio_sec_total == 3600.0


def test_without_sizes_the_mean_duration_stands_for_the_files_that_are_left() -> None:
    unknown = replace(PROGRESS, estimated_sec=0.0, estimated_done_sec=0.0)
    assert answer(unknown).audio_sec_total == 3600.0
    nothing_done = replace(SUMMARY, succeeded=0, queued=28, audio_sec=0.0)
    assert answer(unknown, nothing_done).audio_sec_total is None


def test_unknown_values_are_absent_not_null() -> None:
    waiting = Progress(queue_position=3).answer(JobState.QUEUED, Summary(), now=0.0)
    assert waiting.body() == {"audio_sec_done": 0.0, "queue_position": 3}
