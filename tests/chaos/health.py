"""The health that workers report: polled from outside, and recorded in the ledger when it changes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import sqlalchemy as sa

from batchscribe.database.connect import open_database
from tests.chaos.houses import House, Shape

LOOK_SEC = 0.5
ANSWER_SEC = 2.0


@contextmanager
def watched_health(house: House) -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(house, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _watch(house: House, over: threading.Event) -> None:
    """Record `told`: the process, and what it cannot do now. `ready`: the answer of `/readyz`."""
    engine = open_database(house.database_url)
    known: dict[int, list[str]] = {}
    status: int | None = None
    while not over.wait(LOOK_SEC):
        for pid, parts in _troubles(engine).items():
            if parts != known.get(pid, []):
                house.ledger.note("told", target=pid, parts=parts)
            known[pid] = parts
        if house.shape is Shape.EMBEDDED:
            before, status = status, _readiness(house.url)
            if status != before:
                house.ledger.note("ready", status=status)
    engine.dispose()


def _troubles(engine: sa.Engine) -> dict[int, list[str]]:
    """Return troubles by process; none while the database is down."""
    try:
        with engine.connect() as connection:
            rows = list(connection.execute(sa.text("SELECT pid, troubles FROM worker")))
    except sa.exc.SQLAlchemyError:
        return {}
    return {
        row.pid: sorted(json.loads(row.troubles) if isinstance(row.troubles, str) else row.troubles) for row in rows
    }


def _readiness(url: str) -> int | None:
    """Return the answer of `/readyz`; None if there is none."""
    try:
        return httpx2.get(f"{url}/readyz", timeout=ANSWER_SEC).status_code
    except httpx2.HTTPError:
        return None
