"""API keys: a name that clients send as `iss`, and a secret that signs their tokens or is sent as it is.

The secret contains the name of its key, so that the key can be found although secrets are stored sealed.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from batchscribe.database.sealed import Keyring
from batchscribe.database.tables import api_key
from batchscribe.errors import KeyNotFound

KEY_PREFIX, SECRET_PREFIX = "bk", "bs"
NAME_BYTES = 10
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key. `secret` is set only after the key was created or opened."""

    api_key: str
    tenant: str
    created_at: datetime  #: UTC
    revoked_at: datetime | None  #: UTC
    secret: str = field(default="", repr=False)


def create_key(connection: sa.Connection, keyring: Keyring, tenant: str) -> ApiKey:
    """Create a key. Only its return value has the secret in plain text."""
    name = secrets.token_hex(NAME_BYTES)
    key, secret = f"{KEY_PREFIX}_{name}", f"{SECRET_PREFIX}_{name}_{secrets.token_urlsafe(SECRET_BYTES)}"
    key_id, sealed = keyring.seal(secret.encode(), bound_to=_row_name(tenant, key))
    moment = time.time()
    values = {"api_key": key, "tenant": tenant, "created_at": moment, "key_id": key_id, "sealed": sealed}
    connection.execute(sa.insert(api_key).values(values))
    return ApiKey(key, tenant, datetime.fromtimestamp(moment, UTC), None, secret)


def find_live_key(connection: sa.Connection, keyring: Keyring, key: str) -> ApiKey | None:
    """Return a key that is not revoked, with its secret. Raises `SecretKeyChanged`."""
    if "\0" in key:  # PostgreSQL does not accept NUL in text
        return None
    query = sa.select(api_key).where(api_key.c.api_key == key, api_key.c.revoked_at.is_(None))
    row = connection.execute(query).first()
    if row is None:
        return None
    secret = keyring.open(row.key_id, row.sealed, bound_to=_row_name(row.tenant, key)).decode()
    return _key(row, secret)


def other_tenants(connection: sa.Connection, tenant: str) -> frozenset[str]:
    """Return the other tenants that have a key that is not revoked."""
    query = sa.select(api_key.c.tenant).where(api_key.c.revoked_at.is_(None), api_key.c.tenant != tenant)
    return frozenset(connection.scalars(query.distinct()))


def key_of_secret(secret: str) -> str | None:
    """Return the key that a secret names; None if it is not a batchscribe secret."""
    parts = secret.split("_", 2)
    return f"{KEY_PREFIX}_{parts[1]}" if len(parts) == 3 and parts[0] == SECRET_PREFIX else None


def list_keys(connection: sa.Connection) -> list[ApiKey]:
    """Return all keys, including revoked ones, oldest first."""
    rows = connection.execute(sa.select(api_key).order_by(api_key.c.created_at, api_key.c.api_key))
    return [_key(row) for row in rows]


def list_unreadable_keys(connection: sa.Connection, keyring: Keyring) -> list[ApiKey]:
    """Return the keys that are not revoked but sealed with a key that is not configured, oldest first."""
    is_lost = (api_key.c.revoked_at.is_(None), api_key.c.key_id.not_in(keyring.key_ids))
    query = sa.select(api_key).where(*is_lost).order_by(api_key.c.created_at, api_key.c.api_key)
    return [_key(row) for row in connection.execute(query)]


def list_keys_of(connection: sa.Connection, tenant: str) -> list[ApiKey]:
    """Return the keys of a tenant, including revoked ones, oldest first."""
    query = sa.select(api_key).where(api_key.c.tenant == tenant)
    return [_key(row) for row in connection.execute(query.order_by(api_key.c.created_at, api_key.c.api_key))]


def revoke_key_of(connection: sa.Connection, tenant: str, key: str) -> bool:
    """Revoke a key as `revoke_key` does. Raises `KeyNotFound`, also for other tenants' keys."""
    if "\0" in key or connection.scalar(sa.select(api_key.c.tenant).where(api_key.c.api_key == key)) != tenant:
        raise KeyNotFound(f"There is no API key {key}; the Keys page lists all keys.")
    return revoke_key(connection, key)


def revoke_key(connection: sa.Connection, key: str) -> bool:
    """Revoke the key; return False if it was already revoked. Raises `KeyNotFound`."""
    if connection.scalar(sa.select(api_key.c.api_key).where(api_key.c.api_key == key)) is None:
        raise KeyNotFound(f"There is no API key {key}; `batchscribe keys list` shows all keys.")
    statement = sa.update(api_key).where(api_key.c.api_key == key, api_key.c.revoked_at.is_(None))
    return connection.execute(statement.values(revoked_at=time.time())).rowcount == 1


def _key(row: sa.Row[Any], secret: str = "") -> ApiKey:
    revoked_at = None if row.revoked_at is None else _moment(row.revoked_at)
    return ApiKey(row.api_key, row.tenant, _moment(row.created_at), revoked_at, secret)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _row_name(tenant: str, key: str) -> str:
    return f"api_key/{tenant}/{key}"
