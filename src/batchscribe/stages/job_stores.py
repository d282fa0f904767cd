"""The stores of a job: what it may read and write, with its folders, its settings and its credentials."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from batchscribe.jobs.model import Job
from batchscribe.queue.records import Records
from batchscribe.settings import Settings
from batchscribe.stages.sealed_credentials import INPUT, open_signed_urls
from batchscribe.storage.access import Access, Credentials, RenewableCredentials
from batchscribe.storage.local.roots import roots_of
from batchscribe.storage.schemes import connect
from batchscribe.storage.store import Store


def connect_side(
    job: Job,
    side: str,
    records: Records,
    settings: Settings,
    *,
    credentials: Credentials | None = None,
    renewable: RenewableCredentials | None = None,
    signed_urls: Mapping[str, str] | None = None,
    patience_sec: float | None = None,
) -> Store:
    """Connect to the input or the output of a job without sending a request. For the last arguments see `Access`.

    By default, inputs have the signed URLs of the job. Raises `SecretKeyChanged`, `InvalidSetting`.
    """
    if signed_urls is None:
        signed_urls = open_signed_urls(records, job) if side == INPUT else {}
    return connect(
        Access(
            settings.model_copy(update=dict(job.storage_settings)),
            file_roots=(*roots_of(settings.file_roots, job.tenant), *(Path(root) for root in job.file_roots)),
            credentials=credentials,
            renewable=renewable,
            signed_urls=signed_urls,
            patience_sec=patience_sec,
        )
    )
