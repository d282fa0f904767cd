"""Work in progress learns soon, and cheaply, that its job has ended."""

from __future__ import annotations

import time

import pytest

from batchscribe.errors import WorkInterrupted
from batchscribe.stages.job_context import JobWatch
from batchscribe.stages.slots import LOOK_EVERY_SEC
from tests.twins.clock import Clock


def test_a_stopped_worker_interrupts_every_job() -> None:
    watch = JobWatch(lambda _job: True)
    watch.check(1)
    watch.stop()
    with pytest.raises(WorkInterrupted):
        watch.check(1)
    assert watch.wait(60.0)


def test_an_ended_job_is_noticed_after_half_a_second_at_most() -> None:
    live, clock = {1: True, 2: True}, Clock()
    watch = JobWatch(live.__getitem__, clock=clock)
    watch.check(1)
    live[1] = False
    clock.advance(LOOK_EVERY_SEC)
    with pytest.raises(WorkInterrupted):
        watch.check(1)
    watch.check(2)


def test_the_database_is_queried_twice_a_second_for_any_number_of_windows() -> None:
    asked: list[int] = []
    clock = Clock()

    def is_live(job: int) -> bool:
        asked.append(job)
        return True

    watch = JobWatch(is_live, clock=clock)
    for _ in range(100):
        watch.check(1)
    clock.advance(LOOK_EVERY_SEC)
    watch.check(1)
    assert asked == [1, 1]


def test_jobs_are_forgotten_when_their_last_watcher_ends() -> None:
    clock = Clock()
    watch = JobWatch(lambda _: True, clock=clock)
    for job in range(1000):
        watch.check(job)
        clock.advance(LOOK_EVERY_SEC / 4)
    assert len(watch) <= 5


def test_a_pause_between_attempts_ends_early_when_the_worker_drains() -> None:
    watch = JobWatch(lambda _: True)
    watch.drain()
    with pytest.raises(WorkInterrupted):
        watch.pause(3600.0, 1)


def test_a_pause_lasts_as_long_as_it_is_to() -> None:
    began_at = time.monotonic()
    JobWatch(lambda _: True).pause(0.2, 1)
    assert time.monotonic() - began_at >= 0.2
