"""How SQLite is to read the tables of a job.

Without statistics it takes a job to have ten files, so that one index looks as good as another, and reads all of them:
showing a job of a million took minutes. These are of such a job, and stay: nothing runs ANALYZE. PostgreSQL keeps its
own.
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
