"""What a job needs to be worked on: its credentials, stores and engine, opened from its row."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from batchscribe.audio.decoder import DecoderPool
from batchscribe.jobs.model import Job
from batchscribe.queue.records import Records
from batchscribe.settings import Settings
from batchscribe.speakers.speaker_pool import SpeakerPool
from batchscribe.stages.checkpoint_parts import Checkpoints
from batchscribe.stages.existing_output import has_recording, look_in
from batchscribe.stages.job_context import FilesInHand, JobContext, JobWatch
from batchscribe.stages.job_keys import JobKeys
from batchscribe.stages.job_stores import connect_side
from batchscribe.stages.naming import FileRegister, Naming
from batchscribe.stages.sealed_credentials import INPUT, OUTPUT
from batchscribe.stages.slots import Slots
from batchscribe.storage.store import Store
from batchscribe.worker.engine_pools import EnginePools
from batchscribe.worker.machine_health import MachineHealth

if TYPE_CHECKING:  # a worker that waits for jobs rewrites no transcript
    from batchscribe.transcript.aliases import AliasRewriter
    from batchscribe.transcript.profanity import ProfanityFilter


class JobAccess:
    """Opens the credentials, stores and contexts of jobs."""

    def __init__(
        self,
        records: Records,
        settings: Settings,
        *,
        credentials_wait_sec: float,
        decoder: DecoderPool,
        decoding: Slots,
        diarizing: Slots,
        engines: EnginePools,
        speakers: SpeakerPool,
        watch: JobWatch,
        in_hand: FilesInHand,
        health: MachineHealth,
    ) -> None:
        self._records = records
        self._settings = settings
        self._credentials_wait_sec = credentials_wait_sec
        self._decoder = decoder
        self._decoding = decoding
        self._diarizing = diarizing
        self._engines = engines
        self._speakers = speakers
        self._watch = watch
        self._in_hand = in_hand
        self._health = health

    def open_keys(self, job: Job) -> JobKeys:
        return JobKeys.open(job, self._records, wait_sec=self._credentials_wait_sec)

    def connect(self, job: Job, side: str, keys: JobKeys) -> Store:
        """Connect to the input or the output of a job."""
        return connect_side(job, side, self._records, self._settings, renewable=keys.of_side(side))

    def make_context(self, job: Job) -> JobContext:
        """Open everything. Raises `SecretKeyChanged`, `EngineNotAvailable`, `InvalidSetting`."""
        choice = self._engines.choose(job)
        keys = self.open_keys(job)
        source, output = self.connect(job, INPUT, keys), self.connect(job, OUTPUT, keys)
        return JobContext(
            input=source,
            output=output,
            decoder=self._decoder,
            decoding=self._decoding,
            diarizing=self._diarizing,
            speech=self._engines.open(choice.spec),
            speakers=self._speakers,
            choice=choice,
            watch=self._watch,
            in_hand=self._in_hand,
            naming=Naming(
                job.output.layout,
                look_in(output, job.output, job.config.formats),
                FileRegister(job, self._records),
                partial(has_recording, source.stat),
            ),
            health=self._health,
            keys=keys,
            checkpoints=Checkpoints(job, self._records),
            aliases=_rewriter_of(job),
            profanity=_load_profanity(job, self._settings),
            is_searchable=self._settings.search == "on",
            keeps_waveforms=self._settings.waveforms == "on",
        )


def _rewriter_of(job: Job) -> AliasRewriter | None:
    """Return what writes the aliases of the job's vocabulary as its terms."""
    if not (job.vocabulary and job.vocabulary.aliases):
        return None
    from batchscribe.transcript.aliases import AliasRewriter

    return AliasRewriter.of(job.vocabulary.aliases)


def _load_profanity(job: Job, settings: Settings) -> ProfanityFilter | None:
    if not job.config.profanity_filter:
        return None
    from batchscribe.transcript.profanity import load_filter

    return load_filter(settings.profanity_file)
