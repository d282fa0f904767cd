"""The choice of a job's engine and model, from the live workers or, without a fleet, from this machine.

It is made when a job is accepted. A server without live workers does not know their models, so it leaves the choice to
the worker that lists the job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from batchscribe.database.connect import Connection
from batchscribe.database.job_rows import bind_job, get_job
from batchscribe.database.worker_rows import live_workers
from batchscribe.errors import EngineNotAvailable, OptionNotAvailable, UnsupportedLanguage
from batchscribe.jobs.model import ANY_ENGINE, Cursor, Job
from batchscribe.queue.records import Records
from batchscribe.settings import Settings
from batchscribe.speakers.speaker_models import NOT_INSTALLED, PULL, find_speaker_models
from batchscribe.speech.capability import Capability
from batchscribe.speech.languages import canonical_language
from batchscribe.speech.registry import choose_engine, choose_from_fleet
from batchscribe.wire.config import ADDED_OPTIONS, Config

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FleetEngines:
    """The engines of live workers: those of fit machines, and those of all."""

    fit: tuple[Capability, ...] = ()
    all: tuple[Capability, ...] = ()
    outdated: Mapping[str, str] = field(default_factory=dict)  #: by option: the name of a worker that cannot read it
    has_workers: bool = True  #: whether any worker is live, with or without engines


NO_WORKERS = FleetEngines(has_workers=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOfJob:
    """What a job is bound to, and its canonical language.

    `model` is None if any model of the engine will do: the chosen worker does not read the queue of the model. It is
    also None if the choice is left open; `engine` is then the requested one, such as `auto`.
    """

    engine: str
    language: str
    model: str | None = None
    revision: str | None = None
    speed: float = 1.0


def engines_of_lane(connection: Connection, lane: str, *, silent_sec: float) -> FleetEngines:
    """Return the engines of the live workers in a lane."""
    workers = [worker for worker in live_workers(connection, silent_sec=silent_sec) if lane in worker.lanes]
    return FleetEngines(
        fit=tuple(engine for worker in workers for engine in worker.fit_engines if engine.is_offered),
        all=tuple(engine for worker in workers for engine in worker.engines if engine.is_offered),
        outdated={option: worker.name for option in ADDED_OPTIONS for worker in workers if not worker.can_read(option)},
        has_workers=bool(workers),
    )


def choose_in_fleet(wanted: str, config: Config, fleet: FleetEngines, *, has_phrases: bool) -> EngineOfJob:
    """Choose from the engines of live workers. Fit machines come first; a job that only unfit ones can do waits.

    `wanted` is `auto` or the name of an engine. Raises `EngineNotAvailable`, `UnsupportedLanguage` and
    `OptionNotAvailable`.
    """
    fleet = select_diarizing(fleet) if config.diarization else fleet
    try:
        return _choose_among(fleet.fit, wanted, config, has_phrases=has_phrases)
    except (EngineNotAvailable, UnsupportedLanguage, OptionNotAvailable):
        if fleet.fit == fleet.all:
            raise
    return _choose_among(fleet.all, wanted, config, has_phrases=has_phrases)


def _choose_among(engines: tuple[Capability, ...], wanted: str, config: Config, *, has_phrases: bool) -> EngineOfJob:
    detect = config.detection_mode is not None
    chosen, language = choose_from_fleet(wanted, config.language, engines, detect=detect, vocabulary=has_phrases)
    if not chosen.has_queue:
        return EngineOfJob(engine=chosen.name, language=language, speed=chosen.speed)
    return EngineOfJob(
        engine=chosen.name, language=language, model=chosen.model, revision=chosen.revision, speed=chosen.speed
    )


def select_diarizing(fleet: FleetEngines) -> FleetEngines:
    """Return the engines whose workers also have the speaker models. Raises `OptionNotAvailable`."""
    fit, every = (tuple(engine for engine in each if engine.has_speakers) for each in (fleet.fit, fleet.all))
    if every:
        return FleetEngines(fit, every)
    raise _diarization_refusal(
        f"No worker has the speaker models; run {PULL} on a machine with a worker, and restart that worker."
    )


def choose_here(wanted: str, config: Config, settings: Settings, *, has_phrases: bool) -> EngineOfJob:
    """Choose from the engines of this machine, which also transcribes. Raises as `choose_in_fleet` does."""
    if config.diarization and find_speaker_models(settings) is None:
        raise _diarization_refusal(f"{NOT_INSTALLED} Then restart the server, if there is one.")
    detect = config.detection_mode is not None
    choice = choose_engine(wanted, config.language, settings, detect=detect, vocabulary=has_phrases)
    spec = choice.spec
    return EngineOfJob(
        engine=spec.name, language=choice.language, model=spec.model, revision=spec.revision, speed=spec.speed
    )


def _diarization_refusal(sentence: str) -> OptionNotAvailable:
    name = "config.diarization"
    return OptionNotAvailable(f"{name}: {sentence}", field=name)


def leave_open(wanted: str, config: Config) -> EngineOfJob:
    """Leave the choice to the worker that lists the job; see `bind_engine`. Raises `UnsupportedLanguage`."""
    return EngineOfJob(engine=wanted, language=canonical_language(config.language))


def is_unbound(job: Job) -> bool:
    """Return whether the choice was left open and no worker has listed any of the files yet."""
    return job.model is None and not job.is_local and job.cursor == Cursor()


def bind_engine(job: Job, records: Records, *, silent_sec: float) -> Job | None:
    """Choose the engine of a job whose choice was left open. Return the job as it is then.

    If the job names an engine that no live worker has, it stays as it is, and waits like each job whose workers are
    gone. Returns None if no worker is live; then this worker itself was silent for too long, and will be live after its
    next heartbeat. Raises as `choose_in_fleet` does.
    """
    with records.transaction() as connection:
        fleet = engines_of_lane(connection, job.lane, silent_sec=silent_sec)
        if not fleet.has_workers:
            return None
        try:
            chosen = choose_in_fleet(job.engine, job.config, fleet, has_phrases=bool(job.phrases))
        except EngineNotAvailable:
            if job.engine == ANY_ENGINE:
                raise
            return job
        bind_job(
            connection, job, engine=chosen.engine, model=chosen.model, revision=chosen.revision, speed=chosen.speed
        )
        bound = get_job(connection, job.job_id)
    if bound.queue_key != job.queue_key:
        log.info("job.engine_chosen", job_id=job.job_id, engine=bound.engine, model=bound.model)
    return bound
