"""Jobs, shards, files and sealed secrets."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "job",
        sa.Column("number", key, primary_key=True, autoincrement=True),
        sa.Column("job_id", sa.String, nullable=False, unique=True),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("lane", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("submitted_at", sa.Double, nullable=False),
        sa.Column("completed_at", sa.Double),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("sources", sa.JSON, nullable=False),
        sa.Column("file_roots", sa.JSON, nullable=False),
        sa.Column("s3", sa.JSON, nullable=False),
        sa.Column("engine", sa.String, nullable=False),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("cursor_source", sa.Integer, nullable=False),
        sa.Column("cursor_after", sa.String),
        sa.Column("last_seq", sa.Integer, nullable=False),
        sa.Column("last_shard", sa.Integer, nullable=False),
        sa.Column("listed", sa.Boolean, nullable=False),
        sa.Column("shards_done", sa.Integer, nullable=False),
        sa.Column("total_files", sa.Integer, nullable=False),
        sa.Column("succeeded", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("skipped", sa.Integer, nullable=False),
        sa.Column("audio_sec", sa.Double, nullable=False),
        sa.Column("estimated_audio_sec", sa.Double, nullable=False),
        sa.Column("error_code", sa.String),
        sa.Column("error_message", sa.String),
        sqlite_autoincrement=True,
    )
    op.create_index("job_by_fingerprint", "job", ["fingerprint", "state"])
    op.create_index("job_by_tenant", "job", ["tenant", "number"])
    op.create_table(
        "shard",
        sa.Column("job", key, sa.ForeignKey("job.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("succeeded", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("skipped", sa.Integer, nullable=False),
        sa.Column("audio_sec", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    running = sa.text("state = 'RUNNING'")
    op.create_index("shard_running", "shard", ["job"], sqlite_where=running, postgresql_where=running)
    op.create_table(
        "file",
        sa.Column("job", key, sa.ForeignKey("job.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("shard", sa.Integer),
        sa.Column("input_uri", sa.String, nullable=False),
        sa.Column("output_uri", sa.String, nullable=False),
        sa.Column("output_hash", sa.BigInteger),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("duration_sec", sa.Double),
        sa.Column("error_code", sa.String),
        sa.Column("error_message", sa.String),
        sa.Column("warnings", sa.JSON),
        sqlite_with_rowid=False,
    )
    op.create_index("file_by_shard", "file", ["job", "shard"])
    op.create_index("file_by_output", "file", ["job", "output_hash"], unique=True)
    op.create_table(
        "secret",
        sa.Column("job", key, sa.ForeignKey("job.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
