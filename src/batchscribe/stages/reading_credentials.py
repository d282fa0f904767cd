"""Storage credentials for reading an ended job: those that it kept, or those that a person has entered.

A person's are sealed under names of their own until the person has to sign in again. Retries never use them, because
they may allow no more than reading.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import structlog

from batchscribe.database.sealed import read_secret, store_secret
from batchscribe.jobs.model import Job
from batchscribe.queue.records import Records
from batchscribe.stages.sealed_credentials import SIDES, SIGNED, dump_credentials, open_credentials, open_signed_urls
from batchscribe.storage.access import Credentials
from batchscribe.wire.choices import Place

log = structlog.get_logger()

READING = "reading-"  #: before the names of these secrets
MOST_URLS = 1_000  #: signed ones that people enter for one job


def keep_for_reading(
    records: Records, job: Job, credentials: Mapping[str, Credentials], urls: Mapping[str, str], *, expires_at: float
) -> None:
    """Seal credentials by side, and signed URLs by the URLs on record, until `expires_at` in Unix seconds."""
    with records.transaction() as connection:
        for side in SIDES:
            if side in credentials:
                plain = dump_credentials(credentials[side])
                store_secret(
                    connection, records.keyring, job=job, name=READING + side, plain=plain, expires_at=expires_at
                )
        if urls:
            known = read_secret(connection, records.keyring, job=job, name=READING + SIGNED)
            kept = dict(list(json.loads(known or b"{}").items())[-MOST_URLS:]) | dict(urls)
            plain = json.dumps(kept).encode()
            store_secret(
                connection, records.keyring, job=job, name=READING + SIGNED, plain=plain, expires_at=expires_at
            )
    log.info("job.access_given", job_id=job.job_id, tenant=job.tenant, sides=sorted(credentials), urls=len(urls))


def credentials_for_reading(records: Records, job: Job, side: str) -> Credentials | None:
    """Return what a person has entered for this side of an ended job, otherwise the job's own.

    Without either, what was entered for the other side of the same cloud. Raises `SecretKeyChanged`.
    """
    names = [READING + side, side] if job.is_final else [side, READING + side]
    if _is_in_one_cloud(job):
        names += [READING + other for other in SIDES if other != side]
    return next(filter(None, (open_credentials(records, job, name) for name in names)), None)


def _is_in_one_cloud(job: Job) -> bool:
    return Place(job.input["source"]) is job.output.destination


def signed_urls_for_reading(records: Records, job: Job) -> dict[str, str]:
    """Raises `SecretKeyChanged`."""
    return open_signed_urls(records, job) | open_signed_urls(records, job, name=READING + SIGNED)
