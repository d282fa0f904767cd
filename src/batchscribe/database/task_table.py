"""Which queues have waiting tasks: the query that a process repeats as long as it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from batchscribe.database.connect import Database, is_postgresql


@dataclass(frozen=True, slots=True)
class WaitingTasks:
    """The result of one look at the task table."""

    queues: frozenset[str]  #: with tasks that no process has taken
    due_at: float | None  #: when the first delayed task of these queues is due: Unix time


class TaskTable:
    """The queue's table of tasks, read over a separate connection: one round trip without a transaction.

    It calls the driver directly. After a sleep of a quarter of a second, the code of SQLAlchemy is no longer in the
    processor caches, and SQLAlchemy takes three times as long as everything else.
    """

    def __init__(self, database: Database, queues: Sequence[str], *, schema: str) -> None:
        """`schema` is that of the table on PostgreSQL."""
        self._database = database
        self._queues = queues
        statement = _statement(queues, schema=schema if is_postgresql(database) else None)
        self.sql = str(statement.compile(database, compile_kwargs={"literal_binds": True}))
        self._connection: Any = None  #: the driver's connection
        #: Errors that `look` may raise.
        self.errors = (sa.exc.SQLAlchemyError, database.dialect.loaded_dbapi.Error)

    def look(self) -> WaitingTasks:
        """Query the table once. After an error, call `close`; the next look then opens a new connection."""
        connection = self._connection or self._connect()
        [(*has_task, due_ms)] = connection.execute(self.sql).fetchall()
        return WaitingTasks(
            queues=frozenset(queue for queue, found in zip(self._queues, has_task, strict=True) if found),
            due_at=None if due_ms is None else due_ms / 1000,
        )

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> Any:
        pooled = self._database.raw_connection()
        self._connection = pooled.driver_connection
        pooled.detach()  # from now on, this object configures and closes it
        self._database.dialect.set_isolation_level(self._connection, "AUTOCOMMIT")
        if is_postgresql(self._database):
            # PostgreSQL plans the statement once. With an empty table, it would choose to read the whole table.
            self._connection.execute("SET enable_seqscan = off")
        return self._connection


def _statement(queues: Sequence[str], schema: str | None) -> sa.Select[*tuple[Any, ...]]:
    """Build the query. SQLite uses a partial index only if the query repeats the exact condition of that index."""
    names = ("queue_name", "status", "delay_until_epoch_ms")
    task = sa.table("workflow_status", *(sa.column(name) for name in names), schema=schema).c
    is_enqueued = sa.and_(task.status == "ENQUEUED", task.status.in_(["ENQUEUED", "PENDING"]))
    is_delayed = sa.and_(task.status == "DELAYED", task.queue_name.in_(queues))
    return sa.select(
        *(sa.exists(sa.select(task.status).where(task.queue_name == name, is_enqueued)) for name in queues),
        sa.select(sa.func.min(task.delay_until_epoch_ms)).where(is_delayed).scalar_subquery(),
    )
