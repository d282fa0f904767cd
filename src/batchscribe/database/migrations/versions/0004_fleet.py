"""Workers on many machines: their registration, periodic tasks, shard runs, and indexes for monitoring."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "worker",
        sa.Column("worker_id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("home", sa.String),
        sa.Column("lanes", sa.JSON, nullable=False),
        sa.Column("slots", sa.Integer, nullable=False),
        sa.Column("engines", sa.JSON, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
    )
    turn = op.create_table(
        "turn",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("taken_at", sa.Double, nullable=False),
    )
    op.bulk_insert(turn, [{"name": "reap", "taken_at": 0.0}, {"name": "sweep", "taken_at": 0.0}])
    op.create_table(
        "sealing_key",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key_id", sa.String, nullable=False),
    )
    op.add_column("job", sa.Column("speed", sa.Double, nullable=False, server_default="1"))
    op.add_column("job", sa.Column("tracking_id", sa.String))
    op.add_column("shard", sa.Column("run", sa.Integer, nullable=False, server_default="0"))
    has_warnings, is_pending = sa.text("warnings IS NOT NULL"), sa.text("state = 'PENDING'")
    op.create_index(
        "file_with_warnings", "file", ["job", "seq"], sqlite_where=has_warnings, postgresql_where=has_warnings
    )
    op.create_index(
        "webhook_delivery_pending",
        "webhook_delivery",
        ["created_at"],
        sqlite_where=is_pending,
        postgresql_where=is_pending,
    )
