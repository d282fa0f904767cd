"""Deletion of rows that have expired: secrets, and sessions of the web interface."""

from __future__ import annotations

import sqlalchemy as sa

from batchscribe.database.bulk import UnixNow
from batchscribe.database.sealed import delete_expired_secrets
from batchscribe.database.tables import web_session


def delete_expired(connection: sa.Connection) -> None:
    delete_expired_secrets(connection)
    connection.execute(sa.delete(web_session).where(web_session.c.expires_at <= UnixNow()))
