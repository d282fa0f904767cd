"""The content of webhooks."""

from __future__ import annotations

import json
import re

import pytest

from batchscribe.webhooks.payload import new_event_id, render_event
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import JobState

JOB: JsonObject = {"job_id": "job_1", "state": "PARTIAL", "summary": {"total_files": 2}, "error": None}


def test_an_event_has_the_job_as_it_is_shown() -> None:
    body = render_event(event_id="evt_1", state=JobState.PARTIAL, moment=1_767_638_052.9, job=JOB)
    assert json.loads(body) == {
        "event_type": "job.partial",
        "event_id": "evt_1",
        "event_ts": 1_767_638_052,
        "job": JOB,
    }


@pytest.mark.parametrize("state", JobState)
def test_the_type_is_named_after_the_state(state: JobState) -> None:
    event = json.loads(render_event(event_id="evt_1", state=state, moment=0, job=JOB))
    assert event["event_type"] == f"job.{state.value.lower()}"


def test_invalid_unicode_is_still_sent() -> None:
    """A file's name may be any bytes."""
    job = JOB | {"reference_id": "caf\udce9 ☕"}
    body = render_event(event_id="evt_1", state=JobState.FAILED, moment=0, job=job)
    assert json.loads(body)["job"]["reference_id"] == "caf\udce9 ☕"


def test_no_two_events_have_one_id() -> None:
    first, second = new_event_id(), new_event_id()
    assert first != second
    assert re.fullmatch(r"evt_[0-9a-f]{32}", first)
