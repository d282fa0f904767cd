"""The credentials of a job in this process. They can be replaced while in use, and files can wait for fresh ones.

Expired credentials are not the fault of a file. If storage has ever accepted the job's credentials, a shard whose files
find them expired requeues these files, inserts a row into `waiting` and ends its task. So it occupies no slot. The
request `PUT credentials` raises the version of the credentials and enqueues one task, `wake`. That task enqueues
everything that waits. If no fresh credentials arrive in time, the task `give_up` does the same, and the files fail.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import structlog

from batchscribe.database.connect import DATABASE_TROUBLE, cause_of
from batchscribe.database.job_rows import find_job
from batchscribe.database.waiting_rows import (
    LISTING,
    accept_credentials,
    credentials_of,
    credentials_version,
    delete_waiting,
    give_up,
    hold_credentials,
    insert_waiting,
    take_waiting,
)
from batchscribe.jobs.model import Job
from batchscribe.queue.records import Records
from batchscribe.queue.tasks import ENUMERATE, GIVE_UP, SHARD, Task
from batchscribe.stages.sealed_credentials import SIDES, open_credentials
from batchscribe.storage.access import Credentials

log = structlog.get_logger()

WOKEN_AT_ONCE = 100  #: tasks enqueued in one transaction


class JobKeys:
    """The credentials of one job. Thread-safe. Opening them may raise `SecretKeyChanged`."""

    def __init__(
        self, job: Job, records: Records, credentials: Mapping[str, Credentials | None], *, wait_sec: float
    ) -> None:
        """`credentials` are given by side. `wait_sec` is how long files wait for fresh ones; 0: they fail at once."""
        self.version = job.credentials_version
        self._job = job
        self._records = records
        self._wait_sec = wait_sec
        self._accepted = not (wait_sec and any(credentials.values()))  # no record is needed if files cannot wait
        self._lock = threading.Lock()
        self._credentials = credentials

    @classmethod
    def open(cls, job: Job, records: Records, *, wait_sec: float) -> Self:
        return cls(job, records, _opened(records, job), wait_sec=wait_sec)

    def of_side(self, side: str) -> SideKeys:
        return SideKeys(self, side)

    def newest(self, side: str) -> Credentials | None:
        return self._credentials[side]

    def look(self) -> None:
        """Switch to the newest credentials."""
        try:
            with self._records.transaction() as connection:
                version = credentials_version(connection, self._job.number)
        except DATABASE_TROUBLE as error:  # keep the current ones
            log.warning("database.trouble", error=cause_of(error))
            return
        self.take(version)

    def take(self, version: int) -> None:
        """Open the credentials of this version unless they are open already."""
        with self._lock:
            if version > self.version:
                self._credentials, self.version = _opened(self._records, self._job), version

    def accept(self) -> None:
        """Record that storage accepted the credentials. When they expire later, files wait for fresh ones."""
        if not self._accepted:
            with self._records.transaction() as connection:
                accept_credentials(connection, self._job.number)
            self._accepted = True

    def may_wait(self) -> bool:
        """Return whether files may wait for fresh credentials, or use fresh ones that have arrived meanwhile."""
        if not self._wait_sec:
            return False
        with self._records.transaction() as connection:
            on_record = credentials_of(connection, self._job.number)
        return (on_record.accepted or self._job.is_listed_from_cloud) and on_record.may_be_waited_for

    def wait(self, shard: int, version: int) -> bool:
        """Register a shard, or the listing, to resume when there are newer credentials than of this version.

        Returns False if it can continue at once: newer ones have arrived, or the wait is over. Returns True without
        waiting for anything if the job has ended.
        """
        with self._records.transaction() as connection:
            on_record = hold_credentials(connection, self._job.number)
            if on_record.version != version or not on_record.may_be_waited_for:
                return False
            delete_waiting(connection, self._job.number, shard)
            if not on_record.job_is_live:
                return True
            is_first = insert_waiting(connection, self._job.number, shard, version)
            last_word = Task(GIVE_UP, self._job.job_id, version, lane=self._job.lane, tenant=self._job.tenant)
            self._records.flow.enqueue(connection, last_word, delay_sec=self._wait_sec)
        if is_first:
            log.warning("job.waits_for_credentials", job_id=self._job.job_id, tenant=self._job.tenant)
        return True


@dataclass(frozen=True, slots=True)
class SideKeys:
    """The credentials of the input or of the output: `RenewableCredentials` of storage."""

    _keys: JobKeys
    _side: str

    @property
    def newest(self) -> Credentials | None:
        return self._keys.newest(self._side)

    def look(self) -> None:
        self._keys.look()


def _opened(records: Records, job: Job) -> dict[str, Credentials | None]:
    return {side: open_credentials(records, job, side) for side in SIDES}


def wake(job_id: str, records: Records) -> None:
    """Enqueue the tasks that no longer need to wait. Do nothing if the job was deleted meanwhile."""
    with records.transaction() as connection:
        job = find_job(connection, job_id)
    while job is not None:
        with records.transaction() as connection:
            woken = take_waiting(connection, job.number, limit=WOKEN_AT_ONCE)
            for each in woken:
                records.flow.enqueue(connection, _task(job, each.shard, attempt=each.number))
        if not woken:
            return


def give_up_waiting(job_id: str, version: int, records: Records) -> None:
    """End the wait for credentials newer than this version: waiting tasks resume without them, and fail."""
    with records.transaction() as connection:
        job = find_job(connection, job_id)
        gave_up = job is not None and give_up(connection, job.number, version)
    if job is not None and gave_up:
        log.warning("job.gave_up_waiting", job_id=job_id, tenant=job.tenant)
        wake(job_id, records)


def _task(job: Job, shard: int, *, attempt: int) -> Task:
    if shard == LISTING:
        return Task(ENUMERATE, job.job_id, job.cursor.seq, lane=job.lane, tenant=job.tenant, attempt=attempt)
    return Task(SHARD, job.job_id, shard, lane=job.lane, tenant=job.tenant, engine=job.queue_key, attempt=attempt)
