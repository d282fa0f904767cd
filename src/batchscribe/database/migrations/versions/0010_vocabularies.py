"""The vocabularies that tenants store for their jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0010_fits_0007"
down_revision = "0009_fits_0007"


def upgrade() -> None:
    op.create_table(
        "vocabulary",
        sa.Column("vocabulary_id", sa.String, primary_key=True),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("name", sa.String),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.create_index("vocabulary_by_tenant", "vocabulary", ["tenant", "created_at", "vocabulary_id"])
