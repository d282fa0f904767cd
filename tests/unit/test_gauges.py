"""Gauges from a real database: backlog, workers, and scrapes without a database."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from batchscribe.database.backlog import backlog_by_tenant
from batchscribe.database.connect import open_database
from batchscribe.database.delivery_rows import insert_delivery
from batchscribe.database.job_rows import end_job
from batchscribe.database.shard_rows import begin_shard, count_outcome
from batchscribe.database.tables import worker
from batchscribe.database.waiting_rows import insert_waiting
from batchscribe.database.worker_rows import insert_worker
from batchscribe.jobs.model import Outcome
from batchscribe.jobs.worker_record import WorkerState
from batchscribe.queue.records import Records, open_records
from batchscribe.settings import load_settings
from batchscribe.wire.choices import JobState
from batchscribe.worker.gauges import Gauges, registry_of
from tests.integration.command import wait_until
from tests.jobs_on_record import stored_job
from tests.workers_on_record import a_worker


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    opened = open_records(load_settings(data_dir=tmp_path))
    yield opened
    opened.database.dispose()


def scraped(records: Records, *, answer_sec: float = 5.0) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(Gauges(records, load_settings(), answer_sec=answer_sec))
    return registry


def test_the_depth_of_the_queue_comes_from_counters_and_running_shards(records: Records) -> None:
    with records.transaction() as connection:
        job = stored_job(connection, files=5, job_id="job_a", tenant="acme")
        stored_job(connection, files=2, job_id="job_b", tenant="globex")
        begin_shard(connection, job.number, 1)
        count_outcome(connection, job.number, 1, Outcome.succeeded(duration_sec=1.0))
    found = scraped(records)
    assert found.get_sample_value("batchscribe_queue_files", {"tenant": "acme"}) == 4
    assert found.get_sample_value("batchscribe_queue_files", {"tenant": "globex"}) == 2
    assert found.get_sample_value("batchscribe_queue_shards", {"tenant": "acme", "state": "running"}) == 1
    assert found.get_sample_value("batchscribe_queue_shards", {"tenant": "acme", "state": "waiting"}) == 0
    assert found.get_sample_value("batchscribe_queue_shards", {"tenant": "globex", "state": "waiting"}) == 1


def test_a_job_that_waits_for_credentials_is_counted_once(records: Records) -> None:
    with records.transaction() as connection:
        job = stored_job(connection, files=5, job_id="job_a", tenant="acme")
        stored_job(connection, files=2, job_id="job_b", tenant="acme")
        stored_job(connection, files=2, job_id="job_c", tenant="globex")
        for shard in (1, 2):
            insert_waiting(connection, job.number, shard, version=0)
    found = scraped(records)
    name = "batchscribe_queue_jobs_waiting_for_credentials"
    assert found.get_sample_value(name, {"tenant": "acme"}) == 1
    assert found.get_sample_value(name, {"tenant": "globex"}) == 0
    assert found.get_sample_value("batchscribe_queue_jobs", {"tenant": "acme"}) == 2


def test_the_oldest_job_of_a_tenant_gives_its_age_and_ended_jobs_do_not_count(records: Records) -> None:
    with records.transaction() as connection:
        old = stored_job(connection, job_id="job_old", tenant="acme")  # submitted in January 2026
        assert end_job(connection, old, JobState.CANCELED)
        assert backlog_by_tenant(connection) == []
        stored_job(connection, job_id="job_a", tenant="acme")
        (acme,) = backlog_by_tenant(connection)
    assert acme.jobs == 1
    assert acme.oldest_sec == pytest.approx(time.time() - old.submitted_at.timestamp(), abs=5)


def test_only_webhooks_still_to_be_delivered_are_the_backlog(records: Records) -> None:
    assert scraped(records).get_sample_value("batchscribe_webhooks_oldest_seconds") == 0
    with records.transaction() as connection:
        job = stored_job(connection)
        for age_sec in (10, 100):
            insert_delivery(
                connection, job.number, event_id=f"evt_{age_sec}", event_type="x", payload=b"{}",
                moment=time.time() - age_sec,
            )  # fmt: skip
    found = scraped(records)
    assert found.get_sample_value("batchscribe_webhooks_pending") == 2
    assert found.get_sample_value("batchscribe_webhooks_oldest_seconds") == pytest.approx(100, abs=5)


def test_workers_are_counted_by_state_and_only_living_ones_have_slots(records: Records) -> None:
    with records.transaction() as connection:
        insert_worker(connection, a_worker("one"))
        insert_worker(connection, a_worker("two", state=WorkerState.DRAINING))
        insert_worker(connection, a_worker("three"))
        long_ago = sa.update(worker).where(worker.c.name == "three").values(seen_at=time.time() - 1000)
        connection.execute(long_ago)
    found = scraped(records)
    states = ("working", "draining", "silent")
    assert [found.get_sample_value("batchscribe_workers", {"state": state}) for state in states] == [1, 1, 1]
    assert found.get_sample_value("batchscribe_worker_slots") == 8


def at(records: Records, url: str) -> Records:
    """Return the same with another database."""
    return replace(records, database=open_database(url))


def test_a_database_that_is_gone_leaves_a_scrape_that_says_so(records: Records) -> None:
    found = registry_of(at(records, f"postgresql://nobody@127.0.0.1:{free_port()}/none"), load_settings())
    assert found.get_sample_value("batchscribe_database_up") == 0
    assert found.get_sample_value("batchscribe_workers", {"state": "working"}) is None
    assert found.get_sample_value("batchscribe_files_total", {"outcome": "failed"}) is not None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_a_database_that_hangs_holds_up_no_scrape_and_one_thread_only(records: Records) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts connections and never answers
        found = scraped(at(records, f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none"), answer_sec=0.3)
        began_at = time.monotonic()
        for _ in range(3):
            assert found.get_sample_value("batchscribe_database_up") == 0
        assert time.monotonic() - began_at < 20, "a scrape waited for the database"
        assert [thread.name for thread in threading.enumerate()].count("gauges") == 1
    wait_until(lambda: "gauges" not in [thread.name for thread in threading.enumerate()])


def test_a_database_without_tables_is_reported_as_unavailable(records: Records, tmp_path: Path) -> None:
    empty = at(records, f"sqlite:///{tmp_path / 'other.db'}")
    assert scraped(empty).get_sample_value("batchscribe_database_up") == 0
    empty.database.dispose()
