"""Know before the first file is transcribed that its transcript could never be written."""

from __future__ import annotations

import structlog

from batchscribe.errors import BucketNameInvalid, BucketNotFound, ConditionalWriteUnsupported, StorageError
from batchscribe.jobs.model import Job
from batchscribe.storage.store import Store

log = structlog.get_logger()


def check_output(uri: str, job: Job, store: Store) -> None:
    """Raises what all of the job's files would end with: the output's bucket is missing, or only overwriting works.

    Anything else may be different for the real name, or pass by, and is left to the files.
    """
    if job.output.overwrite:
        return
    try:
        store.check_write(uri)
    except (ConditionalWriteUnsupported, BucketNotFound, BucketNameInvalid):
        raise
    except StorageError as error:
        log.warning("output.not_checked", job_id=job.job_id, tenant=job.tenant, error_code=error.code)
