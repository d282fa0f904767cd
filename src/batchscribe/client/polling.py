"""Polling a job until it has ended, through short server outages."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from batchscribe.errors import ServerError, ServerRefused, ServerUnreachable
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import JobState

LIVE_STATES = frozenset({JobState.QUEUED, JobState.PROCESSING})
SERVER_ERRORS = 500  #: the lowest status of a server error


@dataclass(frozen=True, slots=True)
class PollSchedule:
    """How often a job is polled, and how long a server outage may last."""

    first_sec: float = 0.5
    growth: float = 1.5
    longest_sec: float = 5.0
    outage_sec: float = 60.0


def has_ended(job: JsonObject) -> bool:
    return job.get("state") not in LIVE_STATES


def wait_for_end(
    fetch: Callable[[], JsonObject],
    *,
    timeout_sec: float | None = None,
    pace: PollSchedule = PollSchedule(),
    on_poll: Callable[[JsonObject], None] = lambda job: None,
) -> JsonObject:
    """Poll the job until it has ended or the time has passed, and return its last state.

    Each polled state is passed to `on_poll`. Raises the errors of the first poll, and `ServerError` if an outage lasts
    longer than the pace allows.
    """
    deadline = None if timeout_sec is None else time.monotonic() + timeout_sec
    job, answered_at, pause_sec = fetch(), time.monotonic(), pace.first_sec
    on_poll(job)
    while not has_ended(job) and (left_sec := _left_sec(deadline)) > 0:
        time.sleep(min(pause_sec, left_sec))
        pause_sec = min(pause_sec * pace.growth, pace.longest_sec)
        try:
            job = fetch()
        except ServerError as error:
            if not _may_pass(error) or time.monotonic() - answered_at > pace.outage_sec:
                raise
        else:
            answered_at = time.monotonic()
            on_poll(job)
    return job


def _left_sec(deadline: float | None) -> float:
    return float("inf") if deadline is None else deadline - time.monotonic()


def _may_pass(error: ServerError) -> bool:
    """Return whether the cause may be only a restart of the server or of a proxy in front of it."""
    if isinstance(error, ServerRefused):
        return error.status >= SERVER_ERRORS
    return isinstance(error, ServerUnreachable)
