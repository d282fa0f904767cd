"""What the stages rely on in a queue: the same tests hold for DBOS behind its adapter and for the twin."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from batchscribe.errors import WorkInterrupted
from batchscribe.queue.flow import Flow
from batchscribe.queue.task_queue import Handler, TaskQueue
from batchscribe.queue.tasks import ENUMERATE, FINISH, QUEUES, SHARD, TakenTask, Task
from tests.integration.command import wait_until
from tests.integration.tasks import Diary
from tests.twins.queue import QueueTwin

SHARD_1 = Task(SHARD, "job_1", 1, lane="here", engine="scripted")


@pytest.fixture(params=[Flow, QueueTwin])
def queue(request: pytest.FixtureRequest, engine: sa.Engine) -> Iterator[TaskQueue]:
    made: TaskQueue = request.param(engine)
    made.prepare()
    yield made
    made.stop()


def run(queue: TaskQueue, handlers: dict[str, Handler], *, executor_id: str = "me", lane: str = "here") -> None:
    queue.run(handlers, executor_id=executor_id, lanes=[lane], engines=["scripted"], slots=1)


def wait_for(queue: TaskQueue, condition: Callable[[], bool]) -> None:
    if isinstance(queue, QueueTwin):
        queue.work()
    wait_until(condition)


def enqueue(engine: sa.Engine, queue: TaskQueue, *tasks: Task) -> None:
    with engine.begin() as connection:
        for task in tasks:
            queue.enqueue(connection, task)


def interrupt(_job_id: str, _number: int) -> None:
    raise WorkInterrupted("The worker stops.")


def test_a_task_runs_only_when_its_transaction_commits(engine: sa.Engine, queue: TaskQueue) -> None:
    diary = Diary()
    run(queue, diary.handlers())
    with engine.connect() as connection:
        queue.enqueue(connection, SHARD_1)
        connection.rollback()
    enqueue(engine, queue, Task(SHARD, "job_1", 2, lane="here", engine="scripted"))
    wait_for(queue, lambda: diary.ran == [("job_1", 2)])


def test_a_task_that_is_enqueued_twice_runs_once(engine: sa.Engine, queue: TaskQueue) -> None:
    diary = Diary()
    run(queue, diary.handlers())
    enqueue(engine, queue, SHARD_1)
    wait_for(queue, lambda: diary.ran == [("job_1", 1)])
    enqueue(engine, queue, SHARD_1, Task(FINISH, "job_1", lane="here"))
    wait_for(queue, lambda: diary.ran == [("job_1", 1), ("job_1", 0)])


def test_tasks_of_another_lane_wait_for_their_own_worker(engine: sa.Engine, queue: TaskQueue) -> None:
    diary = Diary()
    run(queue, diary.handlers())
    enqueue(engine, queue, Task(SHARD, "job_other", 1, lane="elsewhere", engine="scripted"), SHARD_1)
    wait_for(queue, lambda: diary.ran == [("job_1", 1)])
    queue.stop()
    run(queue, diary.handlers(), lane="elsewhere")
    wait_for(queue, lambda: diary.ran == [("job_1", 1), ("job_other", 1)])


def test_shards_run_in_the_order_of_their_numbers_whatever_the_job(engine: sa.Engine, queue: TaskQueue) -> None:
    diary = Diary()
    large = [Task(SHARD, "job_large", number, lane="here", engine="scripted") for number in (1, 2, 3)]
    enqueue(engine, queue, *large, Task(SHARD, "job_new", 1, lane="here", engine="scripted"))
    run(queue, diary.handlers())
    wait_for(queue, lambda: len(diary.ran) == 4)
    assert diary.ran == [("job_large", 1), ("job_new", 1), ("job_large", 2), ("job_large", 3)]


def test_an_interrupted_task_stays_taken_and_the_next_run_resumes_it(engine: sa.Engine, queue: TaskQueue) -> None:
    diary = Diary()
    run(queue, diary.handlers(**{SHARD: interrupt}))
    enqueue(engine, queue, SHARD_1)
    wait_for(queue, lambda: [task.task_id for task in queue.list_taken(executor_id="me")] == ["job_1-1"])
    queue.stop()
    run(queue, diary.handlers())
    wait_for(queue, lambda: diary.ran == [("job_1", 1)])
    wait_until(lambda: queue.list_taken() == [])


def test_a_task_that_is_given_back_waits_in_its_queue_again(engine: sa.Engine, queue: TaskQueue) -> None:
    given_back: list[str] = []
    again = []

    def give_back(job_id: str, number: int) -> None:
        if given_back:
            again.append((job_id, number))
            return
        queue.give_back()
        given_back.append(job_id)
        raise WorkInterrupted("Another process must do it.")

    run(queue, {SHARD: give_back})
    enqueue(engine, queue, SHARD_1)
    wait_for(queue, lambda: again == [("job_1", 1)])
    assert given_back == ["job_1"]


def test_a_task_of_an_ended_process_is_handed_on_and_a_deleted_one_is_not(engine: sa.Engine, queue: TaskQueue) -> None:
    diary = Diary()
    run(queue, {SHARD: interrupt}, executor_id="first")
    enqueue(engine, queue, SHARD_1)
    wait_for(queue, lambda: len(queue.list_taken()) == 1)
    queue.stop()
    [taken] = queue.list_taken(executor_id="first")
    assert queue.list_taken(executor_id="second") == []
    queue.hand_on([TakenTask("job_gone-1", "first", taken.queue), taken])
    run(queue, diary.handlers(), executor_id="second")
    wait_for(queue, lambda: diary.ran == [("job_1", 1)])


def test_canceled_and_forgotten_tasks_never_run(engine: sa.Engine, queue: TaskQueue) -> None:
    diary = Diary()
    tasks = [Task(SHARD, "job_2", number, lane="here", engine="scripted") for number in (1, 2)]
    enqueue(engine, queue, *tasks)
    queue.cancel(tasks[:1])
    queue.forget(tasks[1:])
    run(queue, diary.handlers())
    enqueue(engine, queue, Task(ENUMERATE, "job_3", lane="here"))
    wait_for(queue, lambda: diary.ran == [("job_3", 0)])


def test_all_tasks_of_a_job_are_forgotten_and_those_of_others_stay(engine: sa.Engine, queue: TaskQueue) -> None:
    diary = Diary()
    kinds = [kind for kind in QUEUES if kind != SHARD]
    everything = [Task(kind, "job_2", lane="here") for kind in kinds]
    everything += [Task(kind, "job_2", 2, lane="here", attempt=1, again=3) for kind in kinds]
    shards = [Task(SHARD, "job_2", number, lane="here", engine="scripted", attempt=number) for number in (0, 1, 12)]
    enqueue(engine, queue, *everything, *shards, Task(ENUMERATE, "job_3", lane="here"), SHARD_1)
    queue.forget_all_tasks("job_2")
    run(queue, diary.handlers())
    wait_for(queue, lambda: len(diary.ran) == 2)
    assert sorted(diary.ran) == [("job_1", 1), ("job_3", 0)]


def test_a_process_without_descriptors_says_so_and_does_not_wait_forever(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DBOS starts an event loop, and would wait for it without a time limit."""

    def lack_descriptors() -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    flow = Flow(engine)
    flow.prepare()
    monkeypatch.setattr(asyncio, "new_event_loop", lack_descriptors)
    with pytest.raises(OSError, match="Too many open files"):
        run(flow, Diary().handlers())
    monkeypatch.undo()
    diary = Diary()
    run(flow, diary.handlers())
    enqueue(engine, flow, SHARD_1)
    wait_for(flow, lambda: diary.ran == [("job_1", 1)])
    flow.stop()
