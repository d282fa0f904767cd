"""Who works, and what waits for them."""

from __future__ import annotations

import sqlalchemy as sa

from batchscribe import __version__
from batchscribe.database.backlog import backlog_by_tenant
from batchscribe.database.worker import live_workers, silent_workers
from batchscribe.doctor.check import Check, ok, warning
from batchscribe.jobs.fleet import WorkerRecord
from batchscribe.settings import Settings

NAME = "workers"


def check_workers(connection: sa.Connection, settings: Settings) -> Check:
    silent = silent_workers(connection, silent_sec=settings.silent_sec)
    live = live_workers(connection, silent_sec=settings.silent_sec)
    waiting = sum(each.files for each in backlog_by_tenant(connection))
    found = _sentence(live, silent, waiting)
    if waiting and not live:
        return warning(NAME, found, "Start one: `batchscribe worker` or `batchscribe serve`.")
    if others := {each.version for each in live} - {__version__}:
        return warning(
            NAME,
            f"{found} Some run {', '.join(sorted(others))}, and this is {__version__}.",
            "Let all processes run one release.",
        )
    if silent:
        return warning(
            NAME, found, "Look at these machines. What they had is done by the others, once one of them is alive."
        )
    return ok(NAME, found)


def _sentence(live: list[WorkerRecord], silent: list[WorkerRecord], waiting: int) -> str:
    parts = [f"{len(live)} at work{_names(live)}"]
    if silent:
        parts.append(f"{len(silent)} silent{_names(silent)}")
    return f"{', '.join(parts)}; {waiting} files wait or are worked on."


def _names(workers: list[WorkerRecord]) -> str:
    names = list(dict.fromkeys(each.name for each in workers))
    return f" ({', '.join(names)})" if names else ""
