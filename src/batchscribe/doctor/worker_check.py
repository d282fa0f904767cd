"""Check of the workers and their backlog."""

from __future__ import annotations

from batchscribe import __version__
from batchscribe.check import Check, ok, warning
from batchscribe.database.backlog import backlog_by_tenant
from batchscribe.database.connect import Connection
from batchscribe.database.worker_rows import live_workers, silent_workers
from batchscribe.jobs.worker_record import WorkerRecord
from batchscribe.settings import Settings
from batchscribe.worker.stranded_jobs import describe_stranded, find_stranded_jobs

NAME = "workers"


def check_workers(connection: Connection, settings: Settings) -> Check:
    silent = silent_workers(connection, silent_sec=settings.silent_sec)
    live = live_workers(connection, silent_sec=settings.silent_sec)
    waiting = sum(each.files for each in backlog_by_tenant(connection))
    found = _sentence(live, silent, waiting)
    if waiting and not live:
        return warning(NAME, found, "Start one: `batchscribe worker` or `batchscribe serve`.")
    if stranded := find_stranded_jobs(connection, live):
        return warning(
            NAME,
            " ".join((found, *map(describe_stranded, stranded))),
            "Start a worker that has it, or cancel these jobs and submit them again. On each machine, the doctor lists "
            "the engines and models.",
        )
    if sick := [each for each in live if each.troubles]:
        reasons = " ".join(f"{each.name}: {reason}" for each in sick for reason in each.troubles.values())
        return warning(
            NAME,
            f"{found} {len(sick)} cannot do part of their work. {reasons}",
            "Repair these machines. Other workers take over meanwhile, and these resume by themselves.",
        )
    if others := {each.version for each in live} - {__version__}:
        return warning(
            NAME,
            f"{found} Some run {', '.join(sorted(others))}, and this is {__version__}.",
            "Run the same release in all processes.",
        )
    if silent:
        return warning(NAME, found, "Check these machines. Live workers take over their tasks.")
    return ok(NAME, found)


def _sentence(live: list[WorkerRecord], silent: list[WorkerRecord], waiting: int) -> str:
    parts = [f"{len(live)} at work{_names(live)}"]
    if silent:
        parts.append(f"{len(silent)} silent{_names(silent)}")
    return f"{', '.join(parts)}; {waiting} unfinished files."


def _names(workers: list[WorkerRecord]) -> str:
    names = list(dict.fromkeys(each.name for each in workers))
    return f" ({', '.join(names)})" if names else ""
