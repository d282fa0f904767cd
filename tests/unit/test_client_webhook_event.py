"""`verify_webhook`: only recent requests that are signed with the secret become events."""

from __future__ import annotations

import json

import pytest

from batchscribe import verify_webhook
from batchscribe.errors import ServerError, WebhookNotGenuine
from batchscribe.webhooks.signature import signature

SECRET, SENT_AT = "a webhook secret", 1767638052
BODY = json.dumps(
    {"event_type": "job.partial", "event_id": "evt_1", "job": {"job_id": "job_1", "state": "PARTIAL", "error": None}}
).encode()


def headers_of(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {
        "X-Zm-Request-Timestamp": str(SENT_AT),
        "X-Zm-Signature": signature(body, secret=secret, timestamp=SENT_AT),
    }


def test_a_genuine_request_becomes_its_event() -> None:
    event = verify_webhook(BODY, headers_of(BODY), secret=SECRET, now=SENT_AT + 299)
    assert (event.event_type, event.event_id, event.job.state) == ("job.partial", "evt_1", "PARTIAL")
    assert event.raw == json.loads(BODY)


@pytest.mark.parametrize(
    ("body", "headers", "off_sec", "message"),
    [
        (BODY + b" ", headers_of(BODY), 0, "does not match"),
        (BODY, headers_of(BODY, "another"), 0, "does not match"),
        (BODY, headers_of(BODY), 301, "off by 301 s"),
        (BODY, headers_of(BODY), -301, "off by 301 s"),
        (BODY, {}, 0, "x-zm-request-timestamp is missing"),
        (BODY, headers_of(BODY) | {"X-Zm-Request-Timestamp": "soon"}, 0, "not a number"),
    ],
)
def test_any_other_request_is_not_genuine(body: bytes, headers: dict[str, str], off_sec: int, message: str) -> None:
    with pytest.raises(WebhookNotGenuine, match=message):
        verify_webhook(body, headers, secret=SECRET, now=SENT_AT + off_sec)


@pytest.mark.parametrize("body", [b"\xff", b"[]", b"{}", b'{"event_type": "job.partial", "job": 7}'])
def test_a_genuine_body_without_an_event_is_an_error(body: bytes) -> None:
    with pytest.raises(ServerError, match="sender of the webhook has no valid"):
        verify_webhook(body, headers_of(body), secret=SECRET, now=SENT_AT)
