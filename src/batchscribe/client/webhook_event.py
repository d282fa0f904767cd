"""The webhook events that a receiver gets: verified first, then parsed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from batchscribe.client.statuses import JobStatus, ServerObject
from batchscribe.errors import WebhookNotGenuine
from batchscribe.webhooks.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, TOLERANCE_SEC, find_fault


class WebhookEvent(ServerObject):
    """An event such as `job.succeeded`. The same `event_id` may arrive more than once."""

    event_type: str
    event_id: str = ""
    event_ts: int | None = None  #: Unix seconds
    job: JobStatus


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    *,
    secret: str,
    now: float | None = None,
    tolerance_sec: int = TOLERANCE_SEC,
) -> WebhookEvent:
    """Verify the signature and the time of a webhook request, and return its event.

    `body` is the body exactly as received. Header names may have any case. `now` is in Unix seconds, by default the
    time of this machine. Raises `WebhookNotGenuine`, and `ServerError` if a genuine body is not an event.
    """
    found = {name.lower(): value for name, value in headers.items()}
    fault = find_fault(
        body,
        secret=secret,
        timestamp=found.get(TIMESTAMP_HEADER, ""),
        signature=found.get(SIGNATURE_HEADER, ""),
        now=time.time() if now is None else now,
        tolerance_sec=tolerance_sec,
    )
    if fault:
        raise WebhookNotGenuine(f"The webhook request is not genuine: {fault}.")
    return _read_event(body)


def _read_event(body: bytes) -> WebhookEvent:
    try:
        raw = json.loads(body)
    except ValueError:
        raw = None
    return WebhookEvent.parse(raw if isinstance(raw, dict) else {}, "the sender of the webhook")
