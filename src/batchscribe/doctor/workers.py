"""Who works, and what waits for them."""

from __future__ import annotations

import sqlalchemy as sa

from batchscribe import __version__
from batchscribe.database.backlog import backlog_by_tenant, engines_waited_for
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
    if unheard := _unheard(connection, live):
        return warning(
            NAME,
            f"{found} {unheard}",
            "Start a worker that has it, or cancel these jobs. The doctor tells on each machine which engines it has.",
        )
    if sick := [each for each in live if each.troubles]:
        told = " ".join(f"{each.name}: {reason}" for each in sick for reason in each.troubles.values())
        return warning(
            NAME,
            f"{found} {len(sick)} cannot do part of their work. {told}",
            "Repair these machines. The other workers do what they cannot, and they resume by themselves.",
        )
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


def _unheard(connection: sa.Connection, live: list[WorkerRecord]) -> str:
    """Jobs that were accepted while there was a worker with their engine."""
    for lane in dict.fromkeys(lane for worker in live for lane in worker.lanes):
        there = {engine.name for worker in live if lane in worker.lanes for engine in worker.engines}
        for engine, jobs in engines_waited_for(connection, lane).items():
            if engine not in there:
                return f"Jobs that wait for the engine {engine}, which none of them has: {jobs}."
    return ""


def _sentence(live: list[WorkerRecord], silent: list[WorkerRecord], waiting: int) -> str:
    parts = [f"{len(live)} at work{_names(live)}"]
    if silent:
        parts.append(f"{len(silent)} silent{_names(silent)}")
    return f"{', '.join(parts)}; {waiting} files wait or are worked on."


def _names(workers: list[WorkerRecord]) -> str:
    names = list(dict.fromkeys(each.name for each in workers))
    return f" ({', '.join(names)})" if names else ""
