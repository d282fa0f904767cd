"""Checks of a submission and the plan of its job, before anything is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from batchscribe.database.api_key_rows import other_tenants
from batchscribe.errors import (
    AddressNotAllowed,
    InvalidRequest,
    LocationNotAllowed,
    Mistake,
    OptionNotAvailable,
)
from batchscribe.intake.submission import Submission
from batchscribe.jobs.model import Job
from batchscribe.jobs.summary import Summary
from batchscribe.outbound.policy import Policy, check_url
from batchscribe.queue.records import Records
from batchscribe.queue.tasks import SERVER_LANE
from batchscribe.settings import Settings
from batchscribe.stages.engine_choice import (
    NO_WORKERS,
    EngineOfJob,
    FleetEngines,
    choose_here,
    choose_in_fleet,
    engines_of_lane,
    leave_open,
)
from batchscribe.storage.access import Access
from batchscribe.storage.local.roots import check_apart, roots_of
from batchscribe.storage.schemes import location_check
from batchscribe.wire.choices import InputMode, JobState, OutputLayout
from batchscribe.wire.config import FIELDS_OF_OPTIONS, Config
from batchscribe.wire.mistakes import MOST_MISTAKES


def find_engines(submission: Submission, records: Records, settings: Settings) -> FleetEngines:
    """Return the engines of the live workers in the submission's lane."""
    with records.transaction() as connection:
        return engines_of_lane(connection, submission.lane, silent_sec=settings.silent_sec)


def plan_job(submission: Submission, settings: Settings, fleet: FleetEngines = NO_WORKERS) -> Job:
    """Run every check that needs no storage, and return the job as it would be stored. Raises as `submit` does.

    For the engine, see `EngineOfJob`.
    """
    _check_readable(submission.config, fleet)
    try:
        chosen = _choose_engine(submission, settings, fleet)
    except OptionNotAvailable as error:
        raise _name_vocabulary(error, submission) from None
    _check_locations(submission, settings)
    _check_webhook(submission, settings)
    config = submission.config.model_copy(update={"language": chosen.language})
    _check_profanity(config, settings)
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
        vocabulary=submission.vocabulary,
        engine=chosen.engine,
        model=chosen.model,
        model_revision=chosen.revision,
        speed=chosen.speed,
        sources=submission.sources,
        file_roots=tuple(str(root) for root in submission.file_roots),
        storage_settings=submission.storage_settings,
        summary=Summary(),
        tracking_id=submission.tracking_id,
        traceparent=submission.traceparent,
    )


def _check_readable(config: Config, fleet: FleetEngines) -> None:
    """Check that every live worker can read the job: any of them may list or end it. Raises `OptionNotAvailable`."""
    for option in config.added_options:
        if option in fleet.outdated:
            name = f"config.{FIELDS_OF_OPTIONS.get(option, option)}"
            raise OptionNotAvailable(
                f"{name}: The worker {fleet.outdated[option]} has an earlier release, which cannot read this option; "
                "restart it with this release.",
                field=name,
            )


def _check_profanity(config: Config, settings: Settings) -> None:
    """Check that there is a list for the language. With language detection, a missing list is only a warning later."""
    if config.profanity_filter:
        from batchscribe.transcript.profanity import load_filter

        profanity = load_filter(settings.profanity_file)
        if config.detection_mode is None:
            profanity.check(config.language)


def _choose_engine(submission: Submission, settings: Settings, fleet: FleetEngines) -> EngineOfJob:
    """Return the engine of the job, or the requested one if the choice is left open."""
    config = submission.config
    has_phrases = submission.vocabulary is not None and bool(submission.vocabulary.phrases)
    if is_left_open(submission, settings, fleet):
        return leave_open(submission.engine, config)
    if fleet.all or (settings.is_fleet and fleet.has_workers):
        return choose_in_fleet(submission.engine, config, fleet, has_phrases=has_phrases)
    return choose_here(submission.engine, config, settings, has_phrases=has_phrases)


def is_left_open(submission: Submission, settings: Settings, fleet: FleetEngines) -> bool:
    """Return whether the worker that lists the job will choose its engine: now no worker is live."""
    return settings.is_fleet and submission.lane == SERVER_LANE and not fleet.has_workers


def _name_vocabulary(error: OptionNotAvailable, submission: Submission) -> OptionNotAvailable:
    """Return the error with the field that the client sent, which may be the ID of a vocabulary."""
    inline, by_id = "config.vocabulary", "config.vocabulary_id"
    if error.field != inline or submission.config.vocabulary_id is None:
        return error
    return OptionNotAvailable(error.message.replace(inline, by_id, 1), field=by_id)


def _check_locations(submission: Submission, settings: Settings) -> None:
    """Check all URIs and globs. Raises `InvalidRequest`, with all invalid URIs at once."""
    roots = (*roots_of(settings.file_roots, submission.tenant), *submission.file_roots)
    check = location_check(Access(settings, file_roots=roots))
    for source in submission.sources:
        source.path_filter()
    named = _list_uris(submission)
    mistakes = tuple(mistake for field, uri in named if (mistake := _find_mistake(field, uri, check)))
    if mistakes:
        raise InvalidRequest(mistakes[0].message, field=mistakes[0].field, mistakes=mistakes[:MOST_MISTAKES])


def _list_uris(submission: Submission) -> list[tuple[str, str]]:
    """Return each URI after its field."""
    named = [(_name_field(submission, index), source.uri) for index, source in enumerate(submission.sources)]
    if submission.output.layout is not OutputLayout.ADJACENT:
        named.append(("output.uri", submission.output.uri))
    return named


def check_tenant_roots(submission: Submission, records: Records, settings: Settings) -> None:
    """Refuse the files of other tenants. The command line brings its own folders. Raises `InvalidRequest`."""
    if submission.file_roots:
        return
    with records.transaction() as connection:
        others = other_tenants(connection, submission.tenant)
    check_apart(_list_uris(submission), settings.file_roots, submission.tenant, others)


def _name_field(submission: Submission, index: int) -> str:
    is_manifest = submission.input.get("mode") == InputMode.MANIFEST
    return f"input.manifest.{index}" if is_manifest else "input.uri"


def _find_mistake(field: str, uri: str, check: Callable[[str], None]) -> Mistake | None:
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
