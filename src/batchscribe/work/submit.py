"""Accept a job: refuse what can be known to be wrong, then one transaction stores it and enqueues its enumeration."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batchscribe.database.job import insert_job
from batchscribe.errors import InvalidRequest, LocationNotAllowed
from batchscribe.jobs.model import Job
from batchscribe.jobs.source import Source
from batchscribe.jobs.summary import Summary
from batchscribe.settings import Settings
from batchscribe.speech.registry import choose_engine
from batchscribe.storage.access import Access, AwsCredentials
from batchscribe.storage.routed import check_location
from batchscribe.wire.choices import OutputLayout
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from batchscribe.wire.states import JobState
from batchscribe.work.credentials import INPUT, OUTPUT, seal_credentials
from batchscribe.work.flow import ENUMERATE, Task
from batchscribe.work.records import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A job before it has a place on record. `lane` says which queues its tasks go through."""

    job_id: str
    lane: str
    tenant: str
    input: Mapping[str, Any]  #: what is echoed; `sources` is what it means
    sources: tuple[Source, ...]
    output: Output
    config: Config
    engine: str
    reference_id: str | None = None
    file_roots: tuple[Path, ...] = ()  #: folders that this job may use beside those of the settings
    s3: Mapping[str, Any] = field(default_factory=dict)  #: see `Job.s3`
    input_aws: AwsCredentials | None = None
    output_aws: AwsCredentials | None = None  #: by default those of the input

    @property
    def fingerprint(self) -> str:
        """The same for a job that is asked for with the same words again."""
        facts = [
            self.tenant,
            [asdict(source) for source in self.sources],
            self.output.echo(),
            self.config.echo(),
            self.engine,
            dict(self.s3),
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def new_job_id() -> str:
    return f"job_{secrets.token_hex(10)}"


def submit(submission: Submission, records: Records, settings: Settings) -> Job:
    """Raises `InvalidRequest`, `UnsupportedLanguage`, `EngineNotAvailable` or `LocationNotAllowed`."""
    choice = choose_engine(submission.engine, submission.config.language, settings)
    _check_locations(submission, settings)
    config = submission.config.model_copy(update={"language": choice.language})
    new = Job(
        number=0,
        job_id=submission.job_id,
        tenant=submission.tenant,
        lane=submission.lane,
        state=JobState.QUEUED,
        submitted_at=datetime.now(UTC),
        completed_at=None,
        reference_id=submission.reference_id,
        input=submission.input,
        output=submission.output,
        config=config,
        engine=submission.engine,
        sources=submission.sources,
        file_roots=tuple(str(root) for root in submission.file_roots),
        s3=submission.s3,
        summary=Summary(),
    )
    with records.transaction() as connection:
        job = insert_job(connection, new, fingerprint=submission.fingerprint)
        seal_credentials(connection, records, job, INPUT, submission.input_aws)
        seal_credentials(connection, records, job, OUTPUT, submission.output_aws or submission.input_aws)
        records.flow.enqueue(connection, Task(ENUMERATE, job.job_id, lane=job.lane, tenant=job.tenant))
    return job


def _check_locations(submission: Submission, settings: Settings) -> None:
    access = Access.from_settings(settings, file_roots=(*settings.file_roots, *submission.file_roots))
    for source in submission.sources:
        source.path_filter()  # raises for globs that cannot be used
        _check_location(source.uri, access, field="input.uri")
    if submission.output.layout is not OutputLayout.ADJACENT:
        _check_location(submission.output.uri, access, field="output.uri")


def _check_location(uri: str, access: Access, *, field: str) -> None:
    try:
        check_location(uri, access)
    except LocationNotAllowed as error:
        raise InvalidRequest(error.message, field=field) from error
