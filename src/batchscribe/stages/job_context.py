"""What the stages of one job share: its stores and credentials, and the pools and state of their process.

`JobWatch` reports whether running work is still wanted. `FilesInHand` holds the position in each file in progress, for
live progress only. The `about_*` functions bind log fields to the current context. A thread that starts later has these
fields only if it runs in a copy of that context.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from structlog.contextvars import bound_contextvars

from batchscribe.audio.decoder import DecoderPool
from batchscribe.errors import MachineTrouble, WorkInterrupted
from batchscribe.jobs.model import File, Job
from batchscribe.speakers.speaker_pool import SpeakerPool
from batchscribe.speech.pool import SpeechPool
from batchscribe.speech.registry import Choice
from batchscribe.stages.checkpoint_parts import Checkpoints
from batchscribe.stages.job_keys import JobKeys
from batchscribe.stages.naming import Naming
from batchscribe.stages.slots import LOOK_EVERY_SEC, Slots
from batchscribe.storage.store import Store

if TYPE_CHECKING:  # a worker that waits for jobs rewrites no transcript
    from batchscribe.transcript.aliases import AliasRewriter
    from batchscribe.transcript.profanity import ProfanityFilter


class JobWatch:
    """The reasons to stop work: the worker was told to stop, or the job has ended. Thread-safe."""

    def __init__(self, job_is_live: Callable[[int], bool], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._job_is_live = job_is_live
        self._clock = clock
        self._draining = threading.Event()
        self._stopping = threading.Event()
        self._seen: dict[int, tuple[float, bool]] = {}

    def drain(self) -> None:
        """Prevent new files from starting."""
        self._draining.set()

    def stop(self) -> None:
        self._draining.set()
        self._stopping.set()

    @property
    def draining(self) -> bool:
        return self._draining.is_set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def __len__(self) -> int:
        """Return the number of jobs in the cache."""
        return len(self._seen)

    def is_live(self, job_number: int) -> bool:
        """Return False once the job has ended or is canceled, at most half a second late."""
        now = self._clock()
        seen = self._seen.get(job_number)
        if seen is None or now - seen[0] >= LOOK_EVERY_SEC:
            seen = now, self._job_is_live(job_number)
            recent = {job: each for job, each in self._seen.items() if now - each[0] < LOOK_EVERY_SEC}
            self._seen = {**recent, job_number: seen}
        return seen[1]

    def check(self, job_number: int) -> None:
        """Raise `WorkInterrupted` if the worker stops or the job has ended."""
        if self.stopping or not self.is_live(job_number):
            raise WorkInterrupted("The worker was stopped or the job has ended.")

    def check_start(self, job_number: int) -> None:
        """Check before a new file: raises as `check` does, and also if the worker is draining."""
        if self.draining:
            raise WorkInterrupted("The worker is about to stop.")
        self.check(job_number)

    def pause(self, seconds: float, job_number: int) -> None:
        """Sleep between two attempts. Raises as `check_start` does, with a short delay."""
        deadline = self._clock() + seconds
        while (left := deadline - self._clock()) > 0:
            self.check_start(job_number)
            self._stopping.wait(min(left, LOOK_EVERY_SEC))

    def wait(self, seconds: float | None) -> bool:
        """Sleep. Returns True as soon as the worker is told to stop."""
        return self._stopping.wait(seconds)


class FilesInHand:
    """The position in seconds up to which each file in progress is transcribed. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reached: dict[tuple[int, int], float] = {}

    def reach(self, file: File, sec: float) -> None:
        with self._lock:
            self._reached[file.job_number, file.seq] = sec

    def drop(self, file: File) -> None:
        """Remove a file that has its outcome or is requeued."""
        with self._lock:
            self._reached.pop((file.job_number, file.seq), None)

    def audio_sec(self, job_number: int) -> float:
        """Return the sum over all files in progress of a job."""
        with self._lock:
            return sum(sec for (job, _), sec in self._reached.items() if job == job_number)


class HealthCheck(Protocol):
    """Health of this machine: whether it can decode and transcribe. See `worker/machine_health.py`."""

    def check(self, engine: str) -> None:
        """Raise `MachineTrouble` if no recording may be started for this engine, or for this queue's key."""
        ...

    def confirm(self, part: str) -> None:
        """Run a trial of the decoder, an engine or diarization now. Raises `MachineTrouble` if it fails."""
        ...

    def report(self, trouble: MachineTrouble) -> None:
        """Start no more recordings that need this part until it has passed a trial."""
        ...


@dataclass(frozen=True, slots=True)
class JobContext:
    """The resources of one job. `input` and `output` use its own credentials; the process shares the pools."""

    input: Store
    output: Store
    decoder: DecoderPool
    decoding: Slots  #: for files that have a decoder process
    diarizing: Slots  #: for files that have a speaker process; they take this slot first
    speech: SpeechPool
    speakers: SpeakerPool
    choice: Choice
    watch: JobWatch
    in_hand: FilesInHand
    naming: Naming  #: names of the job's transcripts
    health: HealthCheck
    keys: JobKeys  #: credentials of `input` and `output`
    checkpoints: Checkpoints  #: of the job's files
    aliases: AliasRewriter | None = None  #: of the job's vocabulary
    profanity: ProfanityFilter | None = None  #: if the job asks for it
    is_searchable: bool = False  #: whether the text of transcripts is stored for search
    keeps_waveforms: bool = False  #: in the database


def about_task(worker_id: str, job_id: str) -> AbstractContextManager[Any]:
    return bound_contextvars(worker=worker_id, job_id=job_id)


def about_job(job: Job) -> AbstractContextManager[Any]:
    """Bind the fields of a job. `tracking_id` is from the request that submitted it; command line jobs have none."""
    tracking = {} if job.tracking_id is None else {"tracking_id": job.tracking_id}
    return bound_contextvars(job_id=job.job_id, tenant=job.tenant, **tracking)


def about_file(file: File) -> AbstractContextManager[Any]:
    return bound_contextvars(file_id=file.file_id)
