"""The body of a webhook: one event, with the job as `GET` returns it."""

from __future__ import annotations

import json
import uuid

from batchscribe.wire.model import JsonObject
from batchscribe.wire.states import JobState


def new_event_id() -> str:
    """Return a new event ID. All attempts to deliver one event share it, so that the receiver recognizes duplicates."""
    return f"evt_{uuid.uuid4().hex}"


def event_type(state: JobState) -> str:
    return f"job.{state.lower()}"


def render_event(*, event_id: str, state: JobState, moment: float, job: JsonObject) -> bytes:
    """Render the event as ASCII JSON. `moment` is when the job entered the state, in Unix seconds."""
    event = {"event_type": event_type(state), "event_id": event_id, "event_ts": int(moment), "job": job}
    return json.dumps(event).encode()
