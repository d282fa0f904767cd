"""The named steps of the flow at which a process can be killed, and where in the code each of them is passed.

They are found from outside: the function that a module calls there is wrapped, in the process under test only.
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
    """`place` is `module:function` below `batchscribe`, as the caller knows it; `side` of that function's work."""

    name: str
    meaning: str
    side: Side
    place: str

    def watch(self, passed: Callable[[], None]) -> None:
        """Call `passed` in this process whenever it comes to the step."""
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

#: In the order in which a job passes them; then those of a worker's start, and of the death of another.
STEPS = (
    Step("submit-stored", "the job is stored, not committed", A, "intake.submit:insert_job"),
    Step("submit-committed", "the job is on record, its client not answered", A, "api.jobs:submit"),
    Step("task-taken", "the engine has given a task to a worker, which has not begun it", B, "work.flow:_work"),
    Step("enumerate-begun", "the enumeration is begun, not committed", A, "work.enumerate:begin_job"),
    Step("page-stored", "a page's files and shards are stored, not committed", A, "work.enumerate:insert_shards"),
    Step("page-committed", "a page is on record, the next one not read", A, "work.enumerate:_store_page"),
    Step("shard-begun", "a shard is begun, not committed", A, "work.shard:begin_shard"),
    Step("shard-opened", "a shard is begun, none of its files is claimed", B, "work.shard:_work_all"),
    Step("file-claimed", "a file is claimed, not opened", B, "work.shard:transcribe_file"),
    Step("write-begun", "that a transcript is about to be written is on record", A, "work.shard:_begin_write"),
    Step("transcript-written", "a transcript is written, its file's row not", A, "work.shard:transcribe_file"),
    Step("outcome-stored", "a file's final state is stored, not committed", A, "work.settle:commit_outcome"),
    Step("outcome-committed", "a file's final state is on record, its shard goes on", A, "work.shard:_commit"),
    Step("shard-ended", "a shard's end is stored, not committed", A, "work.shard:add_shard_counters"),
    Step("finish-enqueued", "the last shard's end is on record, the engine does not know", A, "work.shard:_close"),
    Step("task-done", "a task is done, the engine does not know", A, "work.flow:_work"),
    Step("job-ended", "a job's end and its webhook are stored, not committed", A, "work.finish:_end"),
    Step("job-committed", "a job's end is on record, its queues not cleared", B, "work.finish:clear_queues"),
    Step("queues-canceled", "its shards are out of the queues, not deleted", B, "work.flow:Flow.forget"),
    Step("webhook-taken", "a webhook is about to be sent", B, "work.deliver:_send"),
    Step("webhook-sent", "a webhook is sent, which is not on record", A, "work.deliver:_send"),
    Step("webhook-stored", "a webhook's attempt is stored, not committed", A, "work.deliver:record_attempt"),
    Step("webhook-committed", "a webhook's attempt is on record, the engine does not know", A, "work.deliver:_record"),
    Step("worker-enrolled", "a worker has made itself known, and takes no tasks yet", A, "work.fleet:Fleet.enter"),
    Step("worker-dismissed", "a dead worker is stricken off, not committed", A, "work.fleet:delete_workers"),
    Step("tasks-found", "the tasks of a dead worker are found, not handed on", B, "work.flow:Flow.hand_on"),
    Step("tasks-handed-on", "the tasks of a dead worker are handed on", A, "work.flow:Flow.hand_on"),
)
