"""Queries on the outbox of webhooks and its delivery log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from batchscribe.database.tables import job, webhook_attempt, webhook_delivery
from batchscribe.jobs.webhook_delivery import Delivery, DeliveryState


@dataclass(frozen=True, slots=True)
class LoggedAttempt:
    """A row of the delivery log."""

    attempt: int
    sent_at: float  #: Unix seconds
    took_sec: float
    status: int | None  #: HTTP status; None if there was no response
    error: str | None


def insert_delivery(
    connection: sa.Connection, job_number: int, *, event_id: str, event_type: str, payload: bytes, moment: float
) -> int:
    """Insert a delivery and return its number."""
    values = {
        "job": job_number,
        "event_id": event_id,
        "event_type": event_type,
        "payload": payload,
        "state": DeliveryState.PENDING,
        "created_at": moment,
        "next_attempt_at": moment,
    }
    statement = sa.insert(webhook_delivery).values(values).returning(webhook_delivery.c.number)
    return int(connection.execute(statement).scalar_one())


def find_delivery(connection: sa.Connection, number: int) -> Delivery | None:
    row = connection.execute(_DELIVERIES.where(webhook_delivery.c.number == number)).first()
    return None if row is None else _delivery(row)


def is_pending(connection: sa.Connection, job_number: int) -> bool:
    """Return whether any webhook of the job is still to be sent."""
    rows = webhook_delivery.c
    query = sa.select(rows.number).where(rows.job == job_number, rows.state == DeliveryState.PENDING)
    return connection.execute(query.limit(1)).first() is not None


def record_attempt(
    connection: sa.Connection,
    delivery: Delivery,
    logged: LoggedAttempt,
    *,
    state: DeliveryState,
    next_attempt_at: float | None,
) -> bool:
    """Log an attempt and store the new state; return False if another process did so first."""
    statement = (
        sa.update(webhook_delivery)
        .where(
            webhook_delivery.c.number == delivery.number,
            webhook_delivery.c.state == DeliveryState.PENDING,
            webhook_delivery.c.attempts == delivery.attempts,
        )
        .values(state=state, attempts=logged.attempt, next_attempt_at=next_attempt_at)
    )
    if connection.execute(statement).rowcount != 1:
        return False
    values = {
        "delivery": delivery.number,
        "attempt": logged.attempt,
        "sent_at": logged.sent_at,
        "took_sec": logged.took_sec,
        "status": logged.status,
        "error": logged.error,
    }
    connection.execute(sa.insert(webhook_attempt).values(values))
    return True


_DELIVERIES = sa.select(webhook_delivery, job.c.job_id).join(job, job.c.number == webhook_delivery.c.job)


def _delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(
        number=row.number,
        job_number=row.job,
        job_id=row.job_id,
        event_id=row.event_id,
        event_type=row.event_type,
        payload=row.payload,
        state=DeliveryState(row.state),
        created_at=row.created_at,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
    )
