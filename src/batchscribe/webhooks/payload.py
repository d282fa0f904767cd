"""What a webhook says: one event, with the job as `GET` shows it."""

from __future__ import annotations

import json
import uuid

from batchscribe.wire.model import JsonObject
from batchscribe.wire.states import JobState


def new_event_id() -> str:
    """The same for every attempt to deliver one event, so that its receiver can tell a repetition."""
    return f"evt_{uuid.uuid4().hex}"


def event_type(state: JobState) -> str:
    return f"job.{state.lower()}"


def render_event(*, event_id: str, state: JobState, moment: float, job: JsonObject) -> bytes:
    """`moment` is when the job came into the state, in Unix seconds. ASCII, so that any text in `job` has bytes."""
    event = {"event_type": event_type(state), "event_id": event_id, "event_ts": int(moment), "job": job}
    return json.dumps(event).encode()
