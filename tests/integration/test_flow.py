"""DBOS behind its adapter: transactions, one run per task, lanes, interruption and crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import sqlalchemy as sa
from dbos import DBOSClient

from batchscribe.queue.flow import Flow
from batchscribe.queue.tasks import ENUMERATE, FINISH, SHARD, QueueKind, Task, queue_name
from tests.integration.command import wait_until
from tests.integration.tasks import Diary, said_by_the_engine, statuses

SHARD_1 = Task(SHARD, "job_1", 1, lane="here", engine="scripted")


def test_the_first_shard_of_a_new_job_precedes_later_shards_of_a_large_one(engine: sa.Engine, flow: Flow) -> None:
    diary, gate = Diary(), threading.Event()

    def wait_then_write(job_id: str, number: int) -> None:
        gate.wait(60)
        diary.write(job_id, number)

    flow.run(
        diary.handlers(**{SHARD: wait_then_write}), executor_id="me", lanes=["here"], engines=["scripted"], slots=1
    )
    with engine.begin() as connection:
        for number in range(1, 6):
            flow.enqueue(connection, Task(SHARD, "job_big", number, lane="here", engine="scripted"))
    wait_until(lambda: "PENDING" in statuses(engine).values())
    with engine.begin() as connection:
        flow.enqueue(connection, Task(SHARD, "job_new", 1, lane="here", engine="scripted"))
    gate.set()
    wait_until(lambda: len(diary.ran) == 6)
    assert diary.ran[:2] == [("job_big", 1), ("job_new", 1)]


def test_a_process_keeps_its_own_limits_despite_those_of_another(engine: sa.Engine, flow: Flow) -> None:
    """DBOS keeps the limits of a queue in the database, one set for all processes."""
    now, most = 0, 0
    lock = threading.Lock()

    def count(_job_id: str, _number: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.1)
        with lock:
            now -= 1

    flow.run({SHARD: count}, executor_id="small", lanes=["here"], engines=["scripted"], slots=2)
    DBOSClient(system_database_engine=engine).register_queue(
        queue_name("here", QueueKind.FILES, "scripted"),
        worker_concurrency=16,
        partition_worker_concurrency=16,
        polling_interval_sec=0.1,
    )
    with engine.begin() as connection:
        for number in range(1, 13):
            flow.enqueue(connection, Task(SHARD, "job_1", number, lane="here", engine="scripted"))
    wait_until(lambda: list(statuses(engine).values()) == ["SUCCESS"] * 12)
    assert most == 2


def test_canceled_tasks_leave_their_queue_and_forgotten_ones_the_database(engine: sa.Engine, flow: Flow) -> None:
    diary = Diary()
    flow.run(diary.handlers(), executor_id="me", lanes=["here"], engines=["scripted"], slots=1)
    waiting = [Task(SHARD, "job_2", number, lane="elsewhere", engine="scripted") for number in range(1, 4)]
    with engine.begin() as connection:
        for task in waiting:
            flow.enqueue(connection, task)
    flow.cancel(waiting)
    assert set(statuses(engine).values()) == {"CANCELLED"}
    flow.forget(waiting)
    assert statuses(engine) == {}


def test_a_forgotten_task_ends_silently_but_its_error_is_logged(engine: sa.Engine, flow: Flow) -> None:
    """This happens if a task finds that its job has failed."""

    def forget_myself(job_id: str, number: int) -> None:
        flow.forget([Task(SHARD, job_id, number)])

    def fail(_job_id: str, _number: int) -> None:
        raise ValueError("a mistake")

    flow.run(
        {ENUMERATE: fail, SHARD: forget_myself, FINISH: fail},
        executor_id="me",
        lanes=["here"],
        engines=["scripted"],
        slots=1,
    )
    with said_by_the_engine() as said:
        with engine.begin() as connection:
            flow.enqueue(connection, SHARD_1)
        wait_until(lambda: statuses(engine) == {})
        with engine.begin() as connection:
            flow.enqueue(connection, Task(ENUMERATE, "job_1", lane="here", engine="scripted"))
        wait_until(lambda: statuses(engine) == {"enumerate-job_1": "ERROR"})
        wait_until(lambda: bool(said))
    assert said == ["a mistake"]


KILLED_IN_THE_MIDDLE = """
import sys, time
from batchscribe.database.connect import open_database
from batchscribe.queue.flow import Flow
from batchscribe.queue.tasks import ENUMERATE, FINISH, SHARD, Task

def handle(job_id, number):
    print("begun", flush=True)
    time.sleep(60)

engine = open_database(sys.argv[1])
flow = Flow(engine)
handlers = {ENUMERATE: handle, SHARD: handle, FINISH: handle}
flow.run(handlers, executor_id="me", lanes=["here"], engines=["scripted"], slots=1)
with engine.begin() as connection:
    flow.enqueue(connection, Task(SHARD, "job_1", 1, lane="here", engine="scripted"))
time.sleep(60)
"""


def test_a_task_whose_process_was_killed_is_taken_up_by_the_next_one(engine: sa.Engine, flow: Flow) -> None:
    command = [sys.executable, "-c", KILLED_IN_THE_MIDDLE, str(engine.url)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "begun\n"
        os.kill(victim.pid, signal.SIGKILL)
    diary = Diary()
    flow.run(diary.handlers(), executor_id="me", lanes=["here"], engines=["scripted"], slots=1)
    wait_until(lambda: diary.ran == [("job_1", 1)])
