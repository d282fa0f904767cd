"""The delivery of one webhook: its payload, attempts and state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from batchscribe.wire.choices import DeliveryState
from batchscribe.wire.delivery_answers import AttemptAnswer, DeliveryAnswer


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
    replayed_at: float | None = None  #: when a user last asked to send it again, in Unix seconds

    @property
    def window_begins_at(self) -> float:
        """The start of the time in which it is retried, in Unix seconds."""
        return self.created_at if self.replayed_at is None else max(self.created_at, self.replayed_at)


@dataclass(frozen=True, slots=True)
class LoggedAttempt:
    """A row of the delivery log."""

    attempt: int
    sent_at: float  #: Unix seconds
    took_sec: float
    status: int | None  #: HTTP status; None if there was no response
    error: str | None

    def answer(self) -> AttemptAnswer:
        return AttemptAnswer(
            attempt=self.attempt,
            sent_at=_moment(self.sent_at),
            took_sec=round(self.took_sec, 3),
            status=self.status,
            error=self.error,
        )


@dataclass(frozen=True, slots=True)
class LoggedDelivery:
    """A delivery with its latest attempts, oldest first."""

    delivery: Delivery
    log: tuple[LoggedAttempt, ...]

    def answer(self) -> DeliveryAnswer:
        delivery = self.delivery
        return DeliveryAnswer(
            event_id=delivery.event_id,
            event_type=delivery.event_type,
            state=delivery.state,
            created_at=_moment(delivery.created_at),
            replayed_at=_moment_or_none(delivery.replayed_at),
            next_attempt_at=_moment_or_none(delivery.next_attempt_at),
            attempts=tuple(logged.answer() for logged in self.log),
        )


def _moment(unix_sec: float) -> datetime:
    return datetime.fromtimestamp(unix_sec, UTC)


def _moment_or_none(unix_sec: float | None) -> datetime | None:
    return None if unix_sec is None else _moment(unix_sec)
