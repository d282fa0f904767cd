"""The pools of engine processes that all jobs of a worker share: one for each model in use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from batchscribe.errors import EngineNotAvailable, MachineTrouble, ModelElsewhere, OptionNotAvailable, WorkInterrupted
from batchscribe.jobs.model import Job
from batchscribe.jobs.worker_record import RETRIES_JOBS
from batchscribe.settings import Settings
from batchscribe.speakers.speaker_models import NOT_INSTALLED, find_speaker_models
from batchscribe.speakers.speaker_process import SPEAKERS
from batchscribe.speech.capability import Capability, describe_model_at, engine_of_key
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.pool import SpeechPool
from batchscribe.speech.registry import Choice, capabilities, choose_engine, find_all_of, find_engines, rank_model
from batchscribe.wire.config import ADDED_OPTIONS

MakePool = Callable[[EngineSpec, int], SpeechPool]


class EnginePools:
    """The pools of this process. Thread-safe."""

    def __init__(self, settings: Settings, make_pool: MakePool) -> None:
        self._settings = settings
        self._make_pool = make_pool
        self._pools: dict[EngineSpec, SpeechPool] = {}
        self._had_speakers = False  #: whether the speaker models were installed when this process started
        self._at_start: dict[str, Capability] = {}  #: by engine, and by the key of the model
        self._closed = False
        self._lock = threading.Lock()

    def take_stock(self, only: EngineSpec | None = None, *, diarizes: bool = True) -> tuple[Capability, ...]:
        """Return the available engines. One that is gone later, for example from disk, is trouble of the machine.

        With `only`, only that model is offered. Diarization is available if `diarizes` and if its models are installed.
        """
        self._had_speakers = diarizes and find_speaker_models(self._settings) is not None
        found = capabilities(self._settings) if only is None else (rank_model(only),)
        found = tuple(
            replace(each, has_speakers=self._had_speakers, options=(*ADDED_OPTIONS, RETRIES_JOBS)) for each in found
        )
        self._at_start = {key: each for each in found for key in (each.name, each.key)}
        return found

    def choose(self, job: Job) -> Choice:
        """Choose the engine of a job, and its model.

        Raises `EngineNotAvailable`, `OptionNotAvailable` and `MachineTrouble`, and `ModelElsewhere` if other workers
        may have the models. They read its queue, but a worker of a release without such queues puts the job's shards
        into the queue of the engine.
        """
        if job.config.diarization:
            self._check_speakers()
        try:
            return choose_engine(
                job.engine,
                job.config.language,
                self._settings,
                detect=job.config.detection_mode is not None,
                vocabulary=bool(job.phrases),
                model=job.model,
                revision=job.model_revision,
            )
        except EngineNotAvailable as error:
            if job.model_key in self._at_start:
                raise MachineTrouble(error.message, part=job.model_key) from error
            if job.model is not None and self._settings.is_fleet:
                raise ModelElsewhere(error.message, part=job.model_key) from error
            raise

    def _check_speakers(self) -> None:
        if find_speaker_models(self._settings) is not None:
            return
        if self._had_speakers:
            raise MachineTrouble(NOT_INSTALLED, part=SPEAKERS)
        if self._settings.is_fleet:
            raise ModelElsewhere(NOT_INSTALLED, part=SPEAKERS)
        raise OptionNotAvailable(NOT_INSTALLED, field="config.diarization")

    def open(self, spec: EngineSpec) -> SpeechPool:
        """Return the pool of a model. Raises `WorkInterrupted` after `close`."""
        with self._lock:
            if self._closed:
                raise WorkInterrupted("The worker stops.")
            if spec not in self._pools:
                self._pools[spec] = self._make_pool(spec, self._settings.engine_processes)
            return self._pools[spec]

    def try_out(self, engine: str) -> None:
        """Run a trial of an engine, or of the model with this key.

        Raises `MachineTrouble`, or `WorkInterrupted` after `close`.
        """
        for spec in self._to_try(engine):
            self.open(spec).try_out()

    def _to_try(self, engine: str) -> list[EngineSpec]:
        """Return the models of an engine that are in use here, otherwise its best one. Raises `MachineTrouble`."""
        try:
            if engine != engine_of_key(engine):
                return [self._find_by_key(engine)]
            there = find_engines(engine, self._settings)
        except EngineNotAvailable as error:
            raise MachineTrouble(error.message, part=engine) from error
        with self._lock:
            return [spec for spec in there if spec in self._pools] or there[:1]

    def _find_by_key(self, key: str) -> EngineSpec:
        """Raises `EngineNotAvailable`."""
        name = engine_of_key(key)
        for spec in find_all_of(name, self._settings):
            if Capability.of(spec).key == key:
                return spec
        lost = self._at_start[key]
        raise EngineNotAvailable(
            f"Engine {name} no longer has {describe_model_at(lost.model, lost.revision)}, which it had when this "
            "process started; install it again, or restart this process."
        )

    def close(self) -> None:
        with self._lock:
            self._closed = True
            pools = list(self._pools.values())
        for pool in pools:
            pool.close()
