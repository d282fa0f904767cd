"""API keys, idempotency keys, webhook deliveries, and lists by state."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    job = sa.ForeignKey("job.number", ondelete="CASCADE")
    op.create_table(
        "api_key",
        sa.Column("api_key", sa.String, primary_key=True),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("revoked_at", sa.Double),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "idempotency",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("idempotency_key", sa.String, primary_key=True),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("job_id", sa.String, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.create_index("idempotency_by_age", "idempotency", ["created_at"])
    op.create_table(
        "webhook_delivery",
        sa.Column("number", key, primary_key=True, autoincrement=True),
        sa.Column("job", key, job, nullable=False),
        sa.Column("event_id", sa.String, nullable=False, unique=True),
        sa.Column("event_type", sa.String, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", sa.Double),
        sqlite_autoincrement=True,
    )
    op.create_index("webhook_delivery_by_job", "webhook_delivery", ["job"])
    op.create_table(
        "webhook_attempt",
        sa.Column("delivery", key, sa.ForeignKey("webhook_delivery.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("sent_at", sa.Double, nullable=False),
        sa.Column("took_sec", sa.Double, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.String),
        sqlite_with_rowid=False,
    )
    op.create_index("job_by_state", "job", ["tenant", "state", "number"])
    op.create_index("file_by_state", "file", ["job", "state", "seq"])
