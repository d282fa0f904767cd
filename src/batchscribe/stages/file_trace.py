"""The trace of a file: from its first attempt to its final state, across retries and workers.

The ID of the trace and that of its root span follow from the job, the file and the number of the job's retry. So a
worker that resumes a file continues its trace. The root span is recorded by the worker that commits the outcome.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from structlog.contextvars import bound_contextvars

from batchscribe.jobs.model import File, Job, Outcome
from batchscribe.tracing.spans import Value, end_trace, trace
from batchscribe.wire.uris import without_query

_began_ns: ContextVar[int | None] = ContextVar("began_ns", default=None)


@contextmanager
def trace_file(job: Job, file: File) -> Iterator[None]:
    """Let the spans of the block, and its log lines, be part of the file's trace."""
    before = _began_ns.set(time.time_ns() if file.attempt == 0 else None)
    try:
        with trace(_key(job, file)) as trace_id:
            if trace_id is None:
                yield
                return
            with bound_contextvars(trace_id=trace_id):
                yield
    finally:
        _began_ns.reset(before)


def end_file_trace(job: Job, file: File, outcome: Outcome) -> None:
    """Record the root span of a file that has its final state.

    If this process did not start the first attempt, the span begins with the submission of the job.
    """
    began_ns = _began_ns.get() or int(job.submitted_at.timestamp() * 1e9)
    facts, error, traceparent = _describe(job, file, outcome), outcome.error_code or "", job.traceparent or ""
    end_trace(_key(job, file), "file", began_ns, facts, error, traceparent)


def _key(job: Job, file: File) -> str:
    return f"{job.job_id}/{file.file_id}/{job.retry_number}"


def _describe(job: Job, file: File, outcome: Outcome) -> dict[str, Value]:
    facts: dict[str, Value | None] = {
        "batchscribe.job.id": job.job_id,
        "batchscribe.file.id": file.file_id,
        "batchscribe.tenant": job.tenant,
        "batchscribe.tracking_id": job.tracking_id,
        "batchscribe.engine": job.engine,
        "batchscribe.model": job.model,
        "batchscribe.input_uri": without_query(file.input_uri),
        "batchscribe.size_bytes": file.size_bytes,
        "batchscribe.attempts": file.attempt,
        "batchscribe.outcome": outcome.state.value,
        "batchscribe.audio_sec": outcome.duration_sec,
        "batchscribe.compute_sec": outcome.cost.compute_sec,
        "batchscribe.bytes_read": outcome.cost.bytes_in,
    }
    return {name: value for name, value in facts.items() if value is not None}
