"""Recordings that `batchscribe watch` has taken."""

import sqlalchemy as sa
from alembic import op

revision = "0013_fits_0007"
down_revision = "0012_fits_0007"


def upgrade() -> None:
    op.create_table(
        "watched",
        sa.Column("watch", sa.String, primary_key=True),
        sa.Column("uri_digest", sa.String, primary_key=True),
        sa.Column("uri", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("content", sa.String, nullable=False),
        sa.Column("job_id", sa.String),
        sa.Column("replaces", sa.Boolean, nullable=False),
        sa.Column("is_done", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
