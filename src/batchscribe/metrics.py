"""Prometheus metrics of a process about its own work.

Metrics from the database, about queues and workers, are in `worker/gauges.py`. Labels have few values and never an ID.
`docs/monitoring.md` lists all metrics; a test keeps it equal.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from batchscribe import __version__

#: For anything from a small file on a fast disk to hours of audio on a busy machine.
STAGE_BUCKETS_SEC = (0.01, 0.05, 0.25, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
REQUEST_BUCKETS_SEC = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
OTHER = "other"  #: for unknown methods and routes


class Stage(StrEnum):
    """What the thread of a file waits for; other processes do the work."""

    READ = "read"  #: the storage: opening the recording and reading byte ranges
    DECODE = "decode"  #: the decoder, which also detects speech
    DIARIZE = "diarize"  #: the speaker process, in jobs with diarization
    TRANSCRIBE = "transcribe"  #: the engines, which may be busy with other files
    WRITE = "write"  #: the storage: writing the transcript
    COMMIT = "commit"  #: the database: storing the final state


class Retry(StrEnum):
    """What is retried."""

    FILE = "file"  #: a file whose worker died
    STORAGE = "storage"  #: a file whose storage did not respond
    DECODER = "decoder"  #: a recording whose decoder died
    SPEAKERS = "speakers"  #: a recording whose diarization died
    ENGINE = "engine"  #: segments whose engine died, hung or failed
    TASK = "task"  #: a task that failed because of the database


disable_created_metrics()  # type: ignore[no-untyped-call]  # `_created` series are not needed

REGISTRY = CollectorRegistry()

BUILD = Info("batchscribe_build", "The running release and the worker's name.", registry=REGISTRY)
FILES = Counter(
    "batchscribe_files", "Files that this process brought to their final state.", ["outcome"], registry=REGISTRY
)
AUDIO_SECONDS = Counter(
    "batchscribe_audio_seconds", "Seconds of audio in these files, where known.", ["outcome"], registry=REGISTRY
)
FILE_ERRORS = Counter(
    "batchscribe_file_errors", "Files that failed or were skipped, by error code.", ["code"], registry=REGISTRY
)
STAGE_SECONDS = Histogram(
    "batchscribe_stage_seconds",
    "Seconds that a file waited in a stage of processing.",
    ["stage"],
    buckets=STAGE_BUCKETS_SEC,
    registry=REGISTRY,
)
ENGINE_BUSY_SECONDS = Counter(
    "batchscribe_engine_busy_seconds",
    "Seconds that engine processes spent on batches of speech, summed over the processes.",
    ["engine"],
    registry=REGISTRY,
)
ENGINE_PROCESSES = Gauge(
    "batchscribe_engine_processes", "Engine processes that may run at once.", ["engine"], registry=REGISTRY
)
CONFINEMENT = Gauge(
    "batchscribe_confinement",
    "1 if the confinement layer works for this kind of child process, else 0.",
    ["child", "layer"],
    registry=REGISTRY,
)
UNFIT = Gauge(
    "batchscribe_unfit",
    "1 while the decoder, an engine or diarization fails its trial on this machine and takes no files, else 0.",
    ["part"],
    registry=REGISTRY,
)
RETRIES = Counter("batchscribe_retries", "Retries, by kind.", ["what"], registry=REGISTRY)
JOBS = Counter("batchscribe_jobs", "Jobs that this process ended, by final state.", ["state"], registry=REGISTRY)
WEBHOOK_ATTEMPTS = Counter(
    "batchscribe_webhook_attempts", "Webhook attempts, by result.", ["result"], registry=REGISTRY
)
REAPED_WORKERS = Counter(
    "batchscribe_reaped_workers", "Silent workers that this process declared dead.", registry=REGISTRY
)
HANDED_ON_TASKS = Counter(
    "batchscribe_handed_on_tasks", "Tasks of dead workers that this process requeued.",
    registry=REGISTRY,
)  # fmt: skip
HTTP_REQUESTS = Counter(
    "batchscribe_http_requests", "Requests answered.", ["method", "route", "status"], registry=REGISTRY
)
CLOSED_CONNECTIONS = Counter(
    "batchscribe_http_connections_closed",
    "Connections closed because of a limit, by reason.",
    ["reason"],
    registry=REGISTRY,
)
HTTP_REQUEST_SECONDS = Histogram(
    "batchscribe_http_request_duration_seconds",
    "Seconds from the request's head to the end of the response.",
    ["method", "route"],
    buckets=REQUEST_BUCKETS_SEC,
    registry=REGISTRY,
)
ProcessCollector(registry=REGISTRY)


def set_worker_name(worker: str) -> None:
    BUILD.info({"version": __version__, "worker": worker})


def _begin_at_zero() -> None:
    """Create the counters with value 0. If a series began with its first event, `rate()` would miss that event."""
    set_worker_name("")
    for outcome in ("succeeded", "failed", "skipped"):
        FILES.labels(outcome)
        AUDIO_SECONDS.labels(outcome)
    for state in ("succeeded", "partial", "failed", "canceled"):
        JOBS.labels(state)
    for result in ("delivered", "pending", "refused", "gave_up"):
        WEBHOOK_ATTEMPTS.labels(result)
    for reason in ("too_slow", "for_room", "refused"):
        CLOSED_CONNECTIONS.labels(reason)
    UNFIT.labels("decoder").set(0)
    for retry in Retry:
        RETRIES.labels(retry)
    for each in Stage:
        STAGE_SECONDS.labels(each)


_begin_at_zero()

_waited: ContextVar[dict[Stage, float] | None] = ContextVar("waited", default=None)


@contextmanager
def observe_file() -> Iterator[None]:
    """Sum the `stage` times of the file in this thread, and observe them at the end."""
    waited: dict[Stage, float] = {}
    before = _waited.set(waited)
    try:
        yield
    finally:
        _waited.reset(before)
        for each, seconds in waited.items():
            STAGE_SECONDS.labels(each).observe(seconds)


@contextmanager
def suppress_observation() -> Iterator[None]:
    """Do not observe stages in this block, such as those of a trial, which belongs to no file."""
    before = _waited.set({})
    try:
        yield
    finally:
        _waited.reset(before)


@contextmanager
def stage(which: Stage) -> Iterator[None]:
    """Measure the block as a stage of the file in this thread. Outside `observe_file`, observe it immediately."""
    began_at = time.monotonic()
    try:
        yield
    finally:
        took_sec = time.monotonic() - began_at
        waited = _waited.get()
        if waited is None:
            STAGE_SECONDS.labels(which).observe(took_sec)
        else:
            waited[which] = waited.get(which, 0.0) + took_sec


def count_file(state: str, audio_sec: float | None, error_code: str | None) -> None:
    """Count a file that reached its final state, for example `FILE_SUCCEEDED`."""
    outcome = state.removeprefix("FILE_").lower()
    FILES.labels(outcome).inc()
    AUDIO_SECONDS.labels(outcome).inc(audio_sec or 0.0)
    if error_code is not None:
        FILE_ERRORS.labels(error_code).inc()


def count_request(method: str, route: str | None, status: int | None, took_sec: float) -> None:
    """Count a request. `route` is the path template, None if no route matches; `status` is None without a response."""
    known = method if method in METHODS else OTHER
    HTTP_REQUESTS.labels(known, route or OTHER, status or OTHER).inc()
    HTTP_REQUEST_SECONDS.labels(known, route or OTHER).observe(took_sec)
