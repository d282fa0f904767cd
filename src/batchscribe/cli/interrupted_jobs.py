"""Jobs that have not ended although no process works on them, and the commands that resume them."""

from __future__ import annotations

import shlex
import socket
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from batchscribe.database.lane_rows import LaneUser, lane_users, lanes_of_live_jobs
from batchscribe.errors import JobInterrupted
from batchscribe.queue.records import Records
from batchscribe.queue.tasks import SERVER_LANE
from batchscribe.settings import Settings
from batchscribe.wire.base import JsonObject
from batchscribe.worker.data_directory import read_lock_holder


def resume_command(job_id: str, data_dir: Path) -> str:
    """Return the command that resumes a job of the command line, for a shell in any folder."""
    return shlex.join(["batchscribe", "jobs", "resume", job_id, "--data-dir", str(data_dir.absolute())])


def serve_command(data_dir: Path) -> str:
    """Return the command that continues the jobs of a server, for a shell in any folder."""
    return shlex.join(["batchscribe", "serve", "--data-dir", str(data_dir.absolute())])


def find_interrupted(records: Records, settings: Settings, job_ids: Collection[str]) -> dict[str, str]:
    """Return the commands that resume those jobs on which no process works, by job ID.

    Jobs of a fleet's servers wait in their queue and are not interrupted, even if no worker runs.
    """
    served = _find_served_lanes(records, settings)
    if served is None:
        return {}
    with records.transaction() as connection:  # after the look at the processes: a job may have ended in between
        lanes = lanes_of_live_jobs(connection, job_ids)
    return {job_id: _continue_command(job_id, lane, settings) for job_id, lane in lanes.items() if lane not in served}


def needed_server(records: Records, settings: Settings) -> str | None:
    """Return the command that starts the server of a data directory, or None if one works or a fleet does its work."""
    served = _find_served_lanes(records, settings)
    return None if served is None or SERVER_LANE in served else serve_command(settings.data_dir)


def _find_served_lanes(records: Records, settings: Settings) -> frozenset[str] | None:
    """Return the lanes in which processes work; None if one works whose lanes are unknown, as it starts or ends."""
    holder = _read_holder(settings.data_dir)
    with records.transaction() as connection:
        users = lane_users(connection, silent_sec=settings.silent_sec)
    working = [user for user in users if _is_working(user, holder, settings.data_dir)]
    if holder is not None and all(user.pid != holder for user in working):
        return None
    of_fleet = {SERVER_LANE} if settings.is_fleet else set()
    return frozenset({lane for user in working for lane in user.lanes} | of_fleet)


def _read_holder(data_dir: Path) -> int | None:
    """Return the process that works in the data directory, or None. An unreadable lock is that of another user."""
    try:
        return read_lock_holder(data_dir)
    except OSError:
        return None


def _is_working(user: LaneUser, holder: int | None, data_dir: Path) -> bool:
    """Return whether the process is alive: by the lock of this data directory, else by its heartbeat."""
    return user.pid == holder if _is_home(user.home, data_dir) else not user.is_silent


def _is_home(home: str | None, data_dir: Path) -> bool:
    """Return whether a home, as `name_home` writes it, is this data directory."""
    host, _, folder = (home or "").partition(":")
    return host == socket.gethostname() and Path(folder).resolve() == data_dir.resolve()


def _continue_command(job_id: str, lane: str, settings: Settings) -> str:
    return serve_command(settings.data_dir) if lane == SERVER_LANE else resume_command(job_id, settings.data_dir)


class InterruptionLimit:
    """Ends the wait for a job on which no process has worked for some time."""

    def __init__(
        self,
        find: Callable[[JsonObject], Mapping[str, str]],
        *,
        limit_sec: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`find` returns the command that resumes a job, by its ID, if no process works on it."""
        self._find = find
        self._limit_sec = limit_sec
        self._clock = clock
        self._since: float | None = None

    def check(self, job: JsonObject) -> Mapping[str, str]:
        """Return the command, by the ID of the job, if it is interrupted. Raises `JobInterrupted`."""
        found = self._find(job)
        if not found:
            self._since = None
            return found
        if self._since is None:
            self._since = self._clock()
        if self._clock() - self._since > self._limit_sec:
            job_id, command = next(iter(found.items()))
            raise JobInterrupted(f"{job_id} is interrupted: no process works on it. Resume it: {command}")
        return found
