"""Fresh credentials for running jobs, and what waits for them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("job", sa.Column("credentials_version", sa.Integer, nullable=False, server_default="0"))
    op.add_column("job", sa.Column("credentials_accepted", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("job", sa.Column("credentials_given_up", sa.Integer, nullable=False, server_default="-1"))
    key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "waiting",
        sa.Column("number", key, primary_key=True, autoincrement=True),
        sa.Column("job", key, sa.ForeignKey("job.number", ondelete="CASCADE"), nullable=False),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("waiting_of_job", "waiting", ["job", "shard"], unique=True)
