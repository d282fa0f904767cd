"""A job's webhook: sealed on submission, added to the outbox when the state changes, sent by a task.

Each attempt is recorded, together with the task of the next attempt if there is one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import structlog

from batchscribe.database.connect import Connection
from batchscribe.database.delivery_rows import (
    count_attempts,
    deliveries_of,
    find_delivery,
    find_event,
    insert_delivery,
    is_pending,
    mark_replayed,
    record_attempt,
)
from batchscribe.database.job_rows import get_job, lock_job
from batchscribe.database.sealed import expire_secrets, has_secret, read_secret, release_secrets, store_secret
from batchscribe.errors import DeliveryNotFound, SecretKeyChanged, WebhookAddressGone
from batchscribe.jobs.model import Job
from batchscribe.jobs.webhook_delivery import Delivery, LoggedAttempt, LoggedDelivery
from batchscribe.metrics import WEBHOOK_ATTEMPTS
from batchscribe.queue.records import Records
from batchscribe.queue.tasks import DELIVER, Task
from batchscribe.stages.delivery_log import WEBHOOK
from batchscribe.stages.job_context import about_job
from batchscribe.webhooks.payload import (
    Attempt,
    DeliveryVerdict,
    WebhookSender,
    event_type,
    new_event_id,
    render_event,
    retry_delay_sec,
)
from batchscribe.wire.choices import DeliveryState


@dataclass(frozen=True, slots=True)
class Webhook:
    """The URL and the signing secret of a webhook. The URL is a secret too: many contain a token in their path."""

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)


def seal_webhook(connection: Connection, records: Records, job: Job, webhook: Webhook | None) -> None:
    if webhook is not None:
        plain = json.dumps({"url": webhook.url, "secret": webhook.secret})
        store_secret(connection, records.keyring, job=job, name=WEBHOOK, plain=plain.encode())


def open_webhook(connection: Connection, records: Records, job: Job) -> Webhook | None:
    """Decrypt the webhook; None if the job has none. Raises `SecretKeyChanged`."""
    plain = read_secret(connection, records.keyring, job=job, name=WEBHOOK)
    return None if plain is None else Webhook(**json.loads(plain))


def announce(connection: Connection, records: Records, job: Job, *, clock: Callable[[], float] = time.time) -> None:
    """Record a webhook event and enqueue its delivery, in the transaction that changes the job's state.

    The event shows the job as given: read it after the change.
    """
    if not has_secret(connection, job, WEBHOOK):
        return
    event_id, moment = new_event_id(), clock()
    payload = render_event(event_id=event_id, state=job.state, moment=moment, job=job.answer().body())
    number = insert_delivery(
        connection, job.number, event_id=event_id, event_type=event_type(job.state), payload=payload, moment=moment
    )
    records.flow.enqueue(connection, Task(DELIVER, job.job_id, number, lane=job.lane, tenant=job.tenant))


log = structlog.get_logger()

OVER = {DeliveryVerdict.DELIVERED: DeliveryState.DELIVERED, DeliveryVerdict.REFUSED: DeliveryState.REFUSED}


@dataclass(frozen=True, slots=True)
class Schedule:
    """The retry times of a webhook, in seconds."""

    first_retry_sec: float
    give_up_sec: float


def deliver(
    number: int,
    records: Records,
    sender: WebhookSender,
    schedule: Schedule,
    *,
    clock: Callable[[], float] = time.time,
) -> None:
    """Send a delivery once; do nothing if it is over.

    After a crash in this function, it is sent again. Receivers can detect this by the event id.
    """
    with records.transaction() as connection:
        delivery = find_delivery(connection, number)
        if delivery is None or delivery.state is not DeliveryState.PENDING:
            return
        job = get_job(connection, delivery.job_id)
    sent_at = clock()
    with about_job(job):
        attempt = _send(delivery, job, records, sender, sent_at)
        _record(delivery, job, attempt, sent_at, records, schedule, clock)


def _send(delivery: Delivery, job: Job, records: Records, sender: WebhookSender, moment: float) -> Attempt:
    """Send the webhook. A lost sealing key counts as no answer, since the operator may restore the key."""
    try:
        with records.transaction() as connection:
            webhook = open_webhook(connection, records, job)
    except SecretKeyChanged as error:
        return Attempt(status=None, error=error.message, retry_after_sec=None, took_sec=0.0)
    if webhook is None:
        return Attempt(status=None, error="The webhook's URL is no longer stored.", retry_after_sec=None, took_sec=0.0)
    return sender.send(url=webhook.url, secret=webhook.secret, body=delivery.payload, moment=moment)


def _record(
    delivery: Delivery,
    job: Job,
    attempt: Attempt,
    sent_at: float,
    records: Records,
    schedule: Schedule,
    clock: Callable[[], float],
) -> None:
    logged = LoggedAttempt(delivery.attempts + 1, sent_at, attempt.took_sec, attempt.status, attempt.error)
    with records.transaction() as connection:
        n_attempts = 1 + count_attempts(connection, delivery.number, since=delivery.window_begins_at)
    delay_sec = retry_delay_sec(n_attempts, first_sec=schedule.first_retry_sec, retry_after_sec=attempt.retry_after_sec)
    next_attempt_at = clock() + delay_sec
    state = OVER.get(attempt.verdict, DeliveryState.PENDING)
    if state is DeliveryState.PENDING and next_attempt_at > delivery.window_begins_at + schedule.give_up_sec:
        state = DeliveryState.GAVE_UP
    again = state is DeliveryState.PENDING
    with records.transaction() as connection:
        lock_job(connection, job.number)  # if two deliveries end together, the second sees the first
        won = record_attempt(
            connection, delivery, logged, state=state, next_attempt_at=next_attempt_at if again else None
        )
        if won and again:
            records.flow.enqueue(connection, _next_attempt(job, delivery.number, logged.attempt), delay_sec=delay_sec)
        elif won:
            forget_address(connection, records, job)
    WEBHOOK_ATTEMPTS.labels(state.lower()).inc()
    log.info(
        "webhook.sent",
        job_id=job.job_id,
        tenant=job.tenant,
        event_id=delivery.event_id,
        attempt=logged.attempt,
        status=attempt.status,
        error=attempt.error,
        state=state,
    )


def _next_attempt(job: Job, number: int, attempts: int) -> Task:
    return Task(DELIVER, job.job_id, number, lane=job.lane, tenant=job.tenant, attempt=attempts)


def forget_address(connection: Connection, records: Records, job: Job) -> None:
    """Destroy the URL and the secret when the last webhook of an ended job is over, or let them expire.

    The caller has locked the job.
    """
    if get_job(connection, job.job_id).is_final and not is_pending(connection, job.number):
        release_secrets(connection, job, [WEBHOOK], keep_sec=records.keep.webhook_sec)


def replay(job: Job, event_id: str, records: Records, *, clock: Callable[[], float] = time.time) -> LoggedDelivery:
    """Send an event again now, even if it waits for its next attempt. Retries start over with the full time limit.

    Returns the delivery with its log. Raises `DeliveryNotFound`, and `WebhookAddressGone` if the webhook's URL is no
    longer stored.
    """
    moment = clock()
    with records.transaction() as connection:
        lock_job(connection, job.number)
        delivery = find_event(connection, job.number, event_id)
        if delivery is None:
            raise DeliveryNotFound(f"Job {job.job_id} has no such event; list its deliveries to see their IDs.")
        if not has_secret(connection, job, WEBHOOK):
            raise WebhookAddressGone(
                "The URL of the webhook is no longer stored, so the event cannot be sent again; "
                "BATCHSCRIBE_WEBHOOK_KEEP_SEC says how long it is kept after the last delivery."
            )
        if delivery.next_attempt_at is not None and delivery.next_attempt_at <= moment:
            return _logged(connection, delivery)  # it is being sent
        expire_secrets(connection, job, [WEBHOOK], None)
        mark_replayed(connection, delivery.number, moment)
        waiting = _next_attempt(job, delivery.number, delivery.attempts)
        records.flow.enqueue(connection, replace(waiting, again=round(1000 * moment)))
        replayed = _logged(connection, delivery)
    records.flow.cancel([waiting])
    log.info("webhook.replayed", job_id=job.job_id, tenant=job.tenant, event_id=event_id)
    return replayed


def _logged(connection: Connection, delivery: Delivery) -> LoggedDelivery:
    [logged] = deliveries_of(connection, delivery.job_number, event_id=delivery.event_id)
    return logged
