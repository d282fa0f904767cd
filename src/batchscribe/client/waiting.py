"""Looking at a job until it has ended, through short outages of its server."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from batchscribe.errors import ServerError, ServerRefused, ServerUnreachable
from batchscribe.wire.model import JsonObject
from batchscribe.wire.states import JobState

LIVE_STATES = frozenset({JobState.QUEUED, JobState.PROCESSING})
SERVER_ERRORS = 500  #: the first status that says the server is to blame


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a job is looked at, and for how long a server may be away."""

    first_sec: float = 0.5
    growth: float = 1.5
    longest_sec: float = 5.0
    outage_sec: float = 60.0


def has_ended(job: JsonObject) -> bool:
    return job.get("state") not in LIVE_STATES


def wait_for_end(
    look: Callable[[], JsonObject],
    *,
    timeout_sec: float | None = None,
    pace: Pace = Pace(),
    seen: Callable[[JsonObject], None] = lambda job: None,
) -> JsonObject:
    """The job as it was seen last: it has not ended when the time has passed. Each look is told to `seen`.

    Raises what the first look raises, and `ServerError` for an outage longer than the pace allows.
    """
    deadline = None if timeout_sec is None else time.monotonic() + timeout_sec
    job, answered_at, pause_sec = look(), time.monotonic(), pace.first_sec
    seen(job)
    while not has_ended(job) and (left_sec := _left_sec(deadline)) > 0:
        time.sleep(min(pause_sec, left_sec))
        pause_sec = min(pause_sec * pace.growth, pace.longest_sec)
        try:
            job = look()
        except ServerError as error:
            if not _may_pass(error) or time.monotonic() - answered_at > pace.outage_sec:
                raise
        else:
            answered_at = time.monotonic()
            seen(job)
    return job


def _left_sec(deadline: float | None) -> float:
    return float("inf") if deadline is None else deadline - time.monotonic()


def _may_pass(error: ServerError) -> bool:
    """Whether it may be only a restart of the server, or of a proxy before it."""
    if isinstance(error, ServerRefused):
        return error.status >= SERVER_ERRORS
    return isinstance(error, ServerUnreachable)
