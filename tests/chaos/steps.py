"""The named steps of the flow at which a process can be killed, and their places in the code.

The function that a module calls there is wrapped, only in the process under test.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Side(StrEnum):
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Step:
    """`place` is `module:function` below `batchscribe`, in the calling module; `side` is before or after the call."""

    name: str
    meaning: str
    side: Side
    place: str

    def watch(self, passed: Callable[[], None]) -> None:
        """Call `passed` whenever this process reaches the step."""
        module_name, _, path = self.place.partition(":")
        owner: Any = importlib.import_module(f"batchscribe.{module_name}")
        *parents, name = path.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        setattr(owner, name, _watched(getattr(owner, name), self.side, passed))


def _watched(function: Callable[..., Any], side: Side, passed: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(function)
    def watched(*args: Any, **options: Any) -> Any:
        if side is Side.BEFORE:
            passed()
        result = function(*args, **options)
        if side is Side.AFTER:
            passed()
        return result

    return watched


B, A = Side.BEFORE, Side.AFTER

#: In the order of a job; then the steps of a worker's start and of another worker's death.
STEPS = (
    Step("submit-stored", "the job is stored, not committed", A, "intake.submit:insert_job"),
    Step("submit-committed", "the job is committed, its client not answered", A, "api.job_routes:submit"),
    Step("task-taken", "DBOS has given a task to a worker, which has not started it", B, "queue.flow:_work"),
    Step("enumerate-begun", "the listing has started, not committed", A, "stages.enumerate_files:begin_job"),
    Step(
        "page-stored", "a page's files and shards are stored, not committed", A, "stages.enumerate_files:insert_shards"
    ),
    Step("page-committed", "a page is committed, the next one not read", A, "stages.enumerate_files:_store_page"),
    Step("shard-begun", "a shard has started, not committed", A, "stages.shard:begin_shard"),
    Step("shard-opened", "a shard has started, none of its files is claimed", B, "stages.shard:_work_all"),
    Step("file-claimed", "a file is claimed, not opened", B, "stages.shard:transcribe_file"),
    Step("write-begun", "a transcript is about to be written", A, "stages.shard:_begin_write"),
    Step("transcript-written", "a transcript is written, its file's row not", A, "stages.shard:transcribe_file"),
    Step("outcome-stored", "a file's final state is stored, not committed", A, "stages.settle:commit_outcome"),
    Step("outcome-committed", "a file's final state is committed, its shard continues", A, "stages.shard:_commit"),
    Step("shard-ended", "a shard's end is stored, not committed", A, "stages.shard:add_shard_counters"),
    Step("finish-enqueued", "the last shard's end is committed, DBOS not informed", A, "stages.shard:_close"),
    Step("task-done", "a task is done, DBOS not informed", A, "queue.flow:_work"),
    Step("job-ended", "a job's end and its webhook are stored, not committed", A, "stages.finish:end_within"),
    Step("job-committed", "a job's end is committed, its queues not cleared", B, "stages.finish:clear_queues"),
    Step("queues-canceled", "its shards are canceled in the queues, not deleted", B, "queue.flow:Flow.forget"),
    Step("webhook-taken", "a webhook is about to be sent", B, "stages.deliver:_send"),
    Step("webhook-sent", "a webhook is sent, its attempt not stored", A, "stages.deliver:_send"),
    Step("webhook-stored", "a webhook's attempt is stored, not committed", A, "stages.deliver:record_attempt"),
    Step("webhook-committed", "a webhook's attempt is committed, DBOS not informed", A, "stages.deliver:_record"),
    Step("worker-enrolled", "a worker is registered, and takes no tasks yet", A, "worker.fleet:Fleet.enter"),
    Step("worker-dismissed", "a dead worker is deleted, not committed", A, "worker.fleet:delete_workers"),
    Step("tasks-found", "the tasks of a dead worker are found, not requeued", B, "queue.flow:Flow.hand_on"),
    Step("tasks-handed-on", "the tasks of a dead worker are requeued", A, "queue.flow:Flow.hand_on"),
)
