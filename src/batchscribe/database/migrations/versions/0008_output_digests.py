"""What a transcript that was being written contained, so that the next attempt recognizes it in any format."""

import sqlalchemy as sa
from alembic import op

revision = "0008_fits_0007"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("file", sa.Column("output_digests", sa.JSON(none_as_null=True)))
