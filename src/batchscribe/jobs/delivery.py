"""One webhook on its way: what is sent, how often it was tried, and whether that is over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DeliveryState(StrEnum):
    PENDING = "PENDING"  #: to be sent, or to be sent again
    DELIVERED = "DELIVERED"  #: the receiver took it
    REFUSED = "REFUSED"  #: the receiver does not want it
    GAVE_UP = "GAVE_UP"  #: tried for as long as the operator allows


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the outbox. `number` is its key in the database, `event_id` what the receiver sees."""

    number: int
    job_number: int
    job_id: str
    event_id: str
    event_type: str
    payload: bytes  #: the same at each attempt; only the signature is made anew
    state: DeliveryState
    created_at: float  #: Unix seconds
    attempts: int  #: made so far
    next_attempt_at: float | None  #: Unix seconds; none once it is over
