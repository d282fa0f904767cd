"""The deletion of jobs: hidden at once, purged step by step, on request and by age, on both databases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from batchscribe.cli.recorded_jobs import RecordedJobs
from batchscribe.database.connect import Connection
from batchscribe.database.delivery_rows import insert_delivery
from batchscribe.database.file_rows import find_transcribed_input
from batchscribe.database.job_rows import UnreadableJob, find_job, get_job_of, newest_jobs, page_of_jobs
from batchscribe.database.purge_rows import delete_some_rows, hide_job
from batchscribe.database.schema import migrate
from batchscribe.database.sealed import expire_secrets
from batchscribe.database.tables import job as job_table
from batchscribe.database.tables import metadata, speaker_name, usage_day, waveform, webhook_delivery
from batchscribe.errors import JobNotFound, JobNotRetryable
from batchscribe.intake.submit import IdempotencyKey, submit
from batchscribe.jobs.model import Job
from batchscribe.queue.tasks import PURGE, SERVER_LANE, Task
from batchscribe.settings import Settings
from batchscribe.stages import purge
from batchscribe.stages.deliver import Webhook, seal_webhook
from batchscribe.stages.delivery_log import WEBHOOK
from batchscribe.stages.job_keys import give_up_waiting, wake
from batchscribe.stages.purge import delete_job, purge_job
from batchscribe.stages.retry import retry_job
from batchscribe.wire.choices import DeliveryState, JobState
from batchscribe.worker import fleet
from batchscribe.worker.cleanup import DAY_SEC, clean_up
from tests.integration.command import wait_until
from tests.integration.flow_runner import FlowRunner, running
from tests.jobs_on_record import stored_job
from tests.recordings import write_wav
from tests.servers.receiver import in_turn, receiving, says
from tests.twins.queue import records_of, task_row

pytestmark = pytest.mark.usefixtures("database")

#: Tables without rows of single jobs.
OF_NO_JOB = {"turn", "worker", "sealing_key", "api_key", "web_session", "vocabulary", "usage_day"}


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[FlowRunner]:
    for name in ("a", "b", "c"):
        write_wav(tmp_path / "calls" / f"{name}.wav", seed=ord(name))
    with running(tmp_path) as started:
        yield started


def rows(runner: FlowRunner) -> dict[str, int]:
    """Return the tables with rows of jobs, and how many they have."""
    with runner.records.transaction() as connection:
        tables = [table for table in metadata.sorted_tables if table.name not in OF_NO_JOB]
        counts = {table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) for table in tables}
    return {name: count for name, count in counts.items() if count}


def is_purged(runner: FlowRunner, job: Job) -> bool:
    with runner.records.transaction() as connection:
        return find_job(connection, job.job_id) is None


def is_hidden(runner: FlowRunner, job: Job) -> bool:
    with runner.records.transaction() as connection:
        try:
            get_job_of(connection, job.tenant, job.job_id)
        except JobNotFound:
            return True
    return False


def test_a_deleted_job_leaves_no_row_and_its_transcripts_stay(runner: FlowRunner, tmp_path: Path) -> None:
    job = runner.run()
    kept = runner.outputs()
    with runner.records.transaction() as connection:
        connection.execute(sa.insert(speaker_name).values(job=job.number, seq=1, label="Speaker 1", name="Ada"))
    delete_job(job, runner.records)
    assert is_hidden(runner, job)
    wait_until(lambda: is_purged(runner, job))
    assert rows(runner) == {}
    assert runner.outputs() == kept
    assert len(list((tmp_path / "calls").iterdir())) == 3


def test_what_a_tenant_has_used_outlives_the_job(runner: FlowRunner) -> None:
    job = runner.run()
    delete_job(job, runner.records)
    wait_until(lambda: is_purged(runner, job))
    with runner.records.transaction() as connection:
        assert connection.scalar(sa.select(sa.func.sum(usage_day.c.files))) == 3


def test_another_job_loses_nothing(runner: FlowRunner) -> None:
    other, job = runner.run(), runner.run()
    delete_job(job, runner.records)
    wait_until(lambda: is_purged(runner, job))
    assert runner.job(other.job_id).summary.succeeded == 3
    assert len(runner.files(other)) == 3


def test_a_job_is_purged_in_steps(runner: FlowRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "STEP_ROWS", 1)
    job = runner.run()
    delete_job(job, runner.records)
    wait_until(lambda: is_purged(runner, job))
    assert rows(runner) == {}


def test_a_step_deletes_no_more_rows_than_it_should(runner: FlowRunner) -> None:
    with runner.records.transaction() as connection:
        job = stored_job(connection, files=10)
        connection.execute(sa.update(job_table).values(state=JobState.SUCCEEDED))
        assert hide_job(connection, job.number)
        left = []
        while delete_some_rows(connection, job.number, limit=4):
            left.append(connection.scalar(sa.text("SELECT count(*) FROM file")))
    assert left == [6, 2, 0, 0]  # the last step is that of the shard


def test_a_job_that_runs_is_canceled_first(runner: FlowRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "SETTLE_SEC", 0.5)
    job = runner.submit()
    runner.wait(job, until=lambda job: job.state is not JobState.QUEUED)
    delete_job(job, runner.records)
    assert is_hidden(runner, job)
    wait_until(lambda: is_purged(runner, job))
    assert rows(runner) == {}


def test_a_deleted_job_sends_no_event(tmp_path: Path) -> None:
    write_wav(tmp_path / "calls" / "a.wav")
    allowed: dict[str, Any] = {"webhook_allow_networks": "127.0.0.0/8", "webhook_allow_http": True}
    with receiving(in_turn(says(503))) as found, running(tmp_path, webhook_first_retry_sec=0.3, **allowed) as runner:
        waiting = runner.submit(webhook=Webhook(found.url("/live")), lane="nobody")
        delete_job(waiting, runner.records)
        job = runner.run(webhook=Webhook(found.url("/ended")))
        wait_until(lambda: len(found.requests) == 1)
        delete_job(job, runner.records)
        sent = len(found.requests)
        time.sleep(1.5)
        assert len(found.requests) <= sent + 1  # one may have been under way
        assert not [request for request in found.requests if waiting.job_id.encode() in request.body]


def test_a_deleted_job_is_in_no_list_and_no_query(runner: FlowRunner) -> None:
    job = runner.submit(lane="nobody")
    done = runner.run()
    uri = runner.files(done)[0].output_uri

    def seen(connection: Connection) -> tuple[Any, ...]:
        page, _ = page_of_jobs(connection, "default", before=None, limit=10)
        found = find_transcribed_input(connection, "default", uri, before_job=done.number + 1)
        return [each.job_id for each in page], [each.job_id for each in newest_jobs(connection, limit=10)], found

    with runner.records.transaction() as connection:
        assert seen(connection) == (
            [done.job_id, job.job_id],
            [done.job_id, job.job_id],
            runner.files(done)[0].input_uri,
        )
        connection.execute(sa.update(job_table).values(state=JobState.CANCELED))
        hide_job(connection, job.number)
        hide_job(connection, done.number)
        assert seen(connection) == ([], [], None)


def test_a_job_is_deleted_only_once_and_never_retried(runner: FlowRunner) -> None:
    job = runner.submit(lane="nobody")
    delete_job(job, runner.records)
    with pytest.raises(JobNotFound):
        delete_job(job, runner.records)
    with runner.records.transaction() as connection:
        connection.execute(sa.update(job_table).values(state=JobState.FAILED))
    with pytest.raises(JobNotRetryable, match="deleted"):
        retry_job(job, runner.records, silent_sec=30)


def test_the_idempotency_key_of_a_deleted_job_stands_for_a_new_job(runner: FlowRunner) -> None:
    key = IdempotencyKey("key", b"content")

    def ask() -> Job:
        return submit(runner.submission(lane="nobody"), runner.records, runner.settings, idempotency=key)

    first = ask()
    assert ask().job_id == first.job_id
    delete_job(first, runner.records)
    assert ask().job_id != first.job_id


def test_jobs_go_when_they_are_old_enough(runner: FlowRunner) -> None:
    old, new = runner.run(), runner.run()
    live = runner.submit(lane="nobody")
    with runner.records.transaction() as connection:
        aged = sa.update(job_table).where(job_table.c.number.in_([old.number, live.number]))
        connection.execute(aged.values(completed_at=time.time() - 3 * DAY_SEC))
        connection.execute(sa.update(job_table).where(job_table.c.number == live.number).values(completed_at=None))
    clean_up(runner.records, every_sec=0, retention_days=None)
    assert not is_hidden(runner, old)
    clean_up(runner.records, every_sec=0, retention_days=2)
    wait_until(lambda: is_purged(runner, old))
    assert not is_hidden(runner, new)
    assert not is_hidden(runner, live)


def test_an_old_job_waits_until_its_webhook_is_over(runner: FlowRunner) -> None:
    job = runner.run()
    with runner.records.transaction() as connection:
        insert_delivery(connection, job.number, event_id="evt_1", event_type="", payload=b"", moment=time.time())
        connection.execute(sa.update(job_table).values(completed_at=time.time() - 3 * DAY_SEC))
    clean_up(runner.records, every_sec=0, retention_days=2)
    assert not is_hidden(runner, job)
    with runner.records.transaction() as connection:
        connection.execute(sa.update(webhook_delivery).values(state=DeliveryState.GAVE_UP))
    clean_up(runner.records, every_sec=0, retention_days=2)
    assert is_hidden(runner, job)


@pytest.mark.parametrize("lane", [SERVER_LANE, "job_1"])
def test_jobs_that_a_newer_release_wrote_go_too_and_stop_no_others(engine: sa.Engine, lane: str) -> None:
    migrate(engine)
    records = records_of(engine)
    with records.transaction() as connection:
        for job_id in ("job_1", "job_2"):
            stored_job(connection, job_id=job_id, lane=lane)
        request = connection.scalar(sa.select(job_table.c.request).limit(1)) or {}
        newer = request | {"config": {"output_format": "hologram"}}
        ended = {"state": JobState.SUCCEEDED, "completed_at": time.time() - 3 * DAY_SEC}
        connection.execute(sa.update(job_table).values(ended))
        connection.execute(sa.update(job_table).where(job_table.c.job_id == "job_1").values(request=newer))
    with records.transaction() as connection, pytest.raises(UnreadableJob):
        find_job(connection, "job_1")
    clean_up(records, every_sec=0, retention_days=2)
    with records.transaction() as connection:
        shown = connection.scalars(sa.select(job_table.c.job_id).where(job_table.c.deleted_at.is_(None)))
        assert list(shown) == []
        tasks = set(connection.scalars(sa.select(task_row.c.task_id)))
    assert (Task(PURGE, "job_1").task_id in tasks) == (lane == SERVER_LANE)


def test_the_command_line_does_not_show_a_deleted_job(runner: FlowRunner, tmp_path: Path) -> None:
    shown, deleted = runner.run(), runner.submit(lane="nobody")
    delete_job(deleted, runner.records)
    recorded = RecordedJobs(runner.records, Settings(data_dir=tmp_path))
    assert recorded.job(shown.job_id)["job_id"] == shown.job_id
    for look in (recorded.job, recorded.report, recorded.cancel, recorded.files):
        with pytest.raises(JobNotFound):
            look(deleted.job_id)


def test_a_job_of_the_command_line_is_purged_without_a_server(runner: FlowRunner) -> None:
    job = runner.submit(job_id="job_local", lane="job_local")
    with runner.records.transaction() as connection:
        ended = {"state": JobState.SUCCEEDED, "completed_at": time.time() - 3 * DAY_SEC}
        connection.execute(sa.update(job_table).values(ended))
    clean_up(runner.records, every_sec=0, retention_days=2)
    assert is_purged(runner, job)


def test_a_purge_whose_task_was_lost_is_done_later(runner: FlowRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "RESUME_AFTER_SEC", 0.0)
    job = runner.run()
    with runner.records.transaction() as connection:
        assert hide_job(connection, job.number)
    clean_up(runner.records, every_sec=0)
    wait_until(lambda: is_purged(runner, job))


def test_tasks_of_credentials_do_nothing_once_their_job_is_gone(runner: FlowRunner) -> None:
    """They may come an hour later."""
    wake("job_gone", runner.records)
    give_up_waiting("job_gone", 0, runner.records)


def test_only_a_deleted_job_is_purged(runner: FlowRunner) -> None:
    job = runner.run()
    purge_job(job, runner.records, check=lambda: None)
    assert len(runner.files(job)) == 3
    assert waveform.name not in OF_NO_JOB


def test_a_worker_cleans_up_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "SWEEP_EVERY_SEC", 0.2)
    write_wav(tmp_path / "calls" / "a.wav")
    with running(tmp_path, retention_days=2) as runner:
        old, new = runner.run(), runner.run()
        with runner.records.transaction() as connection:
            seal_webhook(connection, runner.records, new, Webhook("https://example.com/hook"))
            expire_secrets(connection, new, [WEBHOOK], time.time() - 1)
            aged = sa.update(job_table).where(job_table.c.number == old.number)
            connection.execute(aged.values(completed_at=time.time() - 3 * DAY_SEC))
        wait_until(lambda: is_purged(runner, old))
        wait_until(lambda: "secret" not in rows(runner))
        assert not is_hidden(runner, new)
