"""Tasks of the flow in tests: who ran them, and what is stored about them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from batchscribe.queue.task_queue import Handler
from batchscribe.queue.tasks import CLEAR, DELIVER, ENUMERATE, FINISH, SHARD
from tests.databases import engine_tasks


class Diary:
    """Records which tasks ran."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, int]] = []

    def write(self, job_id: str, number: int) -> None:
        self.ran.append((job_id, number))

    def handlers(self, **others: Handler) -> dict[str, Handler]:
        return dict.fromkeys((ENUMERATE, SHARD, FINISH, CLEAR, DELIVER), self.write) | others


def statuses(engine: sa.Engine) -> dict[str, str]:
    with engine.begin() as connection:
        return engine_tasks(connection)


@contextmanager
def said_by_the_engine() -> Iterator[list[str]]:
    """Yield what DBOS logs during the block: the error if there is one, else the message."""
    said: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: said.append(  # type: ignore[method-assign]
        str(record.exc_info[1]) if record.exc_info else record.getMessage()
    )
    logging.getLogger("dbos").addHandler(listener)
    try:
        yield said
    finally:
        logging.getLogger("dbos").removeHandler(listener)
