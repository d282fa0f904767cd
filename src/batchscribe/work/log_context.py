"""What every log line about a piece of work says: it is bound where the work is taken up, for all that is done in it.

A thread that is started meanwhile knows nothing of it, unless it runs in a copy of the context.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from structlog.contextvars import bound_contextvars

from batchscribe.jobs.model import File, Job


def about_task(worker_id: str, job_id: str) -> AbstractContextManager[Any]:
    return bound_contextvars(worker=worker_id, job_id=job_id)


def about_job(job: Job) -> AbstractContextManager[Any]:
    """`tracking_id` is that of the request that submitted it; a job of the command line has none."""
    tracking = {} if job.tracking_id is None else {"tracking_id": job.tracking_id}
    return bound_contextvars(job_id=job.job_id, tenant=job.tenant, **tracking)


def about_file(file: File) -> AbstractContextManager[Any]:
    return bound_contextvars(file_id=file.file_id)
