"""The webhooks of a job and the log of their attempts in the database."""

from __future__ import annotations

import sqlalchemy as sa

from batchscribe.database.delivery_rows import LoggedAttempt, find_delivery
from batchscribe.database.tables import webhook_attempt, webhook_delivery
from batchscribe.jobs.webhook_delivery import Delivery


def deliveries_of(connection: sa.Connection, job_number: int) -> list[Delivery]:
    """Return deliveries, oldest first."""
    rows = webhook_delivery.c
    numbers = connection.scalars(sa.select(rows.number).where(rows.job == job_number).order_by(rows.number)).all()
    return [delivery for number in numbers if (delivery := find_delivery(connection, number)) is not None]


def attempts_of(connection: sa.Connection, number: int) -> list[LoggedAttempt]:
    """Return the attempts of one delivery, oldest first."""
    log = webhook_attempt.c
    query = sa.select(log.attempt, log.sent_at, log.took_sec, log.status, log.error).where(log.delivery == number)
    return [LoggedAttempt(*row) for row in connection.execute(query.order_by(log.attempt))]
