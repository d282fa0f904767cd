"""Tasks start soon, whichever process enqueued them, and nothing else polls. On both databases."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from batchscribe.database.connect import open_database
from batchscribe.database.task_table import TaskTable
from batchscribe.queue import dispatcher
from batchscribe.queue.dispatcher import QueueEvent
from batchscribe.queue.flow import Flow
from batchscribe.queue.running_tasks import RunningTasks
from batchscribe.queue.tasks import DELIVER, FINISH, SHARD, Task
from tests.integration.command import wait_until
from tests.integration.tasks import Diary, said_by_the_engine, statuses
from tests.servers.postgresql import PostgreSQL

STARTS_WITHIN_SEC = 30.0  #: on any machine, however busy
LONG_SEC = 3600.0
SHARD_1 = Task(SHARD, "job_1", 1, lane="here", engine="scripted")

ENQUEUE_AND_END = """
import sys
from batchscribe.database.connect import open_database
from batchscribe.queue.flow import Flow
from batchscribe.queue.tasks import SHARD, Task

engine = open_database(sys.argv[1])
with engine.begin() as connection:
    Flow(engine).enqueue(connection, Task(SHARD, "job_1", 1, lane="here", engine="scripted"))
"""


@contextmanager
def writes_held(engine: sa.Engine) -> Iterator[None]:
    """Block all other writes to DBOS's table during the block."""
    statements = {
        "sqlite": "DELETE FROM workflow_status WHERE 0",  # a write transaction begins with it
        "postgresql": "LOCK TABLE dbos.workflow_status IN EXCLUSIVE MODE",
    }
    with engine.begin() as connection:
        connection.exec_driver_sql(statements[engine.dialect.name])
        yield


def enqueue(engine: sa.Engine, flow: Flow, *tasks: Task, delay_sec: float = 0.0) -> None:
    with engine.begin() as connection:
        for task in tasks:
            flow.enqueue(connection, task, delay_sec=delay_sec)


def test_a_task_that_another_process_enqueues_starts_soon(engine: sa.Engine, flow: Flow) -> None:
    diary = Diary()
    flow.run(diary.handlers(), executor_id="me", lanes=["here"], engines=["scripted"], slots=2)
    subprocess.run([sys.executable, "-c", ENQUEUE_AND_END, engine.url.render_as_string(False)], check=True, timeout=60)
    wait_until(lambda: diary.ran == [("job_1", 1)])


def test_with_twenty_queues_a_task_in_any_of_them_starts_soon(engine: sa.Engine, flow: Flow) -> None:
    diary = Diary()
    lanes, engines = ["a", "b", "c", "d"], ["scripted", "whisper"]
    flow.run(diary.handlers(), executor_id="me", lanes=lanes, engines=engines, slots=2)
    for lane in lanes:
        for engine_name in engines:
            shard = Task(SHARD, f"job_{lane}_{engine_name}", 1, lane=lane, engine=engine_name)
            enqueue(engine, flow, shard)
            wait_until(lambda shard=shard: (shard.job_id, 1) in diary.ran)  # type: ignore[misc]


def test_a_delayed_task_starts_when_it_is_due_and_not_before(engine: sa.Engine, flow: Flow) -> None:
    ran_at: list[float] = []
    flow.run(
        {DELIVER: lambda *_: ran_at.append(time.time())},
        executor_id="me", lanes=["here"], engines=["scripted"], slots=2,
    )  # fmt: skip
    due_at = time.time() + 1.0
    enqueue(engine, flow, Task(DELIVER, "job_1", 1, lane="here"), delay_sec=1.0)
    wait_until(lambda: bool(ran_at))
    assert 0.0 <= ran_at[0] - due_at < STARTS_WITHIN_SEC


def test_what_a_task_enqueues_starts_when_it_has_ended_rather_than_at_the_next_look(
    engine: sa.Engine, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "LOOK_SEC", LONG_SEC)
    diary = Diary()

    def enqueue_next(job_id: str, _number: int) -> None:
        enqueue(engine, flow, Task(FINISH, job_id, lane="here"))

    flow.prepare()
    enqueue(engine, flow, SHARD_1)  # for the first poll, at the start
    flow.run(diary.handlers(**{SHARD: enqueue_next}), executor_id="me", lanes=["here"], engines=["scripted"], slots=2)
    wait_until(lambda: diary.ran == [("job_1", 0)])


def test_a_tenant_with_all_that_it_may_have_keeps_no_other_waiting(engine: sa.Engine, flow: Flow) -> None:
    """It gets its next task as soon as one of its own has ended."""
    gate, begun = threading.Semaphore(0), Diary()

    def work(job_id: str, number: int) -> None:
        begun.write(job_id, number)
        if job_id == "job_greedy":
            gate.acquire(timeout=60)

    flow.run({SHARD: work}, executor_id="me", lanes=["here"], engines=["scripted"], slots=2)
    greedy = [
        Task(SHARD, "job_greedy", number, lane="here", engine="scripted", tenant="greedy") for number in range(1, 5)
    ]
    try:
        enqueue(engine, flow, *greedy)
        wait_until(lambda: len(begun.ran) == 2)
        time.sleep(1.0)  # by now the dispatcher knows that no more tasks can start
        enqueue(engine, flow, Task(SHARD, "job_modest", 1, lane="here", engine="scripted", tenant="modest"))
        wait_until(lambda: ("job_modest", 1) in begun.ran)
        assert len(begun.ran) == 3
        gate.release()
        wait_until(lambda: len(begun.ran) == 4)
    finally:
        gate.release(4)


def test_tasks_start_again_when_all_connections_were_killed(postgresql: PostgreSQL) -> None:
    url = postgresql.new_database()
    engine, diary = open_database(url), Diary()
    flow = Flow(engine)
    flow.run(diary.handlers(), executor_id="me", lanes=["here"], engines=["scripted"], slots=2)
    try:
        for number in (1, 2, 3):
            name = sa.make_url(url).database
            postgresql.execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608
            )
            enqueue(engine, flow, Task(SHARD, "job_1", number, lane="here", engine="scripted"))
            wait_until(lambda number=number: ("job_1", number) in diary.ran)  # type: ignore[misc]
    finally:
        flow.stop()
        engine.dispose()


def test_a_task_that_was_being_taken_at_the_end_is_left_for_the_next_process(engine: sa.Engine, flow: Flow) -> None:
    diary = Diary()
    flow.run(diary.handlers(), executor_id="me", lanes=["here"], engines=["scripted"], slots=2)
    end = threading.Thread(target=flow.stop)
    number = 0
    with said_by_the_engine() as said:
        while not end.ident:
            number += 1
            enqueue(engine, flow, Task(SHARD, "job_1", number, lane="here", engine="scripted"))
            with writes_held(engine):
                if statuses(engine)[f"job_1-{number}"] == "ENQUEUED":
                    time.sleep(2 * dispatcher.LOOK_SEC)  # the queue's thread is waiting to write
                    end.start()
                    time.sleep(0.2)
        end.join(30)
    assert said == []
    flow.hand_on(flow.list_taken(executor_id="me"))
    flow.run(diary.handlers(), executor_id="next", lanes=["here"], engines=["scripted"], slots=2)
    wait_until(lambda: sorted(diary.ran) == [("job_1", each) for each in range(1, number + 1)])


def test_no_thread_of_the_engine_polls(flow: Flow) -> None:
    """Threads of a later DBOS must be reviewed: they may poll, or enqueue delayed tasks."""
    before = set(threading.enumerate())

    def started() -> list[str]:
        names = [thread.name for thread in threading.enumerate() if thread not in before]
        return sorted(re.sub(r"Thread-\d+ \((.*)\)", r"\1", name) for name in names)

    flow.run({}, executor_id="me", lanes=["here"], engines=["scripted"], slots=2)
    ours = ["dispatcher", "here-control", "here-files-scripted", "here-listings", "here-maintenance", "here-webhooks"]
    waiting = ["_run_event_loop_or_tell", "dbos-executor-_0", "run_notification_listener"]  # the last one once a second
    wait_until(lambda: started() == sorted(ours + waiting))


def test_the_look_at_the_tasks_reads_indexes_also_when_it_was_planned_on_an_empty_table(
    postgresql: PostgreSQL,
) -> None:
    engine = open_database(postgresql.new_database())
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ALTER TABLE dbos.workflow_status SET (autovacuum_enabled = off)")
        connection.exec_driver_sql("VACUUM ANALYZE dbos.workflow_status")
        table, flow = TaskTable(engine, ["here-control", "here-files-scripted"], schema="dbos"), Flow(engine)
        for _ in range(20):  # so that the plan is kept
            assert table.look().queues == frozenset()
        enqueue(
            engine, flow,
            *(Task(SHARD, "job_1", number, lane="here", engine="scripted") for number in range(1000)),
        )  # fmt: skip
        counted = sa.text("SELECT seq_tup_read, idx_scan FROM pg_stat_user_tables WHERE relname = 'workflow_status'")
        before = connection.execute(counted).one()
        assert table.look().queues == {"here-files-scripted"}
        table.close()  # it reports its numbers at its end
        wait_until(lambda: connection.execute(counted).one().idx_scan > before.idx_scan)
        assert connection.execute(counted).one().seq_tup_read == before.seq_tup_read
    engine.dispose()


def test_the_look_at_the_tasks_uses_an_index_of_sqlite(tmp_path_factory: pytest.TempPathFactory) -> None:
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('tasks') / 'batchscribe.db'}")
    Flow(engine).prepare()
    table = TaskTable(engine, ["here-control", "here-files-scripted"], schema="dbos")
    with engine.begin() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {table.sql}").all()
    reads = [row.detail for row in plan if "workflow_status" in row.detail]
    assert len(reads) == 3
    assert [detail for detail in reads if not re.match(r"SEARCH .* USING .*INDEX", detail)] == []
    engine.dispose()


def test_a_queues_thread_does_not_sleep_for_as_long_as_the_engine_wants() -> None:
    event = QueueEvent()
    event.wake()
    assert not event.wait(LONG_SEC)
    threading.Timer(0.1, event.wake).start()
    assert not event.wait(LONG_SEC)
    threading.Timer(0.1, event.set).start()
    assert event.wait(LONG_SEC)


def test_a_task_that_runs_twice_is_known_until_its_last_run_ends() -> None:
    running = RunningTasks()
    with running.count("job_1-1", SHARD):
        with running.count("job_1-1", SHARD), running.count("finish-job_1", FINISH):
            assert (len(running), running.of_kinds(SHARD), running.of_kinds(SHARD, FINISH)) == (2, 2, 3)
        assert running.ended.is_set()
        assert "job_1-1" in running
    assert "job_1-1" not in running
    assert (len(running), running.of_kinds(SHARD, FINISH), running.moves) == (0, 0, 6)
