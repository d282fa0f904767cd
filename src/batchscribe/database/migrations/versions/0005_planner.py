"""Statistics for PostgreSQL's query planner.

Its statistics cover earlier jobs. It assumes that a new job has no files, so that all indexes look equally good, and it
may scan any of them completely: checking whether an output name is used then took 0.1 s for each thousand files found
so far, and a shard of a million-file job took 0.5 s to begin. Without statistics on this column, PostgreSQL assumes
that each job has one in two hundred of all files.
"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE file ALTER COLUMN job SET STATISTICS 0")
