"""Polling a job until it has ended, through short server outages. Only `wait_for_end` sends and sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

from batchscribe.errors import ServerError, ServerRefused, ServerUnreachable
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import JobState

LIVE_STATES = frozenset({JobState.QUEUED, JobState.PROCESSING})
SERVER_ERRORS = 500  #: the lowest status of a server error

J = TypeVar("J")


@dataclass(frozen=True, slots=True)
class PollSchedule:
    """How often a job is polled, and how long a server outage may last."""

    first_sec: float = 0.5
    growth: float = 1.5
    longest_sec: float = 5.0
    outage_sec: float = 60.0


def has_ended(job: JsonObject) -> bool:
    return job.get("state") not in LIVE_STATES


def polls(
    *, ended: Callable[[J], bool], timeout_sec: float | None, pace: PollSchedule, on_poll: Callable[[J], None]
) -> Generator[float, J | ServerError, J]:
    """Yield the pause before each poll, get the job or the error of the poll, and return the job's last state.

    Raises the error of the first poll, errors that do not pass by themselves, and those of an outage that lasts longer
    than the pace allows.
    """
    deadline = None if timeout_sec is None else time.monotonic() + timeout_sec
    job: J | None = None
    answered_at, pause_sec, left_sec = 0.0, 0.0, 0.0
    while True:
        outcome = yield min(pause_sec, left_sec)
        if not isinstance(outcome, ServerError):
            job, answered_at = outcome, time.monotonic()
            on_poll(job)
        elif job is None or not _may_pass(outcome) or time.monotonic() - answered_at > pace.outage_sec:
            raise outcome
        left_sec = _left_sec(deadline)
        if ended(job) or left_sec <= 0:
            return job
        pause_sec = min(pause_sec * pace.growth, pace.longest_sec) if pause_sec else pace.first_sec


def wait_for_end(
    fetch: Callable[[], JsonObject],
    *,
    timeout_sec: float | None = None,
    pace: PollSchedule = PollSchedule(),
    on_poll: Callable[[JsonObject], None] = lambda job: None,
) -> JsonObject:
    """Poll with `fetch` until the job has ended or the time has passed, and return its last state.

    Each polled state is passed to `on_poll`. Raises the errors of `polls`.
    """
    schedule = polls(ended=has_ended, timeout_sec=timeout_sec, pace=pace, on_poll=on_poll)
    try:
        pause_sec = next(schedule)
        while True:
            time.sleep(pause_sec)
            pause_sec = schedule.send(_poll(fetch))
    except StopIteration as end:
        job: JsonObject = end.value
        return job


def _poll(fetch: Callable[[], JsonObject]) -> JsonObject | ServerError:
    try:
        return fetch()
    except ServerError as error:
        return error


def _left_sec(deadline: float | None) -> float:
    return float("inf") if deadline is None else deadline - time.monotonic()


def _may_pass(error: ServerError) -> bool:
    """Return whether the cause may be only a restart of the server or of a proxy in front of it."""
    if isinstance(error, ServerRefused):
        return error.status >= SERVER_ERRORS
    return isinstance(error, ServerUnreachable)
