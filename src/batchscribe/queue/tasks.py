"""The kinds of durable tasks, and their queues.

A task is (kind, job, number) with an id derived from these, so enqueueing it twice has no effect. A *lane* is a set of
queues: one for each `QueueKind`, and for files one for each engine and model. So a job can be listed and ended while
shards occupy all slots, and a webhook receiver that does not respond delays nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

ENUMERATE, SHARD, FINISH, CLEAR, DELIVER = "enumerate", "shard", "finish", "clear", "deliver"
WAKE, GIVE_UP = "wake", "give_up"  #: for work that waits for credentials: resume with fresh ones, or without
RETRY, PURGE = "retry", "purge"  #: requeue the failed files of a job, delete the rows of a job


SERVER_LANE = "main"  #: of all jobs submitted over HTTP


class QueueKind(StrEnum):
    LISTINGS = "listings"  #: tenants take turns
    FILES = "files"  #: one for each engine and model; tenants take turns
    CONTROL = "control"  #: short tasks that end or resume a job
    WEBHOOKS = "webhooks"  #: tenants take turns
    MAINTENANCE = "maintenance"  #: tenants take turns; workers of earlier releases do not read it


#: All kinds of tasks, and the queue of each.
QUEUES = {
    ENUMERATE: QueueKind.LISTINGS,
    SHARD: QueueKind.FILES,
    FINISH: QueueKind.CONTROL,
    CLEAR: QueueKind.CONTROL,
    WAKE: QueueKind.CONTROL,
    GIVE_UP: QueueKind.CONTROL,
    DELIVER: QueueKind.WEBHOOKS,
    RETRY: QueueKind.MAINTENANCE,
    PURGE: QueueKind.MAINTENANCE,
}


@dataclass(frozen=True, slots=True)
class Task:
    """One durable task. `priority`: the smallest goes first, then the oldest.

    The priority of a shard follows its number, so new jobs overtake large ones. Listings take turns. For `wake` and
    `give_up`, `number` is the version of the credentials; for `retry` and `finish`, that of the job's retry.
    """

    kind: str
    job_id: str
    number: int = 0
    lane: str = SERVER_LANE
    tenant: str = "default"
    engine: str = ""  #: for shards: the engine or the key of its model; see `Job.queue_key`
    attempt: int = 0  #: of a delivery, or after waiting for credentials; each is a separate task
    again: int = 0  #: distinguishes a task that is to be done again: the retry of the job, or the time of a replay

    @property
    def task_id(self) -> str:
        again = (f"-{self.attempt}" if self.attempt else "") + (f"-r{self.again}" if self.again else "")
        match self.kind:
            case "shard":
                return f"{self.job_id}-{self.number}{again}"
            case "enumerate" if self.number or self.attempt or self.again:  # not its first turn
                return f"{self.kind}-{self.job_id}-{self.number}{again}"
            case "deliver":
                suffix = f"-r{self.again}" if self.again else ""
                return f"{self.kind}-{self.job_id}-{self.number}-{self.attempt}{suffix}"
            case "finish" if not self.number:
                return f"{self.kind}-{self.job_id}"
            case "wake" | "give_up" | "retry" | "finish":
                return f"{self.kind}-{self.job_id}-{self.number}"
        return f"{self.kind}-{self.job_id}"

    @property
    def queue(self) -> str:
        return queue_name(self.lane, QUEUES[self.kind], self.engine)

    @property
    def is_partitioned(self) -> bool:
        """Whether tenants take turns in its queue."""
        return QUEUES[self.kind] is not QueueKind.CONTROL

    @property
    def priority(self) -> int:
        return 1 if self.kind == ENUMERATE else self.number + 1


@dataclass(frozen=True, slots=True)
class TakenTask:
    """A task that a process has begun and not ended."""

    task_id: str
    executor_id: str  #: of that process
    queue: str


def queue_name(lane: str, kind: QueueKind, engine: str = "") -> str:
    """Return the name of a queue. `engine` is for files only."""
    return f"{lane}-{kind}-{engine}" if kind is QueueKind.FILES else f"{lane}-{kind}"


def queues(lane: str, engines: Iterable[str]) -> tuple[str, ...]:
    """Return the names of all queues of a lane."""
    others = (queue_name(lane, kind) for kind in QueueKind if kind is not QueueKind.FILES)
    return *others, *(queue_name(lane, QueueKind.FILES, engine) for engine in engines)


def prefixes_of_ids(job_id: str) -> list[str]:
    """Return the beginnings of the IDs of all tasks of a job."""
    return [f"{job_id}-", *(f"{kind}-{job_id}" for kind in QUEUES if kind != SHARD)]


def kinds_of(queue: QueueKind) -> tuple[str, ...]:
    return tuple(kind for kind, each in QUEUES.items() if each is queue)
