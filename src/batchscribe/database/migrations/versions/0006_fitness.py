"""What a worker's machine cannot do at present, so that jobs go to other workers."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("worker", sa.Column("troubles", sa.JSON()))
