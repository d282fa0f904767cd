"""The delivery of one webhook: its payload, attempts and state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DeliveryState(StrEnum):
    PENDING = "PENDING"  #: to be sent or retried
    DELIVERED = "DELIVERED"  #: the receiver accepted it
    REFUSED = "REFUSED"  #: the receiver rejected it
    GAVE_UP = "GAVE_UP"  #: the time limit for retries has passed


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the outbox. `number` is the database key; `event_id` is sent to the receiver."""

    number: int
    job_number: int
    job_id: str
    event_id: str
    event_type: str
    payload: bytes  #: the same for each attempt; only the signature changes
    state: DeliveryState
    created_at: float  #: Unix seconds
    attempts: int  #: made so far
    next_attempt_at: float | None  #: Unix seconds; None in a final state
