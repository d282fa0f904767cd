"""Gauges of queues and workers. Each scrape queries the database, with a time limit.

Every process reports the same values, since there is one database; `docs/monitoring.md` says how to read them.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from batchscribe.database.backlog import TenantBacklog, WebhookBacklog, backlog_by_tenant, webhook_backlog
from batchscribe.database.connect import DatabaseError, cause_of, limit_statements
from batchscribe.database.worker_rows import silent_workers, workers
from batchscribe.jobs.worker_record import WorkerRecord, WorkerState
from batchscribe.metrics import REGISTRY
from batchscribe.queue.records import Records
from batchscribe.settings import Settings

log = structlog.get_logger()

ANSWER_SEC = 5.0  #: time limit of the database; then the scrape omits these gauges. Prometheus waits 10 s by default
UNFIT = "unfit"  #: state of a worker whose machine can process no recordings now
SILENT = "silent"  #: state of a worker without a heartbeat for `BATCHSCRIBE_SILENT_SEC`


def registry_of(records: Records, settings: Settings) -> CollectorRegistry:
    """Create a registry with all metrics of a process of a fleet."""
    registry = CollectorRegistry()
    registry.register(REGISTRY)
    registry.register(Gauges(records, settings))
    return registry


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of one look at the database."""

    tenants: list[TenantBacklog]
    webhooks: WebhookBacklog
    workers: Counter[str]  #: by state, in lower case
    slots: int  #: of the workers that are neither silent nor unfit


class Gauges(Collector):
    """The collector of these gauges. Thread-safe. It runs one query at a time: a database that hangs costs one thread
    and one connection, not one of each per scrape.
    """

    def __init__(self, records: Records, settings: Settings, *, answer_sec: float = ANSWER_SEC) -> None:
        self._records = records
        self._silent_sec = settings.silent_sec
        self._answer_sec = answer_sec
        self._looking = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        found = self._look_within()
        yield GaugeMetricFamily(
            "batchscribe_database_up", "1 if the database answered this scrape, else 0.", float(found is not None)
        )
        if found is not None:
            yield from _of_tenants(found.tenants)
            yield from _of_webhooks(found.webhooks)
            yield from _of_workers(found)

    def _look_within(self) -> Findings | None:
        """Query the database. Returns None if that fails or takes too long."""
        if not self._looking.acquire(timeout=self._answer_sec):
            return None
        answer: queue.SimpleQueue[Findings | None] = queue.SimpleQueue()
        threading.Thread(target=self._answer, args=(answer,), name="gauges", daemon=True).start()
        try:
            return answer.get(timeout=self._answer_sec)
        except queue.Empty:
            log.warning("database.slow", waited_sec=self._answer_sec)
            return None

    def _answer(self, answer: queue.SimpleQueue[Findings | None]) -> None:
        try:
            answer.put(self._look())
        except DatabaseError as error:
            log.warning("database.trouble", error=cause_of(error))
            answer.put(None)
        finally:
            self._looking.release()

    def _look(self) -> Findings:
        with self._records.transaction() as connection:
            limit_statements(connection, self._answer_sec)  # so that no query outlives its scrape
            silent = {each.worker_id for each in silent_workers(connection, silent_sec=self._silent_sec)}
            everybody = workers(connection)
            return Findings(
                tenants=backlog_by_tenant(connection),
                webhooks=webhook_backlog(connection),
                workers=Counter(SILENT if each.worker_id in silent else _state(each) for each in everybody),
                slots=sum(each.slots for each in everybody if each.worker_id not in silent and not each.is_unfit),
            )


def _state(worker: WorkerRecord) -> str:
    return UNFIT if worker.is_unfit and worker.state is WorkerState.WORKING else worker.state.lower()


def _of_tenants(tenants: list[TenantBacklog]) -> Iterator[Metric]:
    jobs = _gauge("batchscribe_queue_jobs", "Jobs that have not ended.", "tenant")
    waiting = _gauge(
        "batchscribe_queue_jobs_waiting_for_credentials", "Jobs whose storage credentials have expired.", "tenant"
    )
    files = _gauge("batchscribe_queue_files", "Files found so far without a final state.", "tenant")
    shards = _gauge("batchscribe_queue_shards", "Shards, of up to 64 files each, by state.", "tenant", "state")
    oldest = _gauge("batchscribe_queue_oldest_seconds", "Age of the oldest job that has not ended.", "tenant")
    for each in tenants:
        jobs.add_metric([each.tenant], each.jobs)
        waiting.add_metric([each.tenant], each.jobs_waiting)
        files.add_metric([each.tenant], each.files)
        shards.add_metric([each.tenant, "waiting"], each.shards_waiting)
        shards.add_metric([each.tenant, "running"], each.shards_running)
        oldest.add_metric([each.tenant], each.oldest_sec)
    yield from (jobs, waiting, files, shards, oldest)


def _of_webhooks(webhooks: WebhookBacklog) -> Iterator[Metric]:
    yield GaugeMetricFamily("batchscribe_webhooks_pending", "Webhooks not yet delivered.", webhooks.pending)
    yield GaugeMetricFamily(
        "batchscribe_webhooks_oldest_seconds", "Age of the oldest webhook not yet delivered.", webhooks.oldest_sec
    )


def _of_workers(found: Findings) -> Iterator[Metric]:
    states = _gauge("batchscribe_workers", "Registered worker processes, by state.", "state")
    for state in ("working", "draining", UNFIT, SILENT):
        states.add_metric([state], found.workers[state])
    yield states
    yield GaugeMetricFamily(
        "batchscribe_worker_slots",
        "Files that all fit workers together can process at once.",
        found.slots,
    )


def _gauge(name: str, documentation: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, labels=labels)
