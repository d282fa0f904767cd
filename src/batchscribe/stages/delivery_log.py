"""The log of a job's webhook events, as the object of the wire. Reading it needs nothing that sends."""

from __future__ import annotations

from batchscribe.database.connect import Connection
from batchscribe.database.delivery_rows import deliveries_of
from batchscribe.database.sealed import has_secret
from batchscribe.jobs.model import Job
from batchscribe.wire.base import JsonObject

WEBHOOK = "webhook"  #: name of the sealed secret with the URL of a webhook


def deliveries_body(connection: Connection, job: Job) -> JsonObject:
    """Return the events of a job, newest first, and whether they can be sent again."""
    found = [each.answer().body() for each in deliveries_of(connection, job.number)]
    return {"deliveries": found, "can_replay": has_secret(connection, job, WEBHOOK)}
