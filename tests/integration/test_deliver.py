"""From the end of a job to its receiver through the outbox: what is stored at each step."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from batchscribe.database.delivery_rows import insert_delivery, record_attempt
from batchscribe.database.job_rows import lock_job
from batchscribe.database.sealed import expire_secrets
from batchscribe.database.tables import secret
from batchscribe.jobs.model import Job
from batchscribe.jobs.webhook_delivery import Delivery, LoggedAttempt
from batchscribe.outbound import guard
from batchscribe.queue.records import Records
from batchscribe.stages.deliver import Webhook, forget_address, open_webhook, seal_webhook
from batchscribe.stages.delivery_log import WEBHOOK
from batchscribe.stages.finish import cancel_served_job
from batchscribe.wire.choices import DeliveryState
from batchscribe.worker import hooks
from batchscribe.worker.cleanup import clean_up
from tests.databases import engine_tasks, stored_bytes
from tests.deliveries import attempts_of, deliveries_of
from tests.integration.command import wait_until
from tests.integration.flow_runner import FlowRunner, running
from tests.recordings import write_wav
from tests.servers.receiver import in_turn, receiving, says

pytestmark = pytest.mark.usefixtures("database")

LOOPBACK: dict[str, Any] = {"webhook_allow_networks": "127.0.0.0/8", "webhook_allow_http": True}


@contextmanager
def receiver(*statuses: int) -> Iterator[tuple[str, Callable[[], list[bytes]]]]:
    """Start a receiver with these statuses; the last one is repeated. Return its URL and the bodies it received."""
    with receiving(in_turn(*(says(status) for status in statuses))) as found:
        yield found.url("/hook?token=mark"), lambda: [request.body for request in found.requests]


@contextmanager
def runner_with(folder: Path, **settings: Any) -> Iterator[FlowRunner]:
    write_wav(folder / "calls" / "a.wav")
    wanted: dict[str, Any] = {"webhook_first_retry_sec": 0.1} | LOOPBACK | settings
    with running(folder, **wanted) as runner:
        yield runner


def sent(runner: FlowRunner, job: Job) -> list[tuple[Delivery, list[LoggedAttempt]]]:
    with runner.records.transaction() as connection:
        found = deliveries_of(connection, job.number)
        return [(delivery, attempts_of(connection, delivery)) for delivery in found]


def is_over(runner: FlowRunner, job: Job) -> bool:
    found = sent(runner, job)
    return bool(found) and all(delivery.state is not DeliveryState.PENDING for delivery, _ in found)


def secrets_left(runner: FlowRunner) -> int:
    with runner.records.transaction() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(secret)) or 0


def test_a_receiver_that_is_down_gets_the_same_event_when_it_is_back(tmp_path: Path) -> None:
    with receiver(503, 200) as (url, bodies), runner_with(tmp_path) as runner:
        job = runner.run(webhook=Webhook(url, "shared secret"))
        wait_until(lambda: is_over(runner, job))
        [(delivery, attempts)] = sent(runner, job)
    assert delivery.state is DeliveryState.DELIVERED
    assert [attempt.status for attempt in attempts] == [503, 200]
    assert bodies() == [delivery.payload] * 2


def test_a_machine_that_can_start_no_thread_for_a_while_sends_the_event_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter((RuntimeError("can't start new thread"), MemoryError(), OSError(errno.EMFILE, "Too many open files")))

    class ScarceThread(Thread):
        def start(self) -> None:
            if (error := next(left, None)) is not None:
                raise error
            super().start()

    monkeypatch.setattr(guard, "Thread", ScarceThread)
    monkeypatch.setattr(hooks, "RETRY_SEC", 0.1)
    with receiver(200) as (url, bodies), runner_with(tmp_path) as runner:
        job = runner.run(webhook=Webhook(url, "shared secret"))
        wait_until(lambda: is_over(runner, job))
        assert [delivery.state for delivery, _ in sent(runner, job)] == [DeliveryState.DELIVERED]
        assert len(bodies()) == 1
    assert next(left, None) is None


def test_the_address_and_the_secret_are_kept_for_a_replay_until_they_expire(tmp_path: Path) -> None:
    with receiver(200) as (url, _), runner_with(tmp_path, webhook_keep_sec=1000) as runner:
        job = runner.run(webhook=Webhook(url, "shared secret"))
        wait_until(lambda: is_over(runner, job))
        with runner.records.transaction() as connection:
            assert open_webhook(connection, runner.records, job) == Webhook(url, "shared secret")
            expires_at = connection.scalar(sa.select(secret.c.expires_at))
            expire_secrets(connection, job, [WEBHOOK], time.time() - 1)
            assert open_webhook(connection, runner.records, job) is None
        clean_up(runner.records, every_sec=0)
        assert secrets_left(runner) == 0
    assert expires_at == pytest.approx(time.time() + 1000, abs=60)


def test_the_address_and_the_secret_go_at_once_if_the_operator_keeps_none(tmp_path: Path) -> None:
    with receiver(200) as (url, _), runner_with(tmp_path, webhook_keep_sec=0) as runner:
        job = runner.run(webhook=Webhook(url, "shared secret"))
        wait_until(lambda: is_over(runner, job))
        assert secrets_left(runner) == 0


def test_while_it_is_pending_neither_address_nor_secret_is_readable_on_disk(tmp_path: Path, database: str) -> None:
    with receiver(503) as (url, bodies), runner_with(tmp_path, webhook_first_retry_sec=60) as runner:
        runner.run(webhook=Webhook(url, "shared secret"))
        wait_until(lambda: len(bodies()) == 1)
        assert secrets_left(runner) == 1
        stored = stored_bytes(database)
    assert b"job.succeeded" in stored
    assert b"token=mark" not in stored
    assert b"shared secret" not in stored


def test_a_receiver_that_does_not_want_it_is_left_in_peace(tmp_path: Path) -> None:
    with receiver(410) as (url, bodies), runner_with(tmp_path) as runner:
        job = runner.run(webhook=Webhook(url))
        wait_until(lambda: is_over(runner, job))
        [(delivery, _)] = sent(runner, job)
    assert (delivery.state, len(bodies())) == (DeliveryState.REFUSED, 1)


def test_retries_end_and_the_job_stays_unchanged(tmp_path: Path) -> None:
    """A machine that stalls may give up before the second attempt. Then it gets more time."""
    n_attempts = []
    for give_up_sec in (1.5, 6.0, 24.0):
        settings = {"webhook_give_up_sec": give_up_sec, "webhook_keep_sec": 0}
        with receiver(500) as (url, bodies), runner_with(tmp_path, **settings) as runner:
            job = runner.run(webhook=Webhook(url))
            wait_until(lambda: is_over(runner, job))  # noqa: B023 - ends before
            [(delivery, attempts)] = sent(runner, job)
            assert runner.job(job.job_id).state == job.state
            assert secrets_left(runner) == 0
        assert delivery.state is DeliveryState.GAVE_UP
        assert len(bodies()) == len(attempts)
        n_attempts.append(len(attempts))
        if n_attempts[-1] >= 2:
            break
    assert n_attempts[-1] >= 2


def test_a_canceled_job_sends_its_webhook(tmp_path: Path) -> None:
    with receiver(200) as (url, bodies), runner_with(tmp_path) as runner:
        job = runner.submit(webhook=Webhook(url), sources=(runner.file("calls/missing.wav"),))
        canceled = cancel_served_job(job, runner.records)
        wait_until(lambda: is_over(runner, job))
    assert (b"job.canceled" in bodies()[0]) is canceled


def test_the_start_of_a_job_is_sent_if_the_operator_wants_it(tmp_path: Path) -> None:
    with receiver(200) as (url, _), runner_with(tmp_path, webhook_processing=True, webhook_keep_sec=0) as runner:
        job = runner.run(webhook=Webhook(url))
        wait_until(lambda: is_over(runner, job) and len(sent(runner, job)) == 2)
        events = [delivery.event_type for delivery, _ in sent(runner, job)]
        wait_until(lambda: secrets_left(runner) == 0)
    assert events == ["job.processing", "job.succeeded"]


def test_the_secret_is_deleted_if_the_last_two_webhooks_end_at_the_same_moment(tmp_path: Path) -> None:
    with runner_with(tmp_path, webhook_keep_sec=0) as runner:
        job = runner.run()
        with runner.records.transaction() as connection:
            seal_webhook(connection, runner.records, job, Webhook("https://example.com/hook"))
            for event in ("evt_1", "evt_2"):
                insert_delivery(connection, job.number, event_id=event, event_type="", payload=b"", moment=0.0)
        first_is_written, first_may_commit = Event(), Event()

        def end(delivery: Delivery) -> None:
            with runner.records.transaction() as connection:
                logged = LoggedAttempt(1, 0.0, 0.0, 200, None)
                lock_job(connection, job.number)
                record_attempt(connection, delivery, logged, state=DeliveryState.DELIVERED, next_attempt_at=None)
                forget_address(connection, runner.records, job)
                first_is_written.set()
                first_may_commit.wait(timeout=60)

        threads = [Thread(target=end, args=(delivery,)) for delivery, _ in sent(runner, job)]
        threads[0].start()
        assert first_is_written.wait(timeout=60)
        threads[1].start()
        time.sleep(0.3)
        first_may_commit.set()
        for thread in threads:
            thread.join(timeout=60)
        assert secrets_left(runner) == 0


def test_an_event_that_was_pending_when_the_worker_ended_is_sent_by_the_next(tmp_path: Path) -> None:
    with receiver(503, 200) as (url, bodies):
        with runner_with(tmp_path, webhook_first_retry_sec=2) as runner:
            job = runner.run(webhook=Webhook(url))
            wait_until(lambda: len(bodies()) == 1 and bool(sent(runner, job)[0][1]))
        with runner_with(tmp_path) as runner:
            wait_until(lambda: is_over(runner, job))
        assert len(set(bodies())) == 1


def test_ended_tasks_are_swept_out_of_the_engines_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batchscribe.queue.flow.SWEPT_AFTER_SEC", 0.0)
    with receiver(200) as (url, _), runner_with(tmp_path) as runner:
        job = runner.run(webhook=Webhook(url))
        wait_until(lambda: is_over(runner, job))
        wait_until(lambda: not left_after_sweep(runner.records))


def left_after_sweep(records: Records) -> dict[str, str]:
    records.flow.sweep()
    with records.transaction() as connection:
        return engine_tasks(connection)
