"""Queries on idempotency keys."""

from __future__ import annotations

import time

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from batchscribe.database.sealed import Keyring
from batchscribe.database.tables import idempotency
from batchscribe.errors import IdempotencyKeyReused

KEPT_SEC = 24 * 3600.0  # extensions.md, row 2


def id_of_key(
    connection: sa.Connection, keyring: Keyring, *, tenant: str, key: str, content: bytes, new_id: str
) -> str | None:
    """Bind the key to a new job or vocabulary, or return the ID that it is bound to. Raises `IdempotencyKeyReused`."""
    moment = time.time()
    connection.execute(sa.delete(idempotency).where(idempotency.c.created_at < moment - KEPT_SEC))
    values = {
        "tenant": tenant,
        "idempotency_key": key,
        "digest": keyring.digest(content),
        "job_id": new_id,
        "created_at": moment,
    }
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(idempotency).values(values).on_conflict_do_nothing().returning(idempotency.c.job_id)
    if connection.scalar(statement) is not None:
        return None
    query = sa.select(idempotency).where(idempotency.c.tenant == tenant, idempotency.c.idempotency_key == key)
    known = connection.execute(query).one()
    if not keyring.is_digest(known.digest, content):
        raise IdempotencyKeyReused(
            "This Idempotency-Key was sent with another body within 24 hours; use a new key for a new request."
        )
    return str(known.job_id)
