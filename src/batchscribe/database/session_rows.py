"""Queries on the sessions of the web interface. A session ends with its API key."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass

import sqlalchemy as sa

from batchscribe.database.tables import api_key, web_session

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class WebSession:
    """A live session."""

    tenant: str
    api_key: str
    expires_at: float


def create_session(connection: sa.Connection, key: str, *, life_sec: float) -> str:
    """Create a session and return its token, which is not stored. Expired sessions are deleted."""
    moment = time.time()
    connection.execute(sa.delete(web_session).where(web_session.c.expires_at <= moment))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    values = {"token_digest": _digest(token), "api_key": key, "expires_at": moment + life_sec}
    connection.execute(sa.insert(web_session).values(values))
    return token


def find_session(connection: sa.Connection, token: str) -> WebSession | None:
    """Return the session; None if it has ended or its key was revoked."""
    query = (
        sa.select(api_key.c.tenant, api_key.c.api_key, web_session.c.expires_at)
        .join(api_key, api_key.c.api_key == web_session.c.api_key)
        .where(
            web_session.c.token_digest == _digest(token),
            web_session.c.expires_at > time.time(),
            api_key.c.revoked_at.is_(None),
        )
    )
    row = connection.execute(query).first()
    return None if row is None else WebSession(row.tenant, row.api_key, row.expires_at)


def end_session(connection: sa.Connection, token: str) -> None:
    connection.execute(sa.delete(web_session).where(web_session.c.token_digest == _digest(token)))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
