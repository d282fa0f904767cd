"""Submission of a job: one transaction stores it and enqueues its listing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import structlog

from batchscribe.database.connect import Connection
from batchscribe.database.idempotency_rows import id_of_key
from batchscribe.database.job_rows import get_job, insert_job
from batchscribe.errors import InvalidRequest
from batchscribe.intake.checks import check_tenant_roots, find_engines, plan_job
from batchscribe.intake.named_vocabulary import with_vocabulary
from batchscribe.intake.submission import Submission
from batchscribe.jobs.model import Job
from batchscribe.queue.records import Records
from batchscribe.queue.tasks import ENUMERATE, Task
from batchscribe.settings import Settings
from batchscribe.stages.deliver import seal_webhook
from batchscribe.stages.sealed_credentials import INPUT, OUTPUT, SIGNED, seal_credentials, seal_signed_urls
from batchscribe.wire.choices import CLOUDS
from batchscribe.wire.locations import is_in_cloud

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's name for a submission, and the submission's whole content."""

    key: str
    content: bytes = field(repr=False)


def submit(
    submission: Submission, records: Records, settings: Settings, *, idempotency: IdempotencyKey | None = None
) -> Job:
    """Store a job, or return the one that was stored with the same idempotency key.

    Raises `InvalidRequest`, `UnsupportedLanguage`, `EngineNotAvailable` or `IdempotencyKeyReused`.
    """
    check_tenant_roots(submission, records, settings)
    try:
        submission = with_vocabulary(submission, records)
    except InvalidRequest as error:  # the vocabulary may have been deleted since the first submission
        return _get_known(submission, records, idempotency, error)
    new = plan_job(submission, settings, find_engines(submission, records, settings))
    with records.transaction() as connection:
        known = idempotency and _find_job(connection, records, submission, idempotency)
        if known:
            return get_job(connection, known)
        new = replace(new, secrets=_names_of_secrets(submission))
        job = insert_job(connection, new, fingerprint=submission.fingerprint)
        _seal_secrets(connection, records, job, submission)
        records.flow.enqueue(connection, Task(ENUMERATE, job.job_id, lane=job.lane, tenant=job.tenant))
    log.info("job.submitted", job_id=job.job_id, tenant=job.tenant)
    return job


def _get_known(
    submission: Submission, records: Records, idempotency: IdempotencyKey | None, error: InvalidRequest
) -> Job:
    """Return the job of the idempotency key. Without one, raise the error, which undoes the use of the key."""
    with records.transaction() as connection:
        known = idempotency and _find_job(connection, records, submission, idempotency)
        if not known:
            raise error
        return get_job(connection, known)


def _names_of_secrets(submission: Submission) -> frozenset[str]:
    """Return the names of the storage secrets without which its files cannot be retried."""
    is_needed = {
        INPUT: submission.input_credentials is not None and any(is_in_cloud(each.uri) for each in submission.sources),
        OUTPUT: submission.credentials_of_output is not None and submission.output.destination in CLOUDS,
        SIGNED: any(urlsplit(url).query for url in submission.signed_urls.values()),
    }
    return frozenset(name for name, needed in is_needed.items() if needed)


def _seal_secrets(connection: Connection, records: Records, job: Job, submission: Submission) -> None:
    seal_credentials(connection, records, job, INPUT, submission.input_credentials)
    seal_credentials(connection, records, job, OUTPUT, submission.credentials_of_output)
    seal_signed_urls(connection, records, job, submission.signed_urls)
    seal_webhook(connection, records, job, submission.webhook)


def _find_job(
    connection: Connection, records: Records, submission: Submission, idempotency: IdempotencyKey
) -> str | None:
    return id_of_key(
        connection,
        records.keyring,
        tenant=submission.tenant,
        key=idempotency.key,
        content=idempotency.content,
        new_id=submission.job_id,
    )
