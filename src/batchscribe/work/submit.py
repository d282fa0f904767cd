"""Accept a job: refuse what can be known to be wrong, then one transaction stores it and enqueues its enumeration."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from batchscribe.database.api_key import other_tenants
from batchscribe.database.idempotency import job_of_key
from batchscribe.database.job import get_job, insert_job
from batchscribe.database.worker import live_workers
from batchscribe.errors import (
    AddressNotAllowed,
    EngineNotAvailable,
    InvalidRequest,
    LocationNotAllowed,
    Mistake,
    OptionNotAvailable,
    UnsupportedLanguage,
)
from batchscribe.jobs.model import Job
from batchscribe.jobs.source import Source
from batchscribe.jobs.summary import Summary
from batchscribe.outbound.policy import Policy, check_url
from batchscribe.settings import Settings
from batchscribe.speech.capability import Capability
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.registry import choose_engine, choose_of_fleet
from batchscribe.storage.access import Access, AwsCredentials
from batchscribe.storage.routed import location_check
from batchscribe.wire.choices import InputMode, OutputLayout
from batchscribe.wire.config import Config
from batchscribe.wire.output import Output
from batchscribe.wire.refusals import MOST_MISTAKES
from batchscribe.wire.states import JobState
from batchscribe.work.credentials import INPUT, OUTPUT, seal_credentials, seal_signed_urls
from batchscribe.work.file_roots import check_apart, roots_of
from batchscribe.work.flow import ENUMERATE, Task
from batchscribe.work.notify import Webhook, seal_webhook
from batchscribe.work.records import Records

log = structlog.get_logger()


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
    signed_urls: Mapping[str, str] = field(default_factory=dict, repr=False)  #: see `Access.signed_urls`
    webhook: Webhook | None = None
    tracking_id: str | None = None  #: of the request that brings it
    warnings: tuple[str, ...] = ()  #: about the request, for whoever sent it

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


@dataclass(frozen=True, slots=True)
class Hearing:
    """The engines of living workers: of those whose machines are well, and of all."""

    now: tuple[Capability, ...] = ()
    usually: tuple[Capability, ...] = ()


NOBODY = Hearing()


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's own name for a submission, and all that it submitted."""

    key: str
    content: bytes = field(repr=False)


def new_job_id() -> str:
    return f"job_{secrets.token_hex(10)}"


def submit(
    submission: Submission, records: Records, settings: Settings, *, idempotency: IdempotencyKey | None = None
) -> Job:
    """Store a job, or find the one that the idempotency key stands for.

    Raises `InvalidRequest`, `UnsupportedLanguage`, `EngineNotAvailable` or `IdempotencyKeyReused`.
    """
    check_tenant_roots(submission, records, settings)
    new = planned_job(submission, settings, fleet_of(submission, records, settings))
    with records.transaction() as connection:
        known = idempotency and _known_job(connection, records, submission, idempotency)
        if known:
            return get_job(connection, known)
        job = insert_job(connection, new, fingerprint=submission.fingerprint)
        seal_credentials(connection, records, job, INPUT, submission.input_aws)
        seal_credentials(connection, records, job, OUTPUT, submission.output_aws or submission.input_aws)
        seal_signed_urls(connection, records, job, submission.signed_urls)
        seal_webhook(connection, records, job, submission.webhook)
        records.flow.enqueue(connection, Task(ENUMERATE, job.job_id, lane=job.lane, tenant=job.tenant))
    log.info("job.submitted", job_id=job.job_id, tenant=job.tenant)
    return job


def _known_job(
    connection: sa.Connection, records: Records, submission: Submission, idempotency: IdempotencyKey
) -> str | None:
    return job_of_key(
        connection,
        records.keyring,
        tenant=submission.tenant,
        key=idempotency.key,
        content=idempotency.content,
        new_job_id=submission.job_id,
    )


def fleet_of(submission: Submission, records: Records, settings: Settings) -> Hearing:
    """What the workers of its lane can hear with."""
    with records.transaction() as connection:
        live = live_workers(connection, silent_sec=settings.silent_sec)
    there = [worker for worker in live if submission.lane in worker.lanes]
    return Hearing(
        now=tuple(engine for worker in there for engine in worker.fit_engines),
        usually=tuple(engine for worker in there for engine in worker.engines),
    )


def planned_job(submission: Submission, settings: Settings, fleet: Hearing = NOBODY) -> Job:
    """The job as it would be stored, after every check that needs no storage. Raises as `submit`.

    Without workers it is checked against what this machine could hear with.
    """
    engine, language = _chosen(submission, settings, fleet)
    _check_locations(submission, settings)
    _check_webhook(submission, settings)
    config = submission.config.model_copy(update={"language": language})
    return Job(
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
        engine=engine.name,
        speed=engine.speed,
        sources=submission.sources,
        file_roots=tuple(str(root) for root in submission.file_roots),
        s3=submission.s3,
        summary=Summary(),
        tracking_id=submission.tracking_id,
    )


def _chosen(submission: Submission, settings: Settings, fleet: Hearing) -> tuple[EngineSpec | Capability, str]:
    """Among the machines that are well; a job that only others could do waits for them to recover."""
    config = submission.config
    detect = config.detection_mode is not None
    if fleet.now:
        try:
            return choose_of_fleet(submission.engine, config.language, fleet.now, detect=detect)
        except (EngineNotAvailable, UnsupportedLanguage, OptionNotAvailable):
            if fleet.now == fleet.usually:
                raise
    if fleet.usually:
        return choose_of_fleet(submission.engine, config.language, fleet.usually, detect=detect)
    choice = choose_engine(submission.engine, config.language, settings, detect=detect)
    return choice.spec, choice.language


def _check_locations(submission: Submission, settings: Settings) -> None:
    """All that are wrong are told at once. Raises `InvalidRequest`, for globs that cannot be used too."""
    roots = (*roots_of(settings.file_roots, submission.tenant), *submission.file_roots)
    check = location_check(Access.from_settings(settings, file_roots=roots))
    for source in submission.sources:
        source.path_filter()
    named = _named_uris(submission)
    mistakes = tuple(mistake for field, uri in named if (mistake := _mistaken_location(field, uri, check)))
    if mistakes:
        raise InvalidRequest(mistakes[0].message, field=mistakes[0].field, mistakes=mistakes[:MOST_MISTAKES])


def _named_uris(submission: Submission) -> list[tuple[str, str]]:
    """With their fields."""
    named = [(_field_of(submission, index), source.uri) for index, source in enumerate(submission.sources)]
    if submission.output.layout is not OutputLayout.ADJACENT:
        named.append(("output.uri", submission.output.uri))
    return named


def check_tenant_roots(submission: Submission, records: Records, settings: Settings) -> None:
    """No tenant gets at another's files. The command line brings its own folders. Raises `InvalidRequest`."""
    if submission.file_roots:
        return
    with records.transaction() as connection:
        others = other_tenants(connection, submission.tenant)
    check_apart(_named_uris(submission), settings.file_roots, submission.tenant, others)


def _field_of(submission: Submission, index: int) -> str:
    is_manifest = submission.input.get("mode") == InputMode.MANIFEST
    return f"input.manifest.{index}" if is_manifest else "input.uri"


def _mistaken_location(field: str, uri: str, check: Callable[[str], None]) -> Mistake | None:
    try:
        check(uri)
    except LocationNotAllowed as error:
        return Mistake(field, f"{field}: {error.message}")
    return None


def _check_webhook(submission: Submission, settings: Settings) -> None:
    if submission.webhook is None:
        return
    try:
        check_url(submission.webhook.url, Policy.from_settings(settings))
    except AddressNotAllowed as error:
        field = "notifications.webhook_url"
        raise InvalidRequest(f"{field}: {error.message}", field=field) from error
