"""What `batchscribe webhooks listen` prints for a webhook."""

from __future__ import annotations

import json

import pytest

from batchscribe.cli.webhook_listener import WebhookArrival, read_event
from batchscribe.wire.base import JsonObject

JOB: JsonObject = {
    "job_id": "job_1",
    "state": "PARTIAL",
    "summary": {"total_files": 40, "queued": 0, "processing": 0, "succeeded": 39, "failed": 1, "skipped": 0},
}
EVENT: JsonObject = {"event_type": "job.partial", "event_id": "evt_1", "event_ts": 1, "job": JOB}


def line(event: JsonObject = EVENT, *, checked: bool = True, fault: str | None = None) -> str:
    """Without the time."""
    time, _, rest = (
        WebhookArrival(event, moment=1_767_638_052.0, checked=checked, fault=fault).format_line().partition("  ")
    )
    assert len(time) == len("12:00:00")
    return rest


def test_a_line_says_type_job_state_counts_and_signature() -> None:
    assert line() == "job.partial  job_1  PARTIAL  39 succeeded, 1 failed  signature ok"


def test_a_wrong_signature_says_why_and_an_unchecked_one_is_not_called_ok() -> None:
    assert line(fault="x-zm-signature is missing").endswith("  signature WRONG: x-zm-signature is missing")
    assert line(checked=False).endswith("  signature not checked")


def test_an_event_with_less_in_it_has_a_line_too() -> None:
    assert line(EVENT | {"job": {"job_id": "job_1"}}) == "job.partial  job_1  signature ok"
    assert line(EVENT | {"job": JOB | {"summary": {}}}) == "job.partial  job_1  PARTIAL  no files  signature ok"


def test_nothing_in_an_event_reaches_the_terminal_as_a_command() -> None:
    hostile = EVENT | {"job": JOB | {"job_id": "\x1b[2J\n\r\ud800", "summary": {"failed": "\x1b]0;x\x07"}}}
    assert line(hostile).isprintable()


def test_json_is_one_line_with_the_event_as_it_came() -> None:
    text = WebhookArrival(EVENT, moment=1_767_638_052.0, checked=True, fault="it is old").format_json()
    assert "\n" not in text
    assert json.loads(text) == {
        "received_at": "2026-01-05T18:34:12+00:00",
        "signature": "wrong",
        "fault": "it is old",
        "event": EVENT,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"null",
        b"[" * 100_000,
        b'{"event_type":"job.succeeded"}',
        b'{"event_type":1,"job":{"job_id":"job_1"}}',
        b'{"event_type":"job.succeeded","job":[]}',
        b'{"event_type":"job.succeeded","job":{"job_id":null}}',
    ],
)
def test_a_body_that_is_not_an_event_is_recognized(body: bytes) -> None:
    assert read_event(body) is None
    assert read_event(json.dumps(EVENT).encode()) == EVENT
