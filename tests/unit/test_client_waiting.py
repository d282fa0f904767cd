"""Waiting for a job's end, through outages of its server."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from batchscribe.client.polling import PollSchedule, has_ended, wait_for_end
from batchscribe.errors import ServerError, ServerRefused, ServerUnreachable
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import JobState

QUICK = PollSchedule(first_sec=0.001, longest_sec=0.002, outage_sec=5.0)
AWAY = ServerUnreachable("It is away.")
RESTARTING = ServerRefused("It restarts.", status=503)


def looks(*seen: JobState | ServerError) -> Callable[[], JsonObject]:
    """Return the answers in order; the last one is repeated."""
    left = list(seen)

    def look() -> JsonObject:
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, ServerError):
            raise found
        return {"state": found.value}

    return look


def test_a_job_is_polled_until_it_ends_and_each_answer_reported() -> None:
    told: list[JsonObject] = []
    look = looks(JobState.QUEUED, JobState.PROCESSING, JobState.PARTIAL)
    assert wait_for_end(look, pace=QUICK, on_poll=told.append) == {"state": "PARTIAL"}
    assert told == [{"state": "QUEUED"}, {"state": "PROCESSING"}, {"state": "PARTIAL"}]


@pytest.mark.parametrize("state", JobState)
def test_four_states_are_an_end(state: JobState) -> None:
    assert has_ended({"state": state.value}) == (state not in (JobState.QUEUED, JobState.PROCESSING))


def test_a_short_outage_is_borne() -> None:
    look = looks(JobState.PROCESSING, AWAY, RESTARTING, AWAY, JobState.SUCCEEDED)
    assert wait_for_end(look, pace=QUICK) == {"state": "SUCCEEDED"}


def test_a_long_outage_is_reported() -> None:
    pace = PollSchedule(first_sec=0.001, longest_sec=0.002, outage_sec=0.05)
    began_at = time.monotonic()
    with pytest.raises(ServerUnreachable, match="It is away"):
        wait_for_end(looks(JobState.PROCESSING, AWAY), pace=pace)
    assert time.monotonic() - began_at > 0.05


def test_a_server_that_is_down_from_the_start_is_reported_immediately() -> None:
    with pytest.raises(ServerUnreachable):
        wait_for_end(looks(AWAY, JobState.SUCCEEDED), pace=QUICK)


def test_permanent_errors_are_reported_immediately() -> None:
    refused = ServerRefused("There is no job.", status=404)
    with pytest.raises(ServerRefused):
        wait_for_end(looks(JobState.PROCESSING, refused, JobState.SUCCEEDED), pace=QUICK)


@pytest.mark.parametrize("then", [JobState.PROCESSING, AWAY])
def test_when_the_time_has_passed_the_job_is_given_as_it_was_seen_last(then: JobState | ServerError) -> None:
    began_at = time.monotonic()
    look = looks(JobState.PROCESSING, then)
    assert wait_for_end(look, timeout_sec=0.05, pace=PollSchedule(first_sec=60.0)) == {"state": "PROCESSING"}
    assert 0.05 <= time.monotonic() - began_at < 30  # not the pace's minute


def test_no_time_at_all_is_one_look() -> None:
    assert wait_for_end(looks(JobState.QUEUED, JobState.SUCCEEDED), timeout_sec=0) == {"state": "QUEUED"}
