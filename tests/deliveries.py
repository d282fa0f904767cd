"""The webhooks of a job and the log of their attempts in the database."""

from __future__ import annotations

import sqlalchemy as sa

from batchscribe.database.delivery_rows import deliveries_of as newest_deliveries_of
from batchscribe.jobs.webhook_delivery import Delivery, LoggedAttempt


def deliveries_of(connection: sa.Connection, job_number: int) -> list[Delivery]:
    """Return deliveries, oldest first."""
    return [found.delivery for found in reversed(newest_deliveries_of(connection, job_number))]


def attempts_of(connection: sa.Connection, delivery: Delivery) -> list[LoggedAttempt]:
    """Return the attempts of one delivery, oldest first."""
    [found] = newest_deliveries_of(connection, delivery.job_number, event_id=delivery.event_id)
    return list(found.log)
