"""What a worker's machine cannot do now, so that jobs go to those that can do them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("worker", sa.Column("troubles", sa.JSON()))
