"""A job's storage credentials: sealed when it is submitted, opened where its files are worked on."""

from __future__ import annotations

import json
from collections.abc import Mapping

import sqlalchemy as sa

from batchscribe.database.sealed import destroy_secrets, read_secret, store_secret
from batchscribe.jobs.model import Job
from batchscribe.storage.access import AwsCredentials
from batchscribe.work.records import Records

INPUT, OUTPUT = "input", "output"  #: the two sides of a job
SIDES = (INPUT, OUTPUT)
SIGNED = "signed"  #: whole URLs of inputs, signatures and all
STORAGE_SECRETS = (*SIDES, SIGNED)  #: none of them outlives its job


def seal_credentials(
    connection: sa.Connection, records: Records, job: Job, side: str, credentials: AwsCredentials | None
) -> None:
    if credentials is None:
        return
    plain = json.dumps(
        {
            "access_key_id": credentials.access_key_id,
            "secret_access_key": credentials.secret_access_key,
            "session_token": credentials.session_token,
            "region": credentials.region,
        }
    )
    store_secret(connection, records.keyring, job=job, name=side, plain=plain.encode())


def open_credentials(records: Records, job: Job, side: str) -> AwsCredentials | None:
    """None when the job brought none for this side. Raises `SecretKeyChanged`."""
    with records.transaction() as connection:
        plain = read_secret(connection, records.keyring, job=job, name=side)
    return None if plain is None else AwsCredentials(**json.loads(plain))


def seal_signed_urls(connection: sa.Connection, records: Records, job: Job, urls: Mapping[str, str]) -> None:
    if urls:
        plain = json.dumps(dict(urls)).encode()
        store_secret(connection, records.keyring, job=job, name=SIGNED, plain=plain)


def open_signed_urls(records: Records, job: Job) -> dict[str, str]:
    """By what is on record of them. Raises `SecretKeyChanged`."""
    with records.transaction() as connection:
        plain = read_secret(connection, records.keyring, job=job, name=SIGNED)
    urls: dict[str, str] = {} if plain is None else json.loads(plain)
    return urls


def renew_credentials(records: Records, job: Job, credentials: AwsCredentials) -> None:
    """Put fresh credentials in the place of both sides' own, which may have expired since the job was submitted."""
    with records.transaction() as connection:
        destroy_secrets(connection, job, SIDES)
        for side in SIDES:
            seal_credentials(connection, records, job, side, credentials)
