"""Statistics for SQLite's query planner.

Without statistics, SQLite assumes ten files per job, so that all indexes look equally good, and it reads all files:
showing a job of a million files took minutes. These statistics are those of such a job. They stay, because nothing runs
ANALYZE. PostgreSQL keeps its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

#: Rows in the index, then rows that share its first column, its first two, and so on.
STATISTICS = {
    ("shard", "shard"): "20000 20000 1",
    ("shard", "shard_running"): "10 10",
    ("file", "file"): "1000000 1000000 1",
    ("file", "file_by_shard"): "1000000 1000000 64",
    ("file", "file_by_state"): "1000000 1000000 200000 1",
    ("file", "file_by_output"): "1000000 1000000 1",
}


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute("ANALYZE sqlite_master")  # makes the table of statistics
    table = sa.table("sqlite_stat1", sa.column("tbl"), sa.column("idx"), sa.column("stat"))
    op.bulk_insert(table, [{"tbl": of, "idx": name, "stat": stat} for (of, name), stat in STATISTICS.items()])
    op.execute("ANALYZE sqlite_master")  # has them read
