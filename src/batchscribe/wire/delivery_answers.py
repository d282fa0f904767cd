"""Response bodies for the deliveries of a job's webhook. The webhook's URL is secret, so it is not in them."""

from __future__ import annotations

from datetime import datetime

from pydantic.json_schema import SkipJsonSchema

from batchscribe.wire.answers import timestamp
from batchscribe.wire.base import JsonObject, WireModel
from batchscribe.wire.choices import DeliveryState


class AttemptAnswer(WireModel):
    """One attempt to deliver an event. `error` is one sentence; it and `status` are absent if there is none."""

    attempt: int
    sent_at: datetime
    took_sec: float
    status: int | SkipJsonSchema[None] = None
    error: str | SkipJsonSchema[None] = None

    def body(self) -> JsonObject:
        body: JsonObject = {
            "attempt": self.attempt,
            "sent_at": timestamp(self.sent_at),
            "took_sec": self.took_sec,
        }
        optional = {"status": self.status, "error": self.error}
        return body | {name: value for name, value in optional.items() if value is not None}


class DeliveryAnswer(WireModel):
    """One event of a job, with its latest attempts, oldest first."""

    event_id: str
    event_type: str
    state: DeliveryState
    created_at: datetime
    replayed_at: datetime | SkipJsonSchema[None] = None  #: when it was last to be sent again
    next_attempt_at: datetime | SkipJsonSchema[None] = None
    attempts: tuple[AttemptAnswer, ...] = ()

    def body(self) -> JsonObject:
        body: JsonObject = {
            "event_id": self.event_id,
            "event_type": self.event_type,
            "state": self.state.value,
            "created_at": timestamp(self.created_at),
        }
        for name, moment in (("replayed_at", self.replayed_at), ("next_attempt_at", self.next_attempt_at)):
            if moment is not None:
                body[name] = timestamp(moment)
        return body | {"attempts": [attempt.body() for attempt in self.attempts]}
