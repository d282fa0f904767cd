"""Queries on the outbox of webhooks and its delivery log."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import sqlalchemy as sa

from batchscribe.database.tables import job, webhook_attempt, webhook_delivery
from batchscribe.jobs.webhook_delivery import Delivery, LoggedAttempt, LoggedDelivery
from batchscribe.wire.choices import DeliveryState

#: Limits of `deliveries_of`.
MOST_DELIVERIES, MOST_ATTEMPTS = 100, 50


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


def find_event(connection: sa.Connection, job_number: int, event_id: str) -> Delivery | None:
    """Return the delivery of one event of the job."""
    if "\0" in event_id:  # PostgreSQL does not accept NUL in text
        return None
    rows = webhook_delivery.c
    row = connection.execute(_DELIVERIES.where(rows.job == job_number, rows.event_id == event_id)).first()
    return None if row is None else _delivery(row)


def deliveries_of(connection: sa.Connection, job_number: int, *, event_id: str | None = None) -> list[LoggedDelivery]:
    """Return the latest `MOST_DELIVERIES`, newest first, each with its latest `MOST_ATTEMPTS`; or only one event."""
    wanted = [webhook_delivery.c.job == job_number]
    if event_id is not None:
        wanted.append(webhook_delivery.c.event_id == event_id)
    newest = _DELIVERIES.where(*wanted).order_by(webhook_delivery.c.number.desc())
    deliveries = [_delivery(row) for row in connection.execute(newest.limit(MOST_DELIVERIES))]
    log = webhook_attempt.c
    is_late = log.attempt > webhook_delivery.c.attempts - MOST_ATTEMPTS
    latest = (
        sa.select(webhook_attempt)
        .join(webhook_delivery, webhook_delivery.c.number == log.delivery)
        .where(*wanted, is_late)
        .order_by(log.attempt)
    )
    attempts: defaultdict[int, list[LoggedAttempt]] = defaultdict(list)
    for row in connection.execute(latest):
        attempts[row.delivery].append(LoggedAttempt(row.attempt, row.sent_at, row.took_sec, row.status, row.error))
    return [LoggedDelivery(delivery, tuple(attempts[delivery.number])) for delivery in deliveries]


def count_attempts(connection: sa.Connection, number: int, *, since: float) -> int:
    """Return how many attempts at a delivery were made since a time, in Unix seconds."""
    log = webhook_attempt.c
    query = sa.select(sa.func.count()).where(log.delivery == number, log.sent_at >= since)
    return connection.scalar(query) or 0


def mark_replayed(connection: sa.Connection, number: int, moment: float) -> None:
    """Make a delivery due at this time, in Unix seconds, with the whole time for retries."""
    values = {"state": DeliveryState.PENDING, "replayed_at": moment, "next_attempt_at": moment}
    connection.execute(sa.update(webhook_delivery).where(webhook_delivery.c.number == number).values(values))


def has_deliveries(connection: sa.Connection, job_number: int) -> bool:
    """Return whether the job ever had a webhook event."""
    query = sa.select(webhook_delivery.c.number).where(webhook_delivery.c.job == job_number)
    return connection.execute(query.limit(1)).first() is not None


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
        replayed_at=row.replayed_at,
    )
