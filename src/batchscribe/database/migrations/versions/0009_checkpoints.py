"""The words of files in progress, so that another attempt continues there, and the model of each job."""

import sqlalchemy as sa
from alembic import op

revision = "0009_fits_0007"
down_revision = "0008_fits_0007"


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.add_column("job", sa.Column("model", sa.String))
    op.add_column("job", sa.Column("model_revision", sa.String))
    op.create_table(
        "checkpoint",
        sa.Column("job", key, sa.ForeignKey("job.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True),
        sa.Column("n_known", sa.Integer, nullable=False),
        sa.Column("identity", sa.String, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
