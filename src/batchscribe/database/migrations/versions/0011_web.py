"""Retries, deletion, replay and usage of jobs; waveforms, names of speakers, and sessions of the web interface."""

import sqlalchemy as sa
from alembic import op

revision = "0011_fits_0007"
down_revision = "0010_fits_0007"

COSTS = {
    "compute_sec": sa.Double,
    "bytes_in": sa.BigInteger,
    "extra_attempts": sa.Integer,
    "estimated_done_sec": sa.Double,
    "estimated_lost_sec": sa.Double,
}


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    for table in ("job", "shard"):
        op.add_column(table, sa.Column("changed_at", sa.Double))
        for name, kind in COSTS.items():
            op.add_column(table, sa.Column(name, kind, nullable=False, server_default="0"))
        # Of jobs in progress, only the real durations are known.
        op.execute(f"UPDATE {table} SET estimated_done_sec = audio_sec WHERE audio_sec > 0")  # noqa: S608 (fixed names)
    op.add_column("job", sa.Column("begun_at", sa.Double))
    # The audio of jobs in progress was done since then. Without this, they would look very fast.
    has_audio = "audio_sec > 0 OR EXISTS (SELECT 1 FROM shard WHERE shard.job = job.number AND shard.audio_sec > 0)"
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    now = "extract(epoch from now())" if is_postgresql else "(julianday('now') - 2440587.5) * 86400.0"
    op.execute(
        f"UPDATE job SET begun_at = submitted_at, changed_at = {now} WHERE state = 'PROCESSING' AND ({has_audio})"  # noqa: S608 (fixed)
    )
    op.add_column("job", sa.Column("retry_number", sa.Integer, nullable=False, server_default="0"))
    op.add_column("job", sa.Column("retry_after", sa.Integer))
    op.add_column("job", sa.Column("secrets", sa.JSON))
    op.add_column("job", sa.Column("deleted_at", sa.Double))
    op.create_index("job_by_end", "job", ["completed_at"])
    is_deleted = sa.text("deleted_at IS NOT NULL")
    op.create_index("job_deleted", "job", ["number"], sqlite_where=is_deleted, postgresql_where=is_deleted)
    op.create_index("idempotency_by_job", "idempotency", ["job_id"])
    op.bulk_insert(sa.table("turn", sa.column("name"), sa.column("taken_at")), [{"name": "clean_up", "taken_at": 0.0}])
    op.add_column("webhook_delivery", sa.Column("replayed_at", sa.Double))
    op.add_column("secret", sa.Column("expires_at", sa.Double))
    op.create_index("secret_by_expiry", "secret", ["expires_at"])
    op.create_table(
        "waveform",
        sa.Column("job", key, sa.ForeignKey("job.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("peak_sec", sa.Double, nullable=False),
        sa.Column("channels", sa.Integer, nullable=False),
        sa.Column("peaks", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "speaker_name",
        sa.Column("job", key, sa.ForeignKey("job.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("label", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
    )
    op.create_table(
        "usage_day",
        sa.Column("tenant", sa.String, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("files", sa.BigInteger, nullable=False),
        sa.Column("audio_sec", sa.Double, nullable=False),
        sa.Column("compute_sec", sa.Double, nullable=False),
        sa.Column("bytes_in", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "web_session",
        sa.Column("token_digest", sa.String, primary_key=True),
        sa.Column("api_key", sa.String, sa.ForeignKey("api_key.api_key", ondelete="CASCADE"), nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
    )
    op.create_index("web_session_by_expiry", "web_session", ["expires_at"])
