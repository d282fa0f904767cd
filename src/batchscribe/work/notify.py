"""A job's webhook: sealed when the job is submitted, put into the outbox when its state changes."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

import sqlalchemy as sa

from batchscribe.database.delivery import insert_delivery
from batchscribe.database.job import get_job
from batchscribe.database.sealed import has_secret, read_secret, store_secret
from batchscribe.jobs.model import Job
from batchscribe.webhooks.payload import event_type, new_event_id, render_event
from batchscribe.work.flow import DELIVER, Task
from batchscribe.work.records import Records

WEBHOOK = "webhook"  #: the name of its secret


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to send to, and what to sign with. The address is a secret too: many carry a token in their path."""

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)


def seal_webhook(connection: sa.Connection, records: Records, job: Job, webhook: Webhook | None) -> None:
    if webhook is not None:
        plain = json.dumps({"url": webhook.url, "secret": webhook.secret})
        store_secret(connection, records.keyring, job=job, name=WEBHOOK, plain=plain.encode())


def open_webhook(connection: sa.Connection, records: Records, job: Job) -> Webhook | None:
    """Raises `SecretKeyChanged`."""
    plain = read_secret(connection, records.keyring, job=job, name=WEBHOOK)
    return None if plain is None else Webhook(**json.loads(plain))


def announce(connection: sa.Connection, records: Records, job_id: str) -> None:
    """In the transaction that changes the job's state: the event is on record, and will be sent, exactly if it is."""
    job = get_job(connection, job_id)
    if not has_secret(connection, job, WEBHOOK):
        return
    event_id, moment = new_event_id(), time.time()
    payload = render_event(event_id=event_id, state=job.state, moment=moment, job=job.answer().body())
    number = insert_delivery(
        connection, job.number, event_id=event_id, event_type=event_type(job.state), payload=payload, moment=moment
    )
    records.flow.enqueue(connection, Task(DELIVER, job.job_id, number, lane=job.lane, tenant=job.tenant))
