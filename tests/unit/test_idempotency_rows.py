"""Stored idempotency keys."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from batchscribe.database.idempotency_rows import KEPT_SEC, id_of_key
from batchscribe.database.sealed import Keyring
from batchscribe.database.tables import idempotency
from batchscribe.errors import IdempotencyKeyReused

OLD, NEW = Keyring((b"o" * 32,)), Keyring((b"n" * 32, b"o" * 32))


def job_of(
    connection: sa.Connection, content: bytes, job_id: str, *, ring: Keyring = OLD, tenant: str = "a"
) -> str | None:
    return id_of_key(connection, ring, tenant=tenant, key="k", content=content, new_id=job_id)


def test_the_first_submission_gets_its_job_and_the_second_the_same(connection: sa.Connection) -> None:
    assert job_of(connection, b"body", "job_1") is None
    assert job_of(connection, b"body", "job_2") == "job_1"


def test_another_body_under_the_same_key_is_refused(connection: sa.Connection) -> None:
    job_of(connection, b"body", "job_1")
    with pytest.raises(IdempotencyKeyReused, match="Idempotency-Key"):
        job_of(connection, b"other", "job_2")


def test_keys_of_other_tenants_are_other_keys(connection: sa.Connection) -> None:
    job_of(connection, b"body", "job_1")
    assert job_of(connection, b"other", "job_2", tenant="b") is None


def test_a_key_is_forgotten_after_a_day(connection: sa.Connection) -> None:
    job_of(connection, b"body", "job_1")
    connection.execute(sa.update(idempotency).values(created_at=idempotency.c.created_at - KEPT_SEC - 1))
    assert job_of(connection, b"other", "job_2") is None
    assert connection.scalar(sa.select(sa.func.count()).select_from(idempotency)) == 1


def test_a_new_sealing_key_knows_the_bodies_of_the_old_one(connection: sa.Connection) -> None:
    job_of(connection, b"body", "job_1")
    assert job_of(connection, b"body", "job_2", ring=NEW) == "job_1"
    with pytest.raises(IdempotencyKeyReused):
        job_of(connection, b"other", "job_2", ring=NEW)


def test_what_is_on_record_cannot_be_checked_without_the_sealing_key(connection: sa.Connection) -> None:
    job_of(connection, b"body", "job_1")
    digest = connection.scalar(sa.select(idempotency.c.digest))
    assert digest == OLD.digest(b"body") != Keyring((b"x" * 32,)).digest(b"body")
