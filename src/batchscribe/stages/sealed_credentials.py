"""A job's storage credentials: sealed on submission, opened where its files are processed."""

from __future__ import annotations

import json
from collections.abc import Mapping

import structlog

from batchscribe.database.connect import Connection
from batchscribe.database.sealed import destroy_secrets, names_of_secrets, read_secret, store_secret
from batchscribe.database.waiting_rows import next_version
from batchscribe.errors import FreshCredentialsNeeded, JobEnded
from batchscribe.jobs.model import Job
from batchscribe.queue.records import Records
from batchscribe.queue.tasks import WAKE, Task
from batchscribe.storage.access import Credentials
from batchscribe.storage.schemes import is_for_another_cloud, seal_form, unseal_form
from batchscribe.wire.choices import CLOUDS
from batchscribe.wire.locations import is_in_cloud

log = structlog.get_logger()

INPUT, OUTPUT = "input", "output"  #: the two sides of a job
SIDES = (INPUT, OUTPUT)
SIGNED = "signed"  #: complete URLs of inputs, including signatures
STORAGE_SECRETS = (*SIDES, SIGNED)  #: released at the end of the job


def seal_credentials(
    connection: Connection, records: Records, job: Job, side: str, credentials: Credentials | None
) -> None:
    if credentials is not None:
        store_secret(connection, records.keyring, job=job, name=side, plain=dump_credentials(credentials))


def dump_credentials(credentials: Credentials) -> bytes:
    """Return the form to be sealed."""
    return json.dumps(seal_form(credentials)).encode()


def open_credentials(records: Records, job: Job, side: str) -> Credentials | None:
    """Decrypt the credentials; None if the job has none for this side. Raises `SecretKeyChanged`."""
    with records.transaction() as connection:
        plain = read_secret(connection, records.keyring, job=job, name=side)
    return None if plain is None else unseal_form(json.loads(plain))


def seal_signed_urls(connection: Connection, records: Records, job: Job, urls: Mapping[str, str]) -> None:
    if urls:
        plain = json.dumps(dict(urls)).encode()
        store_secret(connection, records.keyring, job=job, name=SIGNED, plain=plain)


def open_signed_urls(records: Records, job: Job, *, name: str = SIGNED) -> dict[str, str]:
    """Decrypt the signed URLs. Returns them by the URLs on record. Raises `SecretKeyChanged`."""
    with records.transaction() as connection:
        plain = read_secret(connection, records.keyring, job=job, name=name)
    urls: dict[str, str] = {} if plain is None else json.loads(plain)
    return urls


def renew_credentials(records: Records, job: Job, credentials: Mapping[str, Credentials]) -> None:
    """Replace a job's credentials, given by side, and wake everything that waits for them.

    If the output shares the key of the input and only the input is renewed, the output gets the new key too. Raises
    `JobEnded`.
    """
    with records.transaction() as connection:
        version = next_version(connection, job.number)
        if version is None:
            raise JobEnded(f"{job.job_id} has already ended, so it needs no fresh credentials.")
        fresh = dict(credentials)
        if OUTPUT not in fresh and _shares_key(connection, records, job):
            fresh[OUTPUT] = fresh[INPUT]
        destroy_secrets(connection, job, fresh)
        for side, keys in fresh.items():
            seal_credentials(connection, records, job, side, keys)
        records.flow.enqueue(connection, Task(WAKE, job.job_id, version, lane=job.lane, tenant=job.tenant))
    log.info("job.credentials_renewed", job_id=job.job_id, tenant=job.tenant, sides=sorted(fresh))


def restore_credentials(
    connection: Connection, records: Records, job: Job, credentials: Mapping[str, Credentials]
) -> None:
    """Give an ended job the credentials that a retry needs: fresh ones by side, beside those that are still stored.

    As in a submission, those of the input are also for the output, unless it has its own. Raises
    `FreshCredentialsNeeded`.
    """
    fresh = dict(credentials)
    stored = names_of_secrets(connection, job)
    needed = needed_secrets(job)
    if INPUT in fresh and OUTPUT not in fresh and OUTPUT in needed:
        is_shared = OUTPUT not in stored or _shares_key(connection, records, job)
        if is_shared and not is_for_another_cloud(fresh[INPUT], job.output.uri):
            fresh[OUTPUT] = fresh[INPUT]
    missing = needed - stored - fresh.keys()
    if SIGNED in missing:
        raise FreshCredentialsNeeded(
            f"The signed URLs of {job.job_id} are no longer stored; submit the failed files as a new job."
        )
    if missing:
        raise FreshCredentialsNeeded(
            f"The storage credentials of {job.job_id} were deleted at its end; send fresh ones in the body: "
            f"{' and '.join(f'{side}.auth' for side in sorted(missing))}."
        )
    for side, keys in fresh.items():
        seal_credentials(connection, records, job, side, keys)


def needed_secrets(job: Job) -> frozenset[str]:
    """Return the names of the secrets that the job had: for a job of an earlier release, those of its clouds."""
    if job.secrets is not None:
        return job.secrets
    in_clouds = {
        INPUT: any(is_in_cloud(source.uri) for source in job.sources),
        OUTPUT: job.output.destination in CLOUDS,
    }
    return frozenset(side for side, is_needed in in_clouds.items() if is_needed)


def _shares_key(connection: Connection, records: Records, job: Job) -> bool:
    """Return whether the output has the key of the input. It does unless the job has a separate key for it."""
    of_input, of_output = (read_secret(connection, records.keyring, job=job, name=side) for side in SIDES)
    return of_input == of_output
